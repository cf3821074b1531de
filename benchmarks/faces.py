"""How well `vision/faces` finds faces, on scenes whose faces are known.

    pip install mtcnn                       # mtcnn 1.0.0 is measured beside it, if it is there
    python benchmarks/faces.py              # 240 scenes of seed 2; --seed 1 is the one that settings were chosen with

Each scene is a part of a picture that scikit-image bundles and that has no face, with none to five faces pasted into
it: the astronaut's and those of `lfw_subset` (100 people, 25 x 25 pixels each, enlarged), 20 to 400 pixels large,
turned by up to 25 degrees, blurred, lighter or darker, tinted. A face is found when a box overlaps with its own by 0.5
(intersection over union) or more. After that scikit-image's own pictures are searched, and a photograph of 12
megapixels is timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from layerwise.tasks.detection.boxes import iou

BACKGROUNDS = (
    "brick", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel", "hubble_deep_field",
    "immunohistochemistry", "moon", "page", "retina", "rocket",
)  # fmt: skip
WITH_FACES = {"astronaut": [(176, 58, 272, 178)], "camera": [(196, 112, 258, 200)]}
"""Where the faces of scikit-image's pictures are, by hand: left, top, right, bottom."""
SIZES = (20, 400)
Find = Callable[[Image.Image], tuple[np.ndarray, np.ndarray]]
"""A picture to boxes [faces, 4] and scores [faces]."""


def picture(name: str) -> Image.Image:
    """A picture that scikit-image bundles, in colour."""
    from skimage import data

    array = getattr(data, name)()
    return Image.fromarray(array if array.dtype == np.uint8 else (255 * array).astype("uint8")).convert("RGB")


def portraits() -> list[Image.Image]:
    """The faces: squares cut closely around each."""
    from skimage import data

    left, top, right, bottom = WITH_FACES["astronaut"][0]
    middle, half = (left + right) / 2, (bottom - top) / 2
    astronaut = picture("astronaut").crop((int(middle - half), top, int(middle + half), bottom))
    return [
        astronaut,
        *(Image.fromarray((255 * face).astype("uint8")).convert("RGB") for face in data.lfw_subset()[:100]),
    ]


def make_scene(
    seed: tuple[int, ...], grounds: list[Image.Image], faces: list[Image.Image]
) -> tuple[Image.Image, np.ndarray]:
    """A scene and its boxes [faces, 4]."""
    generator = np.random.default_rng(seed)
    width, height = (int(generator.integers(480, 1100)) for _ in range(2))
    scene = _ground(grounds[generator.integers(len(grounds))], (width, height), generator)
    boxes: list[tuple[float, ...]] = []
    for _ in range(generator.integers(0, 6)):
        # As many small ones as large ones, by their logarithm.
        side = int(np.exp(generator.uniform(*np.log(SIZES))))
        box = _free_place(side, (width, height), boxes, generator)
        # The astronaut's, of which there is only one, as often as ten others.
        place = 0 if generator.random() < 0.1 else int(generator.integers(1, len(faces)))
        if box is not None:
            _paste(scene, faces[place], box, generator)
            boxes.append(box)
    scene = scene.filter(ImageFilter.GaussianBlur(generator.uniform(0, 0.8)))
    noise = generator.normal(0, generator.uniform(0, 6), (height, width, 3))
    pixels = np.clip(np.asarray(scene) * generator.uniform(0.6, 1.2) + noise, 0, 255).astype("uint8")
    return Image.fromarray(pixels), np.array(boxes, "float64").reshape(-1, 4)


def _ground(image: Image.Image, size: tuple[int, int], generator: np.random.Generator) -> Image.Image:
    scale = generator.uniform(1.0, 1.6) * max(size[0] / image.width, size[1] / image.height)
    image = image.resize((int(image.width * scale) + 1, int(image.height * scale) + 1), Image.Resampling.BICUBIC)
    left = int(generator.integers(image.width - size[0] + 1))
    top = int(generator.integers(image.height - size[1] + 1))
    return image.crop((left, top, left + size[0], top + size[1]))


def _free_place(
    side: int, size: tuple[int, int], boxes: list[tuple[float, ...]], generator: np.random.Generator
) -> tuple[float, ...] | None:
    for _ in range(20):
        if side + 8 >= min(size):
            return None
        left, top = (int(generator.integers(4, length - side - 4)) for length in size)
        box = (float(left), float(top), float(left + side), float(top + side))
        if not boxes or iou(np.array([box]), np.array(boxes)).max() == 0:
            return box
    return None


