"""`vision/garments`: a detector that is small enough to be trained here, from the first weight on.

It finds garments in generated scenes (`layerwise_vision.garment_scenes`), and is a beginning for pictures of
the user's own. Its head has no anchors: see `layerwise.tasks.detection.head`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import ObjectDetection
from layerwise_vision.fashion_mnist import LABELS
from layerwise_vision.garment_scenes import SIDE

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights" / "garments"
RARE = 0.05
"""What the network says of every place at the beginning: a thing is rare (Lin et al. 2017, arXiv:1708.02002,
section 4.1). Without it the first steps are lost to saying "nothing" everywhere."""


@dataclass(frozen=True, kw_only=True)
class GarmentsConfig(TrainingConfig):
    """The settings of `vision/garments`."""

    filters: tuple[int, ...] = setting(
        (16, 32, 64, 96),
        "Filters at a half, a fourth, an eighth and so on of the picture's side, three stages at least",
        minimum=4,
        maximum=512,
        unit="filters",
    )
    head_filters: int = setting(64, "Filters of the last layer before the answer", minimum=4, maximum=512)


def build(config: GarmentsConfig, task: ObjectDetection) -> keras.Model:
    """The network: pixels 0 to 255 [batch, height, width, channels], to [batch, height / 4, width / 4, classes + 4].

    Convolutions on the way down; then what they saw of the whole comes back up and is added to what they saw in detail
    (Lin et al. 2017, "Feature Pyramid Networks", arXiv:1612.03144), since a thing must be told from others and
    be found to a pixel.
    """
    import keras

    from layerwise_vision.blocks import convolution

    layers: Any = keras.layers
    inputs = x = keras.Input((*task.size, task.channels), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale")(x)
    levels = []
    for stage, filters in enumerate(config.filters, start=1):
        x = convolution(x, filters, f"{stage}_1")
        if stage > 1:
            x = layers.Add(name=f"add_{stage}")([x, convolution(x, filters, f"{stage}_2")])
        x = layers.MaxPooling2D(padding="same", name=f"pool_{stage}")(x)
        levels.append(x)
    width = config.filters[1]
    x = layers.Conv2D(width, 1, name="top")(levels[-1])
    for stage in range(len(levels) - 2, 0, -1):
        side = layers.Conv2D(width, 1, name=f"side_{stage + 1}")(levels[stage])
        x = layers.UpSampling2D(interpolation="nearest", name=f"up_{stage + 1}")(x)
        x = layers.Add(name=f"merge_{stage + 1}")([_cut_to(x, side), side])
    x = convolution(x, config.head_filters, "head_1")
    x = convolution(x, config.head_filters, "head_2")
    # In float32: in mixed precision sizes would lose digits.
    heat = layers.Conv2D(
        len(task.labels),
        1,
        dtype="float32",
        bias_initializer=keras.initializers.Constant(-math.log((1 - RARE) / RARE)),
        name="heat",
    )(x)
    sides = layers.Conv2D(4, 1, dtype="float32", bias_initializer=keras.initializers.Constant(4.0), name="distances")(x)
    return keras.Model(inputs, layers.Concatenate(name="cells", dtype="float32")([heat, sides]), name="garments")


def _cut_to(x: Any, other: Any) -> Any:
    """`x` without the rows and columns by which pooling an odd side made it larger than `other`."""
    from keras import layers

    surplus = [mine - theirs for mine, theirs in zip(x.shape[1:3], other.shape[1:3], strict=True)]
    return layers.Cropping2D(((0, surplus[0]), (0, surplus[1])))(x) if any(surplus) else x


def examples() -> Sequence[Example]:
    """Scenes of the test split, the first eight."""
    paths = sorted((HERE / "examples" / "garments").glob("*.png"))
    return [Example(inputs={"image": path}, label=f"Scene {number}") for number, path in enumerate(paths, start=1)]


GARMENTS = ModelSpec(
    name="vision/garments",
    task=ObjectDetection(labels=LABELS, size=(SIDE, SIDE)),
    build="layerwise_vision.garments:build",
    data="garment-scenes",
    config=GarmentsConfig,
    examples="layerwise_vision.garments:examples",
    variants=(
        Variant(
            name="default",
            config=GarmentsConfig(
                num_epochs=10,
                batch_size=32,
                learning_rate=4e-3,
                optimizer="adamw",
                weight_decay=0.02,
                warmup_epochs=1,
            ),
            weights=WEIGHTS,
        ),
    ),
    card=ModelCard(
        title="Garments in a scene",
        summary="A detector to teach: it finds garments in cluttered scenes, or whatever you draw boxes around.",
        description=(
            "A small network without anchors, trained from nothing on 6,000 generated scenes: garments of "
            "Fashion-MNIST, coloured, scaled and turned, on textured ground among other shapes. For each place of the "
            "picture it says whether the middle of a garment is there, and how far the sides of its box are. It was "
            "measured on 1,000 scenes made of garments that it has not seen."
        ),
        limits=(
            "It knows generated scenes, not photographs of clothes: for those train it on your own pictures with "
            "boxes. Things much smaller than a sixth of the picture's side are lost, since a picture is shrunk to 128 "
            "by 128 pixels. Shirts, coats and pullovers are confused, as in Fashion-MNIST itself."
        ),
        licence="Apache-2.0",
        sources=("https://arxiv.org/abs/1904.07850", "https://arxiv.org/abs/1904.01355"),
    ),
)
