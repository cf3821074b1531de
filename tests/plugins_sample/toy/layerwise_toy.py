"""A third-party plugin that trains in a second: pictures of bars, told apart by their direction.

Used wherever a test needs a model that is really trained, saved and served.
"""

from dataclasses import dataclass

from layerwise import (
    DatasetSpec,
    Example,
    Experiment,
    Lesson,
    ModelCard,
    ModelSpec,
    Settings,
    Source,
    TrainingConfig,
    Variant,
    hookimpl,
    setting,
)
from layerwise.tasks import ImageClassification

LABELS = ("across", "down")


def bars(count, seed):
    """`count` pictures [8, 8, 1] uint8 of one bright bar, and whether it runs across (0) or down (1)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 60, (count, 8, 8, 1), dtype=np.uint8)
    targets = rng.integers(0, 2, count).astype(np.int32)
    for picture, target, place in zip(pictures, targets, rng.integers(0, 8, count), strict=True):
        if target == 0:
            picture[place] = 255
        else:
            picture[:, place] = 255
    return pictures, targets


def read(paths):
    from layerwise.data import Split

    return {"train": Split(*bars(512, seed=1)), "test": Split(*bars(200, seed=2))}


@dataclass(frozen=True, kw_only=True)
class BarsConfig(TrainingConfig):
    hidden_units: tuple[int, ...] = setting((16,), "Width of each hidden layer", minimum=1, maximum=2**30, unit="units")
    dropout: float = setting(0.0, "Share of units zeroed in a training step", minimum=0, maximum=0.9)
    filters: int = setting(0, "Filters of a convolution before the dense layers; 0 for none", minimum=0, maximum=64)
    heads: int = setting(0, "Heads of a transformer block before the dense layers; 0 for none", minimum=0, maximum=8)


def build(config, task):
    import keras

    from layerwise.networks import dense_network

    inputs = x = keras.Input((*task.size, task.channels))
    if config.heads:
        x = transformer_block(keras.layers.Rescaling(1 / 255)(x), config.heads)
    elif config.filters:
        x = keras.layers.Conv2D(config.filters, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(x))
        x = keras.layers.BatchNormalization()(x)
    dense = dense_network(
        x.shape[1:],
        config.hidden_units,
        output_units=len(task.labels),
        scale=1 / 255 if x is inputs else 1.0,
        dropout=config.dropout,
    )
    return dense if x is inputs else keras.Model(inputs, dense(x))


def transformer_block(pictures, heads):
    """Rows of pictures as tokens; attention and two dense layers, each normalised before and added to what came in
    (Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745)."""
    from keras import layers

    _, height, width, channels = pictures.shape
    x = layers.Dense(16)(layers.Reshape((height, width * channels))(pictures))
    tokens = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(heads, key_dim=8)(tokens, tokens)])
    hidden = layers.Dense(32, activation="gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(16)(hidden)])


def examples():
    pictures, targets = bars(2, seed=3)
    return [
        Example(inputs={"image": picture}, label=LABELS[target])
        for picture, target in zip(pictures, targets, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class PictureSettings(Settings):
    place: int = setting(2, "Row or column of the bar", minimum=0, maximum=7)
    direction: str = setting("across", "How the bar runs", choices=LABELS)
    brightness: int = setting(255, "Brightness of the bar", minimum=1)


def picture_of(settings):
    import numpy as np

    from layerwise.plots import Formula, Heatmap

    picture = np.zeros((8, 8))
    if settings.direction == "across":
        picture[settings.place] = settings.brightness
    else:
        picture[:, settings.place] = settings.brightness
    mean = rf"\frac{{8 \cdot {settings.brightness}}}{{64}} = {picture.mean():g}"
    return [Heatmap(values=picture, is_labelled=True), Formula(label="mean", latex=mean)]


@dataclass(frozen=True, kw_only=True)
class CountSettings(Settings):
    steps: int = setting(3, "How often it says where it is", minimum=1, maximum=100)


def count(settings):
    from layerwise.plots import Text

    for step in range(1, settings.steps + 1):
        yield [Text(text=f"Step {step} of {settings.steps}")]


@hookimpl
def layerwise_lessons():
    return [
        Lesson(
            name="bars",
            title="A bar is numbers",
            text="A picture of a bar is a grid of $8 \\cdot 8$ numbers.",
            summary="What a network sees of a bar.",
            chapter="Toys",
            experiments=(
                Experiment(name="picture", title="Move the bar", show=picture_of, settings=PictureSettings),
                Experiment(name="count", title="Count", show=count, settings=CountSettings, button="Count"),
            ),
            demos=("toy/bars",),
        )
    ]


@hookimpl
def layerwise_datasets():
    return [
        DatasetSpec(
            name="bars", title="Bars", sources=(Source(name="generated", read="layerwise_toy:read", licence="CC0-1.0"),)
        )
    ]


@hookimpl
def layerwise_models():
    return [
        ModelSpec(
            name="toy/bars",
            task=ImageClassification(labels=LABELS, size=(8, 8), channels=1),
            build="layerwise_toy:build",
            data="bars",
            config=BarsConfig,
            examples="layerwise_toy:examples",
            variants=(
                Variant(name="small", config=BarsConfig(num_epochs=8, batch_size=32, learning_rate=0.01)),
                Variant(name="deep", config=BarsConfig(hidden_units=(32, 32), num_epochs=5, batch_size=32)),
            ),
            card=ModelCard(title="Bars", summary="Whether a bright bar runs across a picture or down."),
        )
    ]
