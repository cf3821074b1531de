"""Training of small networks in NumPy, epoch by epoch, for experiments that show it while it goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from layerwise.backprop import DenseNetwork
from layerwise.descent import OPTIMIZERS


def epochs(
    network: DenseNetwork,
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    loss: str,
    learning_rate: float,
    num_epochs: int,
    batch_size: int | None = None,
    optimizer: str = "adam",
    seed: int = 0,
) -> Iterator[DenseNetwork]:
    """The network after each epoch.

    Args:
        inputs: [examples, inputs].
        targets: As `DenseNetwork.loss` takes them.
        batch_size: None takes all examples for each step.
        seed: Of the order in which the examples come.
    """
    rule = OPTIMIZERS[optimizer]
    memories = [rule.start(array) for array in (*network.weights, *network.biases)]
    generator = np.random.default_rng(seed)
    size = batch_size or len(inputs)
    for _ in range(num_epochs):
        order = generator.permutation(len(inputs))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            forward = network.forward(inputs[rows])
            backward = network.backward(forward, network.loss(forward, targets[rows], loss))
            layers = range(1, network.depth + 1)
            gradients = [backward[f"dL/d{letter}_{layer}"] for letter in "Wb" for layer in layers]
            stepped = [
                rule.step(array, gradient, memory, learning_rate)
                for array, gradient, memory in zip(
                    (*network.weights, *network.biases), gradients, memories, strict=True
                )
            ]
            arrays, memories = [array for array, _ in stepped], [memory for _, memory in stepped]
            network = dataclasses.replace(network, weights=arrays[: network.depth], biases=arrays[network.depth :])
        yield network


def loss_of(network: DenseNetwork, inputs: np.ndarray, targets: np.ndarray, kind: str) -> float:
    """The mean loss over examples."""
    return network.loss(network.forward(inputs), targets, kind).value


def shown_epochs(num_epochs: int, frames: int = 30) -> set[int]:
    """The epochs, from 1, after which the training is shown: about `frames` of them, and the last."""
    return {*range(1, num_epochs + 1, max(1, num_epochs // frames)), num_epochs}
