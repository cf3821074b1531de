"""Networks to experiment with: new ones with random weights, and plain gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from layerwise.activations import ACTIVATIONS, HE, LECUN
from layerwise.from_scratch.backprop import DenseNetwork


def random_network(
    sizes: Sequence[int],
    activation: str | Sequence[str] = "tanh",
    *,
    seed: int,
    output_activation: str = "linear",
    gain: float = 1.0,
    bias: float = 0.0,
) -> DenseNetwork:
    """A network with random weights, of the size that suits its activation (`Activation.initializer`).

    Args:
        sizes: The number of inputs, the width of each hidden layer, the number of outputs.
        activation: Of all hidden layers, or of each.
        gain: What the suited weights are multiplied with.
        bias: The bias of every hidden unit.
    """
    generator = np.random.default_rng(seed)
    activations = [activation] * (len(sizes) - 2) if isinstance(activation, str) else activation
    weights = [
        gain * _weights(generator, shape, name)
        for name, shape in zip([*activations, "linear"], pairwise(sizes), strict=True)
    ]
    return DenseNetwork(
        weights=weights,
        biases=[np.full(width, bias) for width in sizes[1:-1]] + [np.zeros(sizes[-1])],
        activations=activations,
        output_activation=output_activation,
    )


def _weights(generator: np.random.Generator, shape: tuple[int, int], activation: str) -> np.ndarray:
    initializer = ACTIVATIONS[activation].initializer
    if initializer in (HE, LECUN):
        return generator.normal(0, np.sqrt((2 if initializer == HE else 1) / shape[0]), shape)
    limit = np.sqrt(6 / sum(shape))
    return generator.uniform(-limit, limit, shape)


def descend(
    network: DenseNetwork, inputs: np.ndarray, targets: np.ndarray, *, loss: str, learning_rate: float, num_steps: int
) -> tuple[DenseNetwork, list[float]]:
    """Plain gradient descent on all examples: the trained network, and the loss before each step."""
    losses = []
    for _ in range(num_steps):
        step = network.step(inputs, targets, loss=loss, learning_rate=learning_rate)
        network = step.update.network
        losses.append(step.loss.value)
    return network, losses


def small_network(
    sizes: Sequence[int], activation: str, *, seed: int, output_activation: str = "linear"
) -> DenseNetwork:
    """A network whose weights and biases have one digit behind the point, to be computed by hand."""
    generator = np.random.default_rng(seed)
    return DenseNetwork(
        weights=[generator.uniform(-1.5, 1.5, shape).round(1) for shape in pairwise(sizes)],
        biases=[generator.uniform(-0.5, 0.5, width).round(1) for width in sizes[1:]],
        activations=[activation] * (len(sizes) - 2),
        output_activation=output_activation,
    )