def _paste(scene: Image.Image, face: Image.Image, box: tuple[float, ...], generator: np.random.Generator) -> None:
    side = int(box[2] - box[0])
    face = face.rotate(float(generator.uniform(-25, 25)), Image.Resampling.BICUBIC)
    face = face.resize((side, side), Image.Resampling.BICUBIC)
    face = face.filter(ImageFilter.GaussianBlur(side * generator.uniform(0, 0.02)))
    light = generator.uniform(0.6, 1.2) * generator.uniform(0.85, 1.15, 3)
    face = Image.fromarray(np.clip(np.asarray(face) * light, 0, 255).astype("uint8"))
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
    scene.paste(face, (int(box[0]), int(box[1])), mask.filter(ImageFilter.GaussianBlur(side * 0.03)))


def compare(found: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Which faces were found, each counted once."""
    taken = np.zeros(len(right), bool)
    for box in found:
        overlaps = iou(box[None], right)[0] * ~taken if len(right) else np.zeros(0)
        if len(overlaps) and overlaps.max() >= 0.5:
            taken[int(overlaps.argmax())] = True
    return taken


def measure_scenes(name: str, find: Find, count: int, seed: int, thresholds: list[float]) -> None:
    """Print precision and recall at thresholds, and recall by size."""
    grounds, faces = [picture(item) for item in BACKGROUNDS], portraits()
    results, seconds = [], 0.0
    for number in range(count):
        scene, right = make_scene((seed, number), grounds, faces)
        begin = time.perf_counter()
        boxes, scores = find(scene)
        seconds += time.perf_counter() - begin
        results.append((boxes, scores, right))
    total = sum(len(right) for _, _, right in results)
    print(f"{name}: {count} scenes of seed {seed} with {total} faces, {seconds / count:.2f} s a scene")
    for threshold in thresholds:
        taken = np.concatenate([compare(boxes[scores >= threshold], right) for boxes, scores, right in results])
        hits, claims = taken.sum(), sum((scores >= threshold).sum() for _, scores, _ in results)
        sides = np.concatenate([right[:, 2] - right[:, 0] for _, _, right in results])
        by_size = ", ".join(
            f"{low}-{high - 1} px {taken[(sides >= low) & (sides < high)].mean():.3f}"
            for low, high in ((20, 40), (40, 100), (100, 401))
        )
        print(
            f"  from {threshold:.2f} on: precision {hits / max(claims, 1):.4f}, recall {hits / total:.4f} ({by_size})"
        )


def measure_pictures(name: str, find: Find, threshold: float) -> None:
    """Print what is found in the pictures that scikit-image bundles."""
    missed, false = [], []
    for item in (*BACKGROUNDS, "cell", "checkerboard", "horse", "logo", "microaneurysms", "text", *WITH_FACES):
        boxes, scores = find(picture(item))
        right = np.array(WITH_FACES.get(item, []), "float64").reshape(-1, 4)
        hits = int(compare(boxes[scores >= threshold], right).sum())
        missed += [item] * (len(right) - hits)
        false += [item] * (int((scores >= threshold).sum()) - hits)
    print(f"{name}: scikit-image's own pictures: missed {missed or 'none'}, false {false or 'none'}")


def measure_time(name: str, find: Find) -> None:
    """Print the median time of a photograph of 12 megapixels."""
    large = picture("astronaut").resize((4000, 3000), Image.Resampling.BICUBIC)
    find(large)
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        find(large)
        seconds.append(time.perf_counter() - begin)
    print(f"{name}: 4000 x 3000 pixels in {np.median(seconds):.2f} s (median of 5, without decoding the file)")


def layerwise_finder() -> Find:
    """The shipped weights."""
    from layerwise.versions import read_version
    from layerwise_vision.faces import FACES
    from layerwise_vision.faces.cascade import find_faces
    from layerwise_vision.faces.runner import FaceRunner

    variant = FACES.variant()
    runner = FaceRunner(read_version(FACES, variant.name, "shipped", variant.weights))

    def find(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        faces = find_faces(runner.networks, image)
        return faces.boxes, faces.scores

    return find


def peer_finder() -> Find | None:
    """The package that the weights come from, as it comes; None where it is not installed."""
    try:
        from mtcnn import MTCNN
    except ImportError:
        return None
    detector = MTCNN()

    def find(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        found = detector.detect_faces(np.asarray(image))
        boxes = np.array([item["box"] for item in found], "float64").reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return boxes, np.array([item["confidence"] for item in found])

    return find


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=240)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.85])
    arguments = parser.parse_args()
    finders = {"vision/faces": layerwise_finder(), "mtcnn": peer_finder()}
    for name, find in finders.items():
        if find is not None:
            measure_scenes(name, find, arguments.scenes, arguments.seed, arguments.thresholds)
            measure_pictures(name, find, arguments.thresholds[0])
            measure_time(name, find)


if __name__ == "__main__":
    main()
