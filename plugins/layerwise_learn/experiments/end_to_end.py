"""Hand-made features and a linear model against a network on raw pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from layerwise.comparing.intervals import wilson
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import BarPlot, Line, LinePlot, Picture, Pictures, Plot, Table, Text
from layerwise_learn.experiments.architecture import count_parameters
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.shapes import FEATURES, SHAPES, hand_made, pictures
from layerwise_learn.experiments.training import Recipe, trained
from layerwise_learn.lessons.end_to_end import ComparisonSettings, CurveSettings

TEST_EXAMPLES = 1000
BATCH_SIZE, NUM_STEPS = 16, 3000
SIZES = (50, 100, 200, 400, 800, 1600, 3200)
SHOWN_UNITS = 12


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way from pictures to classes.

    Args:
        features: `(pixels [count, side, side]) -> [count, features]`.
    """

    title: str
    features: Callable[[np.ndarray], np.ndarray]
    hidden: tuple[int, ...]
    learning_rate: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained way, and how many of the test pictures it gets right."""

    network: DenseNetwork
    right: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of its accuracy."""
        return wilson(self.right, TEST_EXAMPLES)


def raw(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1)


def ways(hidden_units: int) -> tuple[Way, ...]:
    return (
        Way(title="hand-made features, linear", features=hand_made, hidden=(), learning_rate=0.01),
        Way(title="pixels, linear", features=raw, hidden=(), learning_rate=0.01),
        Way(title="pixels, network", features=raw, hidden=(hidden_units,), learning_rate=0.003),
    )


def train(way: Way, training: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], seed: int) -> Trained:
    inputs, tested = way.features(training[0]), way.features(test[0])
    # Features of very different size would learn at very different speed.
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    network = random_network([inputs.shape[1], *way.hidden, len(SHAPES)], "relu", seed=seed)
    num_epochs = math.ceil(NUM_STEPS / math.ceil(len(inputs) / BATCH_SIZE))
    recipe = Recipe(
        loss="cross_entropy",
        learning_rate=way.learning_rate,
        num_epochs=num_epochs,
        batch_size=BATCH_SIZE,
        seed=seed,
    )
    network = trained(network, (inputs - mean) / spread, training[1], recipe)
    answers = network.forward((tested - mean) / spread)["output"].argmax(axis=1)
    return Trained(network=network, right=int(np.sum(answers == test[1])))


def comparison(settings: ComparisonSettings) -> Iterator[list[Plot]]:
    training = pictures(settings.num_examples, noise=settings.noise, seed=settings.seed)
    test = pictures(TEST_EXAMPLES, noise=settings.noise, seed=settings.seed + 1000)
    examples = _examples(training[0])
    yield [examples]
    done: dict[str, Trained] = {}
    for way in ways(settings.hidden_units):
        done[way.title] = train(way, training, test, settings.seed)
        yield [examples, *_results(done)]
    yield [examples, *_results(done), _features_found(done["pixels, network"].network), _features_written(training[0])]


def _examples(pixels: np.ndarray) -> Pictures:
    shown = range(2 * len(SHAPES))
    return Pictures(
        title="Some of the training pictures",
        pictures=[Picture(pixels=np.clip(pixels[index], 0, 1), caption=SHAPES[index % len(SHAPES)]) for index in shown],
        width=72,
    )


def _results(done: dict[str, Trained]) -> list[Plot]:
    intervals = np.array([trained.interval for trained in done.values()])
    shares = [trained.right / TEST_EXAMPLES for trained in done.values()]
    return [
        BarPlot(
            title=f"Right on {TEST_EXAMPLES:,} test pictures, with 95 % intervals",
            labels=list(done),
            values=100 * np.array(shares),
            low=100 * intervals[:, 0],
            high=100 * intervals[:, 1],
            unit="%",
        ),
        Table(
            columns=["way", "right", "95 % interval", "parameters"],
            rows=[
                [title, f"{share:.1%}", f"{low:.1%} to {high:.1%}", f"{_parameters(trained.network):,}"]
                for (title, trained), share, (low, high) in zip(done.items(), shares, intervals, strict=True)
            ],
        ),
    ]


def _parameters(network: DenseNetwork) -> int:
    return count_parameters([len(network.weights[0]), *(weight.shape[1] for weight in network.weights)])


def _features_found(network: DenseNetwork) -> Pictures:
    """The weights of the hidden units that the output listens to most."""
    first, last = network.weights
    strongest = np.argsort(-np.linalg.norm(last, axis=1) * np.linalg.norm(first, axis=0))[:SHOWN_UNITS]
    side = math.isqrt(len(first))
    greatest = np.abs(first[:, strongest]).max()
    return Pictures(
        title="Features that the network found: weights of hidden units (bright: for, dark: against)",
        pictures=[
            Picture(pixels=0.5 + first[:, unit].reshape(side, side) / (2 * greatest), caption=f"unit {unit + 1}")
            for unit in strongest
        ],
        width=72,
    )


def _features_written(pixels: np.ndarray) -> Table:
    """The mean of each hand-made feature for each shape."""
    measured = hand_made(pixels)
    means = [measured[kind :: len(SHAPES)].mean(axis=0) for kind in range(len(SHAPES))]
    return Table(
        title="Features made by hand: means by shape",
        columns=["feature", *SHAPES],
        rows=[[name, *(float(mean[position]) for mean in means)] for position, name in enumerate(FEATURES)],
    )


def curve(settings: CurveSettings) -> Iterator[list[Plot]]:
    training = pictures(SIZES[-1], noise=settings.noise, seed=settings.seed)
    test = pictures(TEST_EXAMPLES, noise=settings.noise, seed=settings.seed + 1000)
    compared = ways(64)
    done: dict[str, list[Trained]] = {way.title: [] for way in compared}
    for size in SIZES:
        for way in compared:
            done[way.title].append(train(way, (training[0][:size], training[1][:size]), test, settings.seed))
        yield _curve_plots(done)


def _curve_plots(done: dict[str, list[Trained]]) -> list[Plot]:
    lines = []
    for title, models in done.items():
        intervals = 100 * np.array([model.interval for model in models])
        lines.append(
            Line(
                label=title,
                x=SIZES[: len(models)],
                y=[100 * model.right / TEST_EXAMPLES for model in models],
                low=intervals[:, 0],
                high=intervals[:, 1],
            )
        )
    trained = len(lines) * len(lines[0].x)
    return [
        LinePlot(
            title="Right on the test pictures, with 95 % intervals",
            lines=lines,
            x_label="training examples",
            y_label="% right",
            x_range=(SIZES[0], SIZES[-1]),
            y_range=(20, 100),
            x_log=True,
        ),
        Text(text=f"{trained} of {len(lines) * len(SIZES)} models are trained, one for each point."),
    ]
