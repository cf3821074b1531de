"""Problems with two weights, so that the loss is a surface over a plane, and paths of descent on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.descent import Optimizer
from layerwise.plots import Heatmap, Line, LinePlot, Plot, Row
from layerwise_learn.experiments.drawing import plane

NUM_EXAMPLES = 64
BLOWN_UP = 1e6
"""A path ends where a weight is beyond it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Examples, a model with two weights, and the part of the plane that is looked at.

    Args:
        inputs, targets: [examples].
        network: `(weights) -> DenseNetwork`, given both numbers.
        gradients: The names in `Backward` of the two gradients.
        predict: The same model in one formula: `(weights [points, 2], inputs) -> [points, examples]`.
        start: Where descent begins.
    """

    inputs: np.ndarray
    targets: np.ndarray
    network: Callable[[np.ndarray], DenseNetwork]
    gradients: tuple[str, str]
    predict: Callable[[np.ndarray, np.ndarray], np.ndarray]
    start: tuple[float, float]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    labels: tuple[str, str]

    def losses(self, weights: np.ndarray) -> np.ndarray:
        """The mean squared error at each of [points, 2] weights."""
        return np.mean((self.predict(weights, self.inputs) - self.targets) ** 2, axis=1)

    def gradient(self, weights: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The gradient of the loss of some examples, [2], by backpropagation."""
        network = self.network(weights)
        forward = network.forward(self.inputs[rows, np.newaxis])
        backward = network.backward(forward, network.loss(forward, self.targets[rows], "squared_error"))
        return np.array([backward[name].item() for name in self.gradients])

    def hessian(self) -> np.ndarray:
        """The curvature of the surface of a linear model, [2, 2]: the same everywhere."""
        columns = np.column_stack([self.inputs, np.ones_like(self.inputs)])
        return 2 * columns.T @ columns / len(columns)


def line_problem(seed: int) -> Problem:
    """A straight line through noisy points: the surface is a long valley."""
    generator = np.random.default_rng(seed)
    inputs = generator.uniform(0, 2, NUM_EXAMPLES)
    return Problem(
        inputs=inputs,
        targets=1.5 * inputs - 0.5 + generator.normal(0, 0.5, NUM_EXAMPLES),
        network=lambda weights: DenseNetwork(weights=[weights[:1, np.newaxis]], biases=[weights[1:]]),
        gradients=("dL/dW_1", "dL/db_1"),
        predict=lambda weights, inputs: weights[:, :1] * inputs + weights[:, 1:],
        start=(-1.5, 2.5),
        x_range=(-2.5, 4.5),
        y_range=(-4.0, 3.5),
        labels=("weight w", "bias b"),
    )


def two_layer_problem(seed: int) -> Problem:
    """Two layers of one unit each, y = v tanh(w x): two valleys, and a saddle between them."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(0, 1, NUM_EXAMPLES)
    none = np.zeros(1)
    return Problem(
        inputs=inputs,
        targets=1.5 * np.tanh(1.5 * inputs) + generator.normal(0, 0.3, NUM_EXAMPLES),
        network=lambda weights: DenseNetwork(
            weights=[weights[:1, np.newaxis], weights[1:, np.newaxis]], biases=[none, none], activations=["tanh"]
        ),
        gradients=("dL/dW_1", "dL/dW_2"),
        predict=lambda weights, inputs: weights[:, 1:] * np.tanh(weights[:, :1] * inputs),
        start=(-0.8, 2.4),
        x_range=(-3.5, 3.5),
        y_range=(-3.0, 3.0),
        labels=("first weight w", "second weight v"),
    )


PROBLEMS = {"line": line_problem, "two layers": two_layer_problem}


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """Where a descent came through: `points` [steps + 1, 2], the loss of all examples at each, and the number of
    gradients of single examples that it used."""

    points: np.ndarray
    losses: np.ndarray
    examples: int


def descend(
    problem: Problem,
    optimizer: Optimizer,
    learning_rate: float,
    *,
    num_steps: int,
    batch_size: int = NUM_EXAMPLES,
    seed: int = 0,
) -> Path:
    """Go downhill from the problem's start; the path ends early where the weights grow without end."""
    weights = np.array(problem.start)
    memory = optimizer.start(weights)
    points, examples = [weights], 0
    for rows in batches(len(problem.inputs), batch_size, num_steps, seed):
        gradient = problem.gradient(weights, rows)
        weights, memory = optimizer.step(weights, gradient, memory, learning_rate)
        points.append(weights)
        examples += len(rows)
        if np.abs(weights).max() > BLOWN_UP:
            break
    path = np.array(points)
    return Path(points=path, losses=problem.losses(path), examples=examples)


def batches(num_examples: int, batch_size: int, num_batches: int, seed: int) -> Iterator[np.ndarray]:
    """The rows of one mini-batch after the other: each epoch all examples in a new order."""
    generator = np.random.default_rng(seed)
    waiting = np.array([], dtype=int)
    for _ in range(num_batches):
        if not len(waiting):
            waiting = generator.permutation(num_examples)
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def side_by_side(problem: Problem, paths: Sequence[tuple[str, Path]]) -> list[Plot]:
    """Each path on a surface of its own, and the losses of all over the steps."""
    return [
        Row(plots=[surface(problem, [("", path)], title) for title, path in paths]),
        LinePlot(
            title="Loss",
            lines=[Line(label=title, x=np.arange(len(path.losses)), y=path.losses) for title, path in paths],
            x_label="step",
            y_label="squared error",
            y_log=True,
        ),
    ]


def surface(problem: Problem, paths: Sequence[tuple[str, Path]], title: str = "") -> Heatmap:
    """The logarithm of the loss over the plane, with paths of descent."""
    lines = []
    for color, (label, path) in enumerate(paths):
        x, y = path.points.T
        (left, right), (low, high) = problem.x_range, problem.y_range
        seen = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        lines.append(Line(label=label, x=np.clip(x, left, right), y=np.where(seen, y, np.nan), color=color))
        last = path.points[-1]
        if seen[-1]:
            lines.append(Line(x=last[:1], y=last[1:], kind="dots", color=color))
    return plane(
        lambda weights: np.log10(problem.losses(weights)),
        problem.x_range,
        problem.y_range,
        title=title,
        labels=problem.labels,
        lines=lines,
    )
