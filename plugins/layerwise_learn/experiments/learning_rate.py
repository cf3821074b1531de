"""What the learning rate does: to one weight, to two, and to a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from layerwise.from_scratch.descent import SGD
from layerwise.plots import Formula, Line, LinePlot, Plot, Row, Text
from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.surface import descend, line_problem, side_by_side
from layerwise_learn.lessons.learning_rate import FourSettings, ParabolaSettings, SweepSettings

START = 1.0
RATES = np.logspace(-3, 1, 15)
STARTS = 3
FOUR = {"too small": 0.02, "good": 0.5, "oscillating": 0.98, "diverging": 1.03}
"""Kinds of learning rates as shares of the largest that converges."""


def parabola(settings: ParabolaSettings) -> list[Plot]:
    shrinks = 1 - settings.learning_rate * settings.curvature
    weights = START * shrinks ** np.arange(settings.num_steps + 1)

    def loss(w: np.ndarray) -> np.ndarray:
        return settings.curvature / 2 * w**2

    around = np.linspace(-2, 2, 121)
    steps = np.arange(len(weights))
    seen = np.abs(weights) <= 2
    return [
        Row(
            plots=[
                LinePlot(
                    title="The steps on the parabola",
                    lines=[
                        Line(label="loss", x=around, y=loss(around)),
                        Line(label="steps", x=weights[seen], y=loss(weights[seen]), color=1),
                        Line(x=weights[seen], y=loss(weights[seen]), kind="dots", color=1),
                    ],
                    x_label="weight w",
                    y_label="loss",
                    x_range=(-2, 2),
                ),
                LinePlot(
                    title="Distance from the minimum",
                    # A factor of exactly 0 reaches the minimum, which has no place on a logarithmic axis.
                    lines=[Line(label="|w|", x=steps, y=np.where(weights == 0, np.nan, np.abs(weights)))],
                    x_label="step",
                    y_label="|w|",
                    y_log=True,
                ),
            ]
        ),
        Formula(
            label="factor of each step",
            latex=rf"1 - \eta \lambda = 1 - {number(settings.learning_rate)} \cdot {number(settings.curvature)} = "
            f"{number(shrinks)}",
        ),
        Formula(
            label=f"after {settings.num_steps} steps",
            latex=rf"w = {factor(shrinks)}^{{{settings.num_steps}}} = {number(weights[-1])}",
        ),
        Text(text=_verdict(shrinks)),
    ]


def _verdict(shrinks: float) -> str:
    """In words, what repeated multiplication by this factor does."""
    if abs(shrinks) > 1:
        return "The factor is below -1: the training **diverges**."
    if shrinks == -1:
        return "The factor is -1: the weight jumps from side to side **for ever**."
    if shrinks < 0:
        return "The factor is negative: the weight **oscillates**, and comes closer."
    if shrinks > 0.9:
        return "The factor is just below 1: **too small**, it takes many steps."
    return "The weight comes closer quickly: a **good** learning rate."


def four(settings: FourSettings) -> list[Plot]:
    problem = line_problem(settings.seed)
    curvatures = np.linalg.eigvalsh(problem.hessian())
    limit = 2 / curvatures[-1]
    paths = [
        (f"{name}: {share * limit:.3g}", descend(problem, SGD(), share * limit, num_steps=settings.num_steps))
        for name, share in FOUR.items()
    ]
    return [
        Formula(
            label="the limit",
            latex=r"\frac{2}{\lambda_\text{max}} = " + rf"\frac{{2}}{{{number(curvatures[-1])}}} = {number(limit)}",
        ),
        Formula(
            label="steepest against flattest direction",
            latex=r"\frac{\lambda_\text{max}}{\lambda_\text{min}} = " + number(curvatures[-1] / curvatures[0]),
        ),
        *side_by_side(problem, paths),
    ]


def sweep(settings: SweepSettings) -> Iterator[list[Plot]]:
    inputs = np.random.default_rng(settings.seed).uniform(-2, 2, (96, 2))
    targets = np.sin(2 * inputs[:, 0]) * inputs[:, 1]
    found = np.full((len(RATES), STARTS), np.nan)
    for position, rate in enumerate(RATES):
        for start in range(STARTS):
            found[position, start] = loss_after(inputs, targets, float(rate), settings, 100 * start + settings.seed)
        yield _sweep_plots(found, float(np.mean((targets - targets.mean()) ** 2)))


def loss_after(
    inputs: np.ndarray, targets: np.ndarray, learning_rate: float, settings: SweepSettings, seed: int
) -> float:
    """The loss after training, infinity when it has diverged."""
    network = random_network([2, settings.width, settings.width, 1], "tanh", seed=seed)
    loss = np.inf
    for _ in range(settings.num_steps):
        step = network.step(inputs, targets, loss="squared_error", learning_rate=learning_rate)
        if not step.loss.value < 1e6:
            return np.inf
        network, loss = step.update.network, step.loss.value
    return loss


def _sweep_plots(found: np.ndarray, spread: float) -> list[Plot]:
    done = np.all(~np.isnan(found), axis=1)
    ended = np.all(np.isfinite(found), axis=1)
    # The mean of logarithms: one start that is much worse would hide the others.
    logarithms = np.log(np.where(ended[:, np.newaxis], found, np.nan))
    middle, low, high = (np.exp(what(logarithms, axis=1)) for what in (np.mean, np.min, np.max))
    told = f"{int(np.sum(done))} of {len(RATES)} rates are done."
    if np.any(ended):
        best = int(np.nanargmin(middle))
        told += f" The best so far is {RATES[best]:.3g}, with a loss of {middle[best]:.3g}."
    diverged = RATES[done & ~ended]
    if len(diverged):
        told += f" {len(diverged)} of them diverged, the smallest of these at {diverged[0]:.3g}."
    return [
        LinePlot(
            title="Loss after training, by learning rate",
            lines=[
                Line(label="mean and range of three starts", x=RATES, y=middle, low=low, high=high),
                Line(label="predicting the mean", x=RATES[[0, -1]], y=[spread, spread], kind="dashed"),
            ],
            x_label="learning rate",
            y_label="squared error",
            x_log=True,
            y_log=True,
        ),
        Text(text=told),
    ]
