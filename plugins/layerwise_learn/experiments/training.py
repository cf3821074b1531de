"""Training of small networks in NumPy, epoch by epoch, for experiments that show it while it goes on.

The experiments keep batch * inputs * units of a layer at 2^18 or less: OpenBLAS then stays in one thread. With more it
spreads each product over all cores, which on a busy machine makes such small steps ten times slower.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.descent import OPTIMIZERS
from layerwise.from_scratch.regularisation import Mask, dropout_masks, penalty_gradient


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Args:
        loss: "cross_entropy" or "squared_error".
        batch_size: None takes all examples for each step.
        optimizer: A name from `layerwise.from_scratch.descent.OPTIMIZERS`.
        l1, l2, dropout: As in `layerwise.from_scratch.regularisation`.
        seed: Of the order in which the examples come, and of dropout.
    """

    loss: str
    learning_rate: float
    num_epochs: int
    batch_size: int | None = None
    optimizer: str = "adam"
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    seed: int = 0


def gradient_of(
    network: DenseNetwork,
    inputs: np.ndarray,
    targets: np.ndarray,
    loss: str,
    *,
    masks: Sequence[Mask] = (),
    l1: float = 0.0,
    l2: float = 0.0,
) -> np.ndarray:
    """The gradient of the loss of a batch with its penalties, in the order of `DenseNetwork.parameters`."""
    forward = network.forward(inputs, masks)
    gradient = network.backward(forward, network.loss(forward, targets, loss)).gradient
    return gradient + penalty_gradient(network, l1=l1, l2=l2) if l1 or l2 else gradient


def epochs(network: DenseNetwork, inputs: np.ndarray, targets: np.ndarray, recipe: Recipe) -> Iterator[DenseNetwork]:
    """The network after each epoch of training on inputs [examples, inputs] and targets [examples]."""
    rule = OPTIMIZERS[recipe.optimizer]
    memory = rule.start(network.parameters)
    random = np.random.default_rng(recipe.seed)
    size = recipe.batch_size or len(inputs)
    for _ in range(recipe.num_epochs):
        order = random.permutation(len(inputs))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            masks = dropout_masks(network, len(rows), recipe.dropout, random)
            gradient = gradient_of(
                network, inputs[rows], targets[rows], recipe.loss, masks=masks, l1=recipe.l1, l2=recipe.l2
            )
            parameters, memory = rule.step(network.parameters, gradient, memory, recipe.learning_rate)
            network = network.with_parameters(parameters)
        yield network


def trained(network: DenseNetwork, inputs: np.ndarray, targets: np.ndarray, recipe: Recipe) -> DenseNetwork:
    """The network after the last epoch."""
    return deque(epochs(network, inputs, targets, recipe), maxlen=1).pop()


def loss_of(network: DenseNetwork, inputs: np.ndarray, targets: np.ndarray, kind: str) -> float:
    """The mean loss over examples."""
    return network.loss(network.forward(inputs), targets, kind).value


def shown_epochs(num_epochs: int, frames: int = 30) -> set[int]:
    """The epochs, from 1, after which the training is shown: about `frames` of them, and the last."""
    return {*range(1, num_epochs + 1, max(1, num_epochs // frames)), num_epochs}
