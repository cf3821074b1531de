"""What the questions show, computed when a question is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise.plots import (
    Heatmap,
    Histogram,
    Line,
    LinePlot,
    NetworkDiagram,
    Picture,
    Pictures,
    Plot,
    Row,
)


def network_to_count() -> Sequence[Plot]:
    """A dense network of 3, 4 and 2 units."""
    return [NetworkDiagram(layers=[[""] * units for units in (3, 4, 2)])]


def elu_curve() -> Sequence[Plot]:
    """ELU from -4 to 3."""
    x = np.linspace(-4, 3, 141)
    return [LinePlot(lines=[Line(x=x, y=ACTIVATIONS["elu"].function(x))], x_label="x", y_label="f(x)")]


def sigmoid_slope() -> Sequence[Plot]:
    """The derivative of the sigmoid from -6 to 6."""
    x = np.linspace(-6, 6, 121)
    return [
        LinePlot(
            lines=[Line(x=x, y=ACTIVATIONS["sigmoid"].derivative(x))], x_label="x", y_label="f'(x)", x_range=(-6, 6)
        )
    ]


def two_batch_sizes() -> Sequence[Plot]:
    """The loss of a linear regression by gradient descent with all examples (A) and with one (B) per step."""
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(64, 4))
    targets = inputs @ np.array([1.0, -1.0, 0.5, 2.0]) + rng.normal(size=64)
    curves = []
    for batch_size in (64, 1):
        weights, losses = np.zeros(4), []
        for _ in range(120):
            losses.append(np.mean((inputs @ weights - targets) ** 2))
            rows = rng.choice(64, batch_size, replace=False)
            errors = inputs[rows] @ weights - targets[rows]
            weights -= 0.06 * 2 * inputs[rows].T @ errors / batch_size
        curves.append(losses)
    return [
        LinePlot(
            lines=[Line(label=label, x=np.arange(120), y=curve) for label, curve in zip("AB", curves, strict=True)],
            x_label="step",
            y_label="loss over all examples",
            x_range=(0, 120),
        )
    ]


def swinging_path() -> Sequence[Plot]:
    """Gradient descent on a valley that is twenty times as steep across as along."""
    x, y = np.meshgrid(np.linspace(-3.2, 3.2, 81), np.linspace(-1.6, 1.6, 41))
    point, path = np.array([-3.0, 1.2]), []
    for _ in range(16):
        path.append(point)
        point = point - 0.093 * np.array([1.0, 20.0]) * point
    return [
        Heatmap(
            values=np.log(x**2 + 20 * y**2 + 0.5),
            x_range=(-3.2, 3.2),
            y_range=(-1.6, 1.6),
            x_label="one weight",
            y_label="another weight",
            lines=[Line(x=np.array(path)[:, 0], y=np.array(path)[:, 1])],
        )
    ]


def three_learning_rates() -> Sequence[Plot]:
    """A weight on its way to the minimum of a parabola: A diverges, B creeps, C is good."""
    steps = np.arange(16)
    # The distance to the minimum is multiplied by 1 - learning rate * curvature in each step.
    factors = {"A": -1.06, "B": 0.96, "C": 0.6}
    return [
        LinePlot(
            lines=[Line(label=label, x=steps, y=factor**steps) for label, factor in factors.items()],
            x_label="step",
            y_label="weight, with the minimum at 0",
        )
    ]


def overfitting_curves() -> Sequence[Plot]:
    """A training loss that falls, and a validation loss that is lowest at epoch 8."""
    epochs = np.arange(1, 21)
    wobble = 0.006 * np.random.default_rng(1).normal(size=20)
    training = 0.15 + 0.85 * np.exp(-epochs / 5)
    validation = 0.42 + 0.75 * np.exp(-epochs / 3) + 0.0011 * (epochs - 1) ** 2 + wobble * (epochs != 8)
    return [
        LinePlot(
            lines=[
                Line(label="training", x=epochs, y=training),
                Line(label="validation", x=epochs, y=validation),
            ],
            x_label="epoch",
            y_label="loss",
        )
    ]


def penalised_weights() -> Sequence[Plot]:
    """The same weights after an L1 penalty (A), which moves each towards 0 by as much, and after L2 (B), which shrinks
    each by as large a share."""
    weights = np.random.default_rng(0).normal(scale=0.5, size=2000)
    sparse = np.sign(weights) * np.maximum(np.abs(weights) - 0.4, 0)
    return [
        Row(
            plots=[
                Histogram.of(values, bins=41, title=title, x_label="weight")
                for title, values in (("A", sparse), ("B", weights / 2))
            ]
        )
    ]


def filtered_square() -> Sequence[Plot]:
    """A bright square, and the difference between right and left neighbour at each of its pixels."""
    square = np.zeros((12, 12))
    square[3:9, 3:9] = 1
    differences = np.zeros_like(square)
    differences[:, 1:-1] = square[:, 2:] - square[:, :-2]
    return [
        Pictures(
            pictures=[
                Picture(pixels=square, caption="before"),
                Picture(pixels=np.full_like(square, 0.5), heat=differences, caption="after"),
            ],
            width=160,
        )
    ]


def tents() -> Sequence[Plot]:
    """A tent of a tent of a tent."""
    x = np.linspace(0, 1, 257)
    y = x
    for _ in range(3):
        y = 2 * np.maximum(y, 0) - 4 * np.maximum(y - 0.5, 0)
    return [LinePlot(lines=[Line(x=x, y=y)], x_label="x", y_label="f(x)")]


def rising_tone() -> Sequence[Plot]:
    """The spectrogram of two seconds in which a tone rises from 500 to 3000 hertz."""
    rate = 8000
    time = np.arange(2 * rate) / rate
    wave = np.sin(2 * np.pi * (500 * time + 625 * time**2)) + 0.05 * np.random.default_rng(0).normal(size=len(time))
    frames = np.lib.stride_tricks.sliding_window_view(wave, 256)[::64] * np.hanning(256)
    strength = np.abs(np.fft.rfft(frames, axis=1)).T
    return [
        Heatmap(
            values=np.log(strength + 0.5),
            x_range=(0, 2),
            y_range=(0, rate / 2),
            x_label="seconds",
            y_label="hertz",
        )
    ]
