"""Gradient descent with two weights: its path, the noise of mini-batches, and other rules."""

from __future__ import annotations

import numpy as np

from layerwise.from_scratch.descent import OPTIMIZERS
from layerwise.plots import Line, LinePlot, Plot, Row, Text
from layerwise_learn.experiments.surface import NUM_EXAMPLES, PROBLEMS, descend, line_problem, side_by_side, surface
from layerwise_learn.lessons.gradient_descent import NoiseSettings, RaceSettings, SurfaceSettings

DRAWS = 200
"""How many mini-batches are drawn to measure the noise of a batch size."""


def descent(settings: SurfaceSettings) -> list[Plot]:
    problem = PROBLEMS[settings.problem](settings.seed)
    path = descend(
        problem,
        OPTIMIZERS[settings.optimizer],
        settings.learning_rate,
        num_steps=settings.num_steps,
        batch_size=settings.batch_size,
        seed=settings.seed,
    )
    return [
        Row(
            plots=[
                surface(problem, [("path", path)], "Loss over both weights, and the path"),
                LinePlot(
                    title="Loss of all examples",
                    lines=[Line(x=np.arange(len(path.losses)), y=path.losses)],
                    x_label="step",
                    y_label="squared error",
                    y_log=True,
                ),
            ]
        ),
        Text(
            text=f"The loss went from {path.losses[0]:.4g} to {path.losses[-1]:.4g} in {len(path.losses) - 1} steps. "
            f"They used {path.examples:,} gradients of single examples: {path.examples / NUM_EXAMPLES:.3g} passes "
            f"over the {NUM_EXAMPLES} examples (**epochs**)."
        ),
    ]


def noise(settings: NoiseSettings) -> list[Plot]:
    problem = line_problem(settings.seed)
    place = np.array(problem.start)
    # The gradient of a batch is the mean of those of its examples.
    single = np.array([problem.gradient(place, np.array([row])) for row in range(NUM_EXAMPLES)])
    exact = single.mean(axis=0)
    generator = np.random.default_rng(settings.seed)

    def drawn(batch_size: int) -> np.ndarray:
        return single[generator.integers(0, NUM_EXAMPLES, (DRAWS, batch_size))].mean(axis=1)

    shown = drawn(settings.batch_size)
    sizes = np.array([1, 2, 4, 8, 16, 32, 64])
    measured = np.array([spread(drawn(int(size)), exact) for size in sizes])
    return [
        Row(
            plots=[
                LinePlot(
                    title=f"{DRAWS} gradients of mini-batches of {settings.batch_size}",
                    lines=[
                        Line(label="mini-batches", x=shown[:, 0], y=shown[:, 1], kind="dots"),
                        Line(label="all examples", x=exact[:1], y=exact[1:], kind="dots"),
                    ],
                    x_label="gradient of w",
                    y_label="gradient of b",
                    x_range=(float(single[:, 0].min()), float(single[:, 0].max())),
                    y_range=(float(single[:, 1].min()), float(single[:, 1].max())),
                ),
                LinePlot(
                    title="Distance from the gradient of all examples",
                    lines=[
                        Line(label="measured", x=sizes, y=measured, kind="dots"),
                        Line(label="σ / √B", x=sizes, y=spread(single, exact) / np.sqrt(sizes), kind="dashed"),
                        Line(
                            label="this batch size",
                            x=[settings.batch_size],
                            y=[spread(shown, exact)],
                            kind="dots",
                        ),
                    ],
                    x_label="batch size B",
                    y_label="root mean square",
                    x_log=True,
                    y_log=True,
                ),
            ]
        )
    ]


def spread(gradients: np.ndarray, exact: np.ndarray) -> float:
    """The root mean square of the distance between gradients [count, 2] and the exact one."""
    return float(np.sqrt(np.mean(np.sum((gradients - exact) ** 2, axis=1))))


def race(settings: RaceSettings) -> list[Plot]:
    problem = PROBLEMS[settings.problem](settings.seed)
    runners = {
        "SGD": ("sgd", settings.rate_sgd),
        "momentum": ("momentum", settings.rate_momentum),
        "RMSprop": ("rmsprop", settings.rate_rmsprop),
        "Adam": ("adam", settings.rate_adam),
    }
    paths = [
        (title, descend(problem, OPTIMIZERS[name], rate, num_steps=settings.num_steps))
        for title, (name, rate) in runners.items()
    ]
    return side_by_side(problem, paths)
