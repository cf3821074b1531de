"""Steps of an epoch, and a large network on a few noisy points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import Formula, Line, LinePlot, Plot, Row, Text
from layerwise_learn.experiments.examples import true_wave, wave
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.training import Recipe, epochs, loss_of, shown_epochs
from layerwise_learn.lessons.epochs_and_overfitting import OverfitSettings, StepsSettings

VALIDATION_EXAMPLES = 64
LEARNING_RATE = 0.01


def steps(settings: StepsSettings) -> list[Plot]:
    per_epoch = math.ceil(settings.num_examples / settings.batch_size)
    last = settings.num_examples - (per_epoch - 1) * settings.batch_size
    return [
        Formula(
            label="steps of an epoch",
            latex=rf"\left\lceil \frac{{{settings.num_examples}}}{{{settings.batch_size}}} \right\rceil = {per_epoch}",
        ),
        Formula(
            label="steps of the training",
            latex=rf"{settings.num_epochs} \cdot {per_epoch} = {settings.num_epochs * per_epoch}",
        ),
        Text(
            text=f"The last batch of an epoch holds {last:,} of the {settings.batch_size:,} examples of a full one. "
            f"Each example is seen {settings.num_epochs:,} times."
        ),
    ]


def overfit(settings: OverfitSettings) -> Iterator[list[Plot]]:
    training = wave(settings.num_examples, noise=settings.noise, seed=settings.seed)
    validation = wave(VALIDATION_EXAMPLES, noise=settings.noise, seed=settings.seed + 1000)
    untrained = random_network([1, settings.width, settings.width, 1], "tanh", seed=settings.seed)
    recipe = Recipe(loss="squared_error", learning_rate=LEARNING_RATE, num_epochs=settings.num_epochs)
    losses: list[tuple[float, float]] = []
    best, smallest = untrained, math.inf
    shown = shown_epochs(settings.num_epochs)
    for epoch, network in enumerate(epochs(untrained, *training, recipe), start=1):
        validated = loss_of(network, *validation, "squared_error")
        losses.append((loss_of(network, *training, "squared_error"), validated))
        if validated < smallest:
            best, smallest = network, validated
        if epoch in shown:
            yield _overfit_plots(settings, training, network, best, losses)


def early_stop(losses: Sequence[float], patience: int) -> int | None:
    """The epoch, from 1, at whose end early stopping would end the training; None when it would go on.

    Example:
        >>> early_stop([3.0, 2.0, 2.5, 2.4, 1.0], patience=2)
        4
    """
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == patience:
            return epoch
    return None


def _overfit_plots(
    settings: OverfitSettings,
    training: tuple[np.ndarray, np.ndarray],
    network: DenseNetwork,
    best: DenseNetwork,
    losses: list[tuple[float, float]],
) -> list[Plot]:
    on_training, on_validation = np.array(losses).T
    best_epoch, stop = int(np.argmin(on_validation)) + 1, early_stop(on_validation, settings.patience)
    x = np.linspace(-1, 1, 201)
    fits = [
        Line(label="without noise", x=x, y=true_wave(x), kind="dashed"),
        Line(label="network now", x=x, y=network.forward(x[:, np.newaxis])["output"][:, 0]),
        Line(label="at its best epoch", x=x, y=best.forward(x[:, np.newaxis])["output"][:, 0]),
        Line(label="training examples", x=training[0][:, 0], y=training[1], kind="dots"),
    ]
    marks = [(float(best_epoch), "best")]
    told = f"Epoch {len(losses):,}: training loss {on_training[-1]:.3g}, validation loss {on_validation[-1]:.3g}. "
    told += f"The validation loss was smallest in epoch {best_epoch:,}, at {on_validation[best_epoch - 1]:.3g}. "
    if stop is not None:
        marks.append((float(stop), "early stop"))
        told += f"Early stopping with a patience of {settings.patience:,} would have ended it in epoch {stop:,}."
    every = np.arange(1, len(losses) + 1)
    return [
        Row(
            plots=[
                LinePlot(title="The fit", lines=fits, x_label="input", y_label="output", y_range=(-2.2, 2.2)),
                LinePlot(
                    title="Loss over the epochs",
                    lines=[
                        Line(label="training", x=every, y=on_training),
                        Line(label="validation", x=every, y=on_validation),
                    ],
                    x_label="epoch",
                    y_label="squared error",
                    y_log=True,
                    marks=marks,
                ),
            ]
        ),
        Text(text=told),
    ]
