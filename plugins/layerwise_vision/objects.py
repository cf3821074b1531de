"""`vision/objects`: which of ten animals and vehicles a photograph shows, by a residual network.

Trained on the 50,000 photographs of CIFAR-10 (Krizhevsky 2009). The network is a narrow one of the kind that won
DAWNBench's competition for fast training on these pictures (Page 2018, "How to Train Your ResNet"): few layers, of
which the costly ones work on small maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import ImageClassification
from layerwise_vision.blocks import convolution
from layerwise_vision.cifar10 import LABELS, SIDE

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class ObjectsConfig(TrainingConfig):
    """The settings of `vision/objects`."""

    filters: tuple[int, ...] = setting(
        (32, 64, 128, 176),
        "Filters of the first convolution, and of each stage after it",
        minimum=1,
        maximum=1024,
        unit="filters",
    )
    residual: bool = setting(True, "Whether each stage has a residual block, added to what goes into it")
    dropout: float = setting(
        0.0, "Share of features zeroed before the last layer in a training step", minimum=0, maximum=0.9
    )
    flip: bool = setting(True, "Whether training mirrors pictures at random", advanced=True)
    shift: int = setting(
        4, "Largest random shift of a training picture", minimum=0, maximum=16, unit="pixels", advanced=True
    )
    erase: float = setting(
        0.1, "Largest share of a training picture that is erased at random", minimum=0, maximum=0.9, advanced=True
    )


def build(config: ObjectsConfig, task: ImageClassification) -> keras.Model:
    """The network: pixels 0 to 255, [batch, height, width, channels], to logits [batch, classes].

    A convolution, and stages each of which halves the picture: a convolution, and a residual block of two (of one in
    the last stage) that is added to what it was given (He et al. 2016, arXiv:1512.03385). Then the largest
    activation of each filter, and one dense layer.
    """
    import keras
    from keras import layers

    inputs = x = keras.Input((*task.size, task.channels), name="image")
    for layer in augmentation(config, task.size):
        x = layer(x)
    # About zero mean and unit variance for photographs.
    x = layers.Rescaling(1 / 64, offset=-1.9, name="scale")(x)
    first, *stages = config.filters
    x = convolution(x, first, "stem")
    for stage, filters in enumerate(stages, start=1):
        x = convolution(x, filters, f"{stage}_1")
        x = layers.MaxPooling2D(padding="same", name=f"pool_{stage}")(x)
        if config.residual:
            block = x
            for index in (2,) if stage == len(stages) else (2, 3):
                block = convolution(block, filters, f"{stage}_{index}")
            x = layers.Add(name=f"add_{stage}")([x, block])
    x = layers.GlobalMaxPooling2D(name="largest")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    # Logits in float32: in mixed precision the cross-entropy would lose digits.
    outputs = layers.Dense(len(task.labels), dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="objects")


def augmentation(config: ObjectsConfig, size: tuple[int, int]) -> list[keras.layers.Layer]:
    """The layers that vary pictures in training and pass them through unchanged otherwise. In float32, since they are
    given pixels."""
    from keras import layers

    found: list[keras.layers.Layer] = []
    if config.flip:
        found.append(layers.RandomFlip("horizontal", dtype="float32", name="flip"))
    if config.shift:
        height, width = (config.shift / side for side in size)
        found.append(
            layers.RandomTranslation(
                height, width, fill_mode="reflect", interpolation="nearest", dtype="float32", name="shift"
            )
        )
    if config.erase:
        # Zhong et al. 2020, arXiv:1708.04896.
        found.append(
            layers.RandomErasing(
                factor=(1.0, 1.0),  # pyright: ignore[reportArgumentType]  (a range is meant to be given so)
                scale=(0.02, config.erase),
                fill_value=120.0,
                value_range=(0, 255),
                dtype="float32",
                name="erase",
            )
        )
    return found


def examples() -> Sequence[Example]:
    """Real test pictures, two of each class; files are "class-name-number.png"."""
    paths = sorted((HERE / "examples" / "objects").glob("*.png"))
    return [Example(inputs={"image": path}, label=LABELS[int(path.name.partition("-")[0])]) for path in paths]


OBJECTS = ModelSpec(
    name="vision/objects",
    task=ImageClassification(labels=LABELS, size=(SIDE, SIDE)),
    build="layerwise_vision.objects:build",
    data="cifar10",
    config=ObjectsConfig,
    examples="layerwise_vision.objects:examples",
    variants=(
        Variant(
            name="residual",
            summary="Nine convolutions with three shortcuts",
            config=ObjectsConfig(
                num_epochs=40,
                optimizer="sgd",
                learning_rate=0.1,
                schedule="linear",
                warmup_epochs=5,
                # Keras decays weights apart from the momentum, so this does what 0.0005 does as a penalty.
                weight_decay=0.005,
                label_smoothing=0.1,
                precision="auto",
            ),
            weights=HERE / "weights" / "objects-residual",
            # Small steps, since what it knows is not to be forgotten; small batches, since own pictures are few.
            fine_tuning=ObjectsConfig(
                num_epochs=15,
                frozen_epochs=3,
                batch_size=32,
                optimizer="sgd",
                learning_rate=0.01,
                schedule="linear",
                warmup_epochs=1,
                weight_decay=0.005,
            ),
        ),
    ),
    card=ModelCard(
        title="Animals and vehicles",
        summary="Upload or photograph an animal or a vehicle; the network says which of ten kinds it is.",
        description=(
            "A residual network of nine convolutions, trained from scratch on the 50,000 photographs of 32 by 32 "
            "pixels of CIFAR-10, which are mirrored, shifted and partly erased at random. Its settings are common "
            "ones and were not searched for; after a first training of 24 epochs, which reached 89.3 % on the 10,000 "
            "test pictures, it was given 40, smoothed labels and a wider last stage. All of this was in a copy of the "
            "pictures that was compressed as JPEG. keras.io's compact transformer of half the size has 76.8 % "
            "after 30 epochs. To tell other things apart, train it on your own pictures and start from this version."
        ),
        limits=(
            "It knows ten kinds of things and names one of them whatever it is shown: give it one thing that fills the "
            "picture. Photographs are shrunk to 32 by 32 pixels, so small things vanish. It learned from pictures of "
            "the web before 2009, in their usual surroundings: a ship on land or a dog in an odd pose may be taken for "
            "something else. Cats and dogs are confused most."
        ),
        licence="Apache-2.0",
        sources=("https://www.cs.toronto.edu/~kriz/cifar.html", "https://arxiv.org/abs/1512.03385"),
    ),
)
