"""What data, computation and depth do for a network that tells two spirals apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from layerwise.comparing.intervals import wilson
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import Line, LinePlot, Plot, Row, Table
from layerwise_learn.experiments.architecture import count_parameters
from layerwise_learn.experiments.drawing import dots, plane
from layerwise_learn.experiments.examples import spirals
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.training import Recipe, epochs, loss_of, shown_epochs
from layerwise_learn.lessons.deep_learning import IngredientSettings

WIDTH, BATCH_SIZE, LEARNING_RATE = 16, 16, 0.02
NOISE, TEST_EXAMPLES = 0.05, 1000
AROUND = (-1.2, 1.2)


def ingredients(settings: IngredientSettings) -> Iterator[list[Plot]]:
    inputs, classes = spirals(settings.num_examples, noise=NOISE, seed=settings.seed)
    fresh = spirals(TEST_EXAMPLES, noise=NOISE, seed=settings.seed + 1000)
    sizes = [2, *[WIDTH] * settings.hidden_layers, 1]
    untrained = random_network(sizes, "tanh", seed=settings.seed, output_activation="sigmoid")
    curves = {"examples": [], "fresh points": []}
    shown = shown_epochs(settings.num_epochs)
    recipe = Recipe(
        loss="cross_entropy",
        learning_rate=LEARNING_RATE,
        num_epochs=settings.num_epochs,
        batch_size=BATCH_SIZE,
        seed=settings.seed,
    )
    for epoch, network in enumerate(epochs(untrained, inputs, classes, recipe), start=1):
        curves["examples"].append(loss_of(network, inputs, classes, "cross_entropy"))
        curves["fresh points"].append(loss_of(network, *fresh, "cross_entropy"))
        if epoch in shown:
            yield [
                _result(network, fresh, sizes, epoch * settings.num_examples),
                Row(plots=[_map(network, inputs, classes), _curves(curves)]),
            ]


def _result(network: DenseNetwork, fresh: tuple[np.ndarray, np.ndarray], sizes: list[int], seen: int) -> Table:
    inputs, classes = fresh
    right = int(np.sum((network.forward(inputs)["output"][:, 0] > 0.5) == classes))
    low, high = wilson(right, len(classes))
    return Table(
        columns=["", ""],
        rows=[
            ["right on fresh points", f"{right / len(classes):.1%} (95 % interval {low:.1%} to {high:.1%})"],
            ["parameters", f"{count_parameters(sizes):,}"],
            ["examples seen, repetitions counted", f"{seen:,}"],
        ],
    )


def _map(network: DenseNetwork, inputs: np.ndarray, classes: np.ndarray):
    return plane(
        lambda points: network.forward(points)["output"][:, 0],
        AROUND,
        AROUND,
        title="Output over the plane, and the examples",
        center=0.5,
        limits=(0, 1),
        lines=[dots(inputs, classes)],
    )


def _curves(curves: dict[str, list[float]]) -> LinePlot:
    return LinePlot(
        title="Loss",
        lines=[Line(label=name, x=np.arange(1, len(losses) + 1), y=losses) for name, losses in curves.items()],
        x_label="epoch",
        y_label="cross-entropy",
        y_log=True,
    )
