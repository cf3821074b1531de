"""`vision/fashion`: which of ten garments is in a picture, by a convolutional or a dense network.

Both are trained on the full 60,000 pictures of Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747). Flips and
small shifts of the pictures are layers of the network that only act in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import ImageClassification
from layerwise_vision.blocks import convolution
from layerwise_vision.fashion_mnist import LABELS

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class FashionConfig(TrainingConfig):
    """The settings of `vision/fashion`."""

    network: str = setting("conv", "Kind of network", choices=("conv", "dense"))
    filters: tuple[int, ...] = setting(
        (32, 64, 128), "Filters of each stage of the convolutional network", minimum=1, maximum=1024, unit="filters"
    )
    hidden_units: tuple[int, ...] = setting(
        (512, 512), "Width of each hidden layer of the dense network", minimum=1, maximum=8192, unit="units"
    )
    dropout: float = setting(0.1, "Share of units zeroed in a training step", minimum=0, maximum=0.9)
    flip: bool = setting(True, "Whether training mirrors pictures at random", advanced=True)
    shift: int = setting(
        2, "Largest random shift of a training picture", minimum=0, maximum=8, unit="pixels", advanced=True
    )


def build(config: FashionConfig, task: ImageClassification) -> keras.Model:
    """The network: pixels 0 to 255, [batch, height, width, channels], to logits [batch, classes]."""
    if config.network == "dense":
        from layerwise.networks import dense_network

        return dense_network(
            (*task.size, task.channels),
            config.hidden_units,
            output_units=len(task.labels),
            normalization="batch",
            dropout=config.dropout,
            scale=1 / 255,
            preprocessing=augmentation(config, task.size),
            name="fashion_dense",
        )
    return convolutional_network(config, task)


def augmentation(config: FashionConfig, size: tuple[int, int]) -> list[keras.layers.Layer]:
    """The layers that vary pictures in training and pass them through unchanged otherwise."""
    from keras import layers

    found = []
    if config.flip:
        found.append(layers.RandomFlip("horizontal", name="flip"))
    if config.shift:
        height, width = (config.shift / side for side in size)
        # Nearest: interpolation would blur the few pixels there are. Constant: the background is black.
        found.append(
            layers.RandomTranslation(height, width, fill_mode="constant", interpolation="nearest", name="shift")
        )
    return found


def convolutional_network(config: FashionConfig, task: ImageClassification) -> keras.Model:
    """Stages of 3x3 convolutions with batch normalisation, each at half the resolution of the one before: one
    convolution in the first stage, two in the others (after Simonyan & Zisserman 2015, arXiv:1409.1556), then
    global average pooling and one dense layer."""
    import keras
    from keras import layers

    inputs = x = keras.Input((*task.size, task.channels), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(x)
    for layer in augmentation(config, task.size):
        x = layer(x)
    for stage, filters in enumerate(config.filters, start=1):
        if stage > 1:
            x = layers.MaxPooling2D(padding="same", name=f"pool_{stage - 1}")(x)
        for index in (1,) if stage == 1 else (1, 2):
            x = convolution(x, filters, f"{stage}_{index}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    # Logits in float32: in mixed precision the cross-entropy would lose digits.
    outputs = layers.Dense(len(task.labels), dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="fashion_conv")


def examples() -> Sequence[Example]:
    """Two real test pictures of each garment, the first two of their class; files are "class-name-number.png"."""
    paths = sorted((HERE / "examples" / "fashion").glob("*.png"))
    return [Example(inputs={"image": path}, label=LABELS[int(path.name.partition("-")[0])]) for path in paths]


FASHION = ModelSpec(
    name="vision/fashion",
    task=ImageClassification(labels=LABELS, size=(28, 28), channels=1, polarity="light-on-dark"),
    build="layerwise_vision.fashion:build",
    data="fashion-mnist",
    config=FashionConfig,
    examples="layerwise_vision.fashion:examples",
    variants=(
        Variant(
            name="conv",
            summary="Five convolutions: looks for the same small patterns everywhere in the picture",
            config=FashionConfig(
                network="conv", num_epochs=30, learning_rate=4e-3, optimizer="adamw", weight_decay=0.02, warmup_epochs=1
            ),
            weights=HERE / "weights" / "fashion-conv",
        ),
        Variant(
            name="dense",
            summary="Two hidden layers of 512 units: every pixel is connected with every unit",
            config=FashionConfig(
                network="dense",
                num_epochs=60,
                learning_rate=2e-3,
                optimizer="adamw",
                weight_decay=0.05,
                warmup_epochs=1,
                dropout=0.3,
                shift=0,
            ),
            weights=HERE / "weights" / "fashion-dense",
        ),
    ),
    card=ModelCard(
        title="Garments",
        summary="Draw, upload or photograph a garment; the network says which of ten kinds it is.",
        description=(
            "Two networks trained from scratch on the 60,000 grey pictures of 28 by 28 pixels of Fashion-MNIST. "
            "Their settings are common ones, checked on pictures held out of the training set and not searched for; "
            "then each network was trained once on all 60,000 and measured once on the 10,000 test pictures."
        ),
        limits=(
            "It knows ten kinds of garments, seen from the front on a plain dark background, and names one of them "
            "whatever it is shown. Your pictures are inverted, cropped and shrunk to look like those: fine detail and "
            "colour are lost. A shirt, a T-shirt, a pullover and a coat are often confused, by people too (a person "
            "names 83.5 % right)."
        ),
        licence="Apache-2.0",
        sources=("https://github.com/zalandoresearch/fashion-mnist", "https://arxiv.org/abs/1708.07747"),
    ),
)
