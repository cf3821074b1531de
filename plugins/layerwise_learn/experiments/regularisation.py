"""What penalties, dropout and more data do to the fit and to the weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.regularisation import penalty_gradient
from layerwise.plots import Formula, Histogram, Line, LinePlot, Plot, Row, Table
from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.experiments.examples import true_wave, wave
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.training import Recipe, epochs, loss_of
from layerwise_learn.lessons.regularisation import PullSettings, RegularisationSettings

WIDTH, VALIDATION_EXAMPLES, LEARNING_RATE = 64, 64, 0.01
EVERY = 20
"""Epochs between two looks at the validation loss."""
PULL_STEPS = 60
NEARLY_ZERO = 0.01


def pull(settings: PullSettings) -> list[Plot]:
    names = {"L2": {"l1": 0.0, "l2": settings.strength}, "L1": {"l1": settings.strength, "l2": 0.0}}
    lines, formulas = [], []
    for name, strengths in names.items():
        network = DenseNetwork(weights=[np.array([[settings.weight]])], biases=[np.zeros(1)])
        weights = [settings.weight]
        for _ in range(PULL_STEPS):
            slope = penalty_gradient(network, **strengths)
            network = network.with_parameters(network.parameters - settings.learning_rate * slope)
            weights.append(float(network.parameters[0]))
        lines.append(Line(label=name, x=np.arange(PULL_STEPS + 1), y=weights))
        slope = float((weights[0] - weights[1]) / settings.learning_rate)
        gradient = {"L2": r"2 \lambda w", "L1": r"\lambda \operatorname{sign}(w)"}[name]
        formulas.append(
            Formula(
                label=f"first step with {name}",
                latex=rf"w - \eta \cdot {gradient} = {number(weights[0])} - {number(settings.learning_rate)} \cdot "
                rf"{factor(slope)} = {number(weights[1], 4)}",
            )
        )
    return [LinePlot(title="The weight over the steps", lines=lines, x_label="step", y_label="weight w"), *formulas]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A training of the same network in one of the five ways, as far as it has come."""

    network: DenseNetwork
    training: tuple[np.ndarray, np.ndarray]
    validated: list[float]


def comparison(settings: RegularisationSettings) -> Iterator[list[Plot]]:
    few = wave(settings.num_examples, noise=settings.noise, seed=settings.seed)
    many = wave(settings.more * settings.num_examples, noise=settings.noise, seed=settings.seed)
    validation = wave(VALIDATION_EXAMPLES, noise=settings.noise, seed=settings.seed + 1000)
    plain = Recipe(
        loss="squared_error", learning_rate=LEARNING_RATE, num_epochs=settings.num_epochs, seed=settings.seed
    )
    recipes = {
        "nothing": (plain, few),
        f"L2, {settings.l2:g}": (dataclasses.replace(plain, l2=settings.l2), few),
        f"L1, {settings.l1:g}": (dataclasses.replace(plain, l1=settings.l1), few),
        f"dropout, {settings.dropout:g}": (dataclasses.replace(plain, dropout=settings.dropout), few),
        f"{settings.more} times the data": (plain, many),
    }
    start = random_network([1, WIDTH, WIDTH, 1], "tanh", seed=settings.seed)
    done: dict[str, Fit] = {}
    for name, (recipe, training) in recipes.items():
        validated: list[float] = []
        for epoch, network in enumerate(epochs(start, *training, recipe), start=1):
            if epoch % EVERY == 0:
                validated.append(loss_of(network, *validation, "squared_error"))
            if epoch == settings.num_epochs:
                done[name] = Fit(network=network, training=training, validated=validated)
        yield _plots(done)


def _plots(done: dict[str, Fit]) -> list[Plot]:
    x = np.linspace(-1, 1, 161)
    fits = [
        LinePlot(
            title=name,
            lines=[
                Line(label="without noise", x=x, y=true_wave(x), kind="dashed"),
                Line(label="network", x=x, y=fit.network.forward(x[:, np.newaxis])["output"][:, 0]),
                Line(label="examples", x=fit.training[0][:, 0], y=fit.training[1], kind="dots"),
            ],
            x_range=(-1, 1),
            y_range=(-2.2, 2.2),
        )
        for name, fit in done.items()
    ]
    losses = LinePlot(
        title="Validation loss",
        lines=[
            Line(label=name, x=EVERY * np.arange(1, len(fit.validated) + 1), y=fit.validated)
            for name, fit in done.items()
        ],
        x_label="epoch",
        y_label="squared error",
        y_log=True,
    )
    histograms = [
        Histogram.of(_weights(fit.network), bins=31, title=f"Weights: {name}", x_label="weight")
        for name, fit in done.items()
    ]
    return [Row(plots=fits), losses, _table(done), Row(plots=histograms)]


def _table(done: dict[str, Fit]) -> Table:
    rows = []
    for name, fit in done.items():
        weights = _weights(fit.network)
        rows.append(
            [
                name,
                loss_of(fit.network, *fit.training, "squared_error"),
                fit.validated[-1],
                min(fit.validated),
                float(np.sum(weights**2)),
                f"{np.mean(np.abs(weights) < NEARLY_ZERO):.0%}",
            ]
        )
    columns = ["training", "training loss", "validation loss", "smallest on the way", "sum of squared weights"]
    return Table(columns=[*columns, f"weights below {NEARLY_ZERO}"], rows=rows)


def _weights(network: DenseNetwork) -> np.ndarray:
    return np.concatenate([weight.ravel() for weight in network.weights])
