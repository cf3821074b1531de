"""Scenes with garments: pictures that are made here, so that what is in them is known to the pixel.

Garments of Fashion-MNIST, coloured, scaled, mirrored and turned, lie on textured ground among shapes that are no
garments. The garments of "train" come from its training pictures and those of "test" from its test pictures, so that
no garment is seen in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.specs import DatasetSpec, Source
from layerwise_vision.fashion_mnist import FASHION_MNIST

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from layerwise.splits import Split

SIDE = 128
"""Height and width of a scene in pixels."""
MOST_GARMENTS = 6
SIZES = (24, 60)
"""The side of a garment's picture in pixels, from the smallest to the largest."""
COUNTS = {"train": 6000, "test": 1000}
SEEDS = {"train": 1, "test": 2}
LEAST_VISIBLE = 0.7
"""How much of a garment's box must not lie below the boxes of later ones."""
_FORMAT = 1
"""Counted up when scenes are made in another way, so that none of the former way is taken from the cache."""


def read(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" and "test", made once and kept in the cache.

    Returns:
        Inputs uint8 [scenes, 128, 128, 3]; targets float32 [scenes, 6, 5]: left, top, right, bottom in pixels and the
        position in the labels of Fashion-MNIST, -1 for no garment.

    Raises:
        DataError: Fashion-MNIST cannot be had.
    """
    import numpy as np

    from layerwise.datasets.prepared import memory_mapped, prepared
    from layerwise.splits import Split

    entry, _ = prepared(Path(__file__), "garment scenes", [f"{_FORMAT} {COUNTS} {SEEDS}"], _write)
    return {
        name: Split(
            memory_mapped(entry / f"{name}-scenes", "uint8", (count, SIDE, SIDE, 3)),
            np.fromfile(entry / f"{name}-boxes", "float32").reshape(count, MOST_GARMENTS, 5),
        )
        for name, count in COUNTS.items()
    }


def _write(folder: Path) -> dict[str, Any]:
    from layerwise.data import load

    garments = load(FASHION_MNIST).splits
    for name, count in COUNTS.items():
        with (folder / f"{name}-scenes").open("wb") as scenes, (folder / f"{name}-boxes").open("wb") as boxes:
            for number in range(count):
                scene, targets = make_scene(garments[name], (SEEDS[name], number))
                scenes.write(scene.tobytes())
                boxes.write(targets.tobytes())
    return {}


def make_scene(garments: Split, seed: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """One scene uint8 [128, 128, 3] and its boxes float32 [6, 5].

    Args:
        garments: Fashion-MNIST pictures and their classes.
        seed: The same seed makes the same scene.
    """
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(seed)
    scene = Image.fromarray(_ground(generator))
    _draw_shapes(scene, generator)
    boxes: list[list[float]] = []
    for _ in range(generator.integers(1, MOST_GARMENTS + 1)):
        place = int(generator.integers(len(garments)))
        mask = _mask(np.asarray(garments.inputs[place])[..., 0], generator)
        box = _free_place(mask.size, boxes, generator)
        if box is None:
            continue
        scene.paste(_coloured(mask, generator), (int(box[0]), int(box[1])), mask.point(_opacity))
        boxes.append([*box, float(garments.targets[place])])
    noise = generator.normal(0, generator.uniform(0, 8), (SIDE, SIDE, 3))
    pixels = np.clip(np.asarray(scene) * generator.uniform(0.7, 1.1) + noise, 0, 255).astype("uint8")
    targets = np.full((MOST_GARMENTS, 5), -1, "float32")
    if boxes:
        targets[: len(boxes)] = boxes
    return pixels, targets


def _ground(generator: np.random.Generator) -> np.ndarray:
    """A ground uint8 [side, side, 3]: two colours mixed by noise of several sizes, like cloth, walls and lawns."""
    import numpy as np
    from PIL import Image

    mixed = np.zeros((SIDE, SIDE))
    for cells in (2, 6, 20, 64):
        noise = Image.fromarray(generator.random((cells, cells)).astype("float32"))
        mixed += generator.random() * np.asarray(noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    if generator.random() < 0.3:
        down, across = np.mgrid[:SIDE, :SIDE]
        angle, period = generator.uniform(0, np.pi), generator.uniform(4, 24)
        mixed += 0.6 * np.sin((np.cos(angle) * across + np.sin(angle) * down) * 2 * np.pi / period)
    mixed = (mixed - mixed.min()) / (np.ptp(mixed) + 1e-6)
    one, other = generator.integers(0, 256, (2, 3))
    return (one + mixed[..., None] * (other - one)).clip(0, 255).astype("uint8")


def _draw_shapes(scene: Image.Image, generator: np.random.Generator) -> None:
    """Ellipses, rectangles and lines: what is there too and is no garment."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(scene)
    for _ in range(generator.integers(0, 6)):
        left, top = generator.integers(-20, SIDE, 2)
        width, height = generator.integers(6, 60, 2)
        corners = (int(left), int(top), int(left + width), int(top + height))
        colour = tuple(map(int, generator.integers(0, 256, 3)))
        kind = generator.integers(3)
        if kind == 0:
            draw.ellipse(corners, fill=colour)
        elif kind == 1:
            draw.rectangle(corners, fill=colour)
        else:
            draw.line(corners, fill=colour, width=int(generator.integers(1, 6)))


def _mask(garment: np.ndarray, generator: np.random.Generator) -> Image.Image:
    """A garment, light on black, mirrored, turned and scaled, cut to what it shows."""
    from PIL import Image, ImageOps

    side = int(generator.integers(SIZES[0], SIZES[1] + 1))
    image = Image.fromarray(garment)
    if generator.random() < 0.5:
        image = ImageOps.mirror(image)
    image = image.resize((side, side), Image.Resampling.BICUBIC)
    image = image.rotate(float(generator.uniform(-15, 15)), Image.Resampling.BICUBIC, expand=True)
    return image.crop(image.point([0] * 25 + [255] * 231).getbbox())


def _opacity(value: float) -> float:
    """Garments are opaque, their borders soft."""
    return min(255, 6 * value)


def _coloured(mask: Image.Image, generator: np.random.Generator) -> Image.Image:
    """The garment in a colour of its own; what is light in Fashion-MNIST is light."""
    import numpy as np
    from PIL import Image

    shade = np.asarray(mask).astype("float32")[..., None] / 255
    dark, light = sorted(generator.integers(0, 256, (2, 3)), key=lambda colour: int(colour.sum()))
    return Image.fromarray((dark + shade * (light - dark)).clip(0, 255).astype("uint8"))


def _free_place(
    size: tuple[int, int], boxes: list[list[float]], generator: np.random.Generator
) -> tuple[float, float, float, float] | None:
    """A box of that size within the scene that leaves enough of the others to be seen; None when none is found."""
    import numpy as np

    from layerwise.tasks.detection.boxes import areas, intersections

    width, height = size
    if width > SIDE or height > SIDE:
        return None
    others = np.array(boxes, "float64").reshape(-1, 5)[:, :4]
    for _ in range(20):
        left, top = int(generator.integers(SIDE - width + 1)), int(generator.integers(SIDE - height + 1))
        box = np.array([left, top, left + width, top + height], "float64")
        if np.all(intersections(box, others) <= (1 - LEAST_VISIBLE) * np.minimum(areas(others), areas(box))):
            return float(box[0]), float(box[1]), float(box[2]), float(box[3])
    return None


GARMENT_SCENES = DatasetSpec(
    name="garment-scenes",
    title="Scenes with garments",
    summary="7,000 scenes of 128 x 128 pixels, made from Fashion-MNIST: one to six garments with their boxes.",
    sources=(
        Source(
            name="generated",
            read="layerwise_vision.garment_scenes:read",
            licence="MIT",
            homepage="https://github.com/zalandoresearch/fashion-mnist",
        ),
    ),
)
