"""Networks to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.microscope.problem import Problem


def _network(weights: Sequence[Any], biases: Sequence[Any], activations: Sequence[str]) -> DenseNetwork:
    return DenseNetwork(
        weights=[np.array(part) for part in weights],
        biases=[np.array(part) for part in biases],
        activations=activations,
    )


def by_hand() -> Problem:
    """Two inputs, two hidden ReLU units, one output: small enough for pencil and paper."""
    network = _network(
        weights=[[[0.1, 0.3], [0.2, -0.4]], [[0.5], [-1.0]]], biases=[[0.1, 0.2], [0.2]], activations=("relu",)
    )
    return Problem(network=network, inputs=[[1.0, 2.0]], targets=[[1.0]], loss="squared_error", learning_rate=0.1)


def exclusive_or() -> Problem:
    """Four examples at once: the gradients of weights are sums over them."""
    network = random_network([2, 3, 1], "tanh", seed=3, output_activation="sigmoid")
    inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    return Problem(network=network, inputs=inputs, targets=[0, 1, 1, 0], loss="cross_entropy", learning_rate=1.0)


def three_classes() -> Problem:
    """Softmax and cross-entropy."""
    network = random_network([2, 3, 3], "silu", seed=1, output_activation="softmax")
    return Problem(network=network, inputs=[[1.0, -0.5]], targets=[2], loss="cross_entropy", learning_rate=0.5)


def vanishing() -> Problem:
    """Five sigmoid units in a row: each slope is at most 1/4, so little of the gradient reaches the first weight."""
    network = _network(weights=[[[1.0]]] * 5, biases=[[0.0]] * 5, activations=("sigmoid",) * 4)
    return Problem(network=network, inputs=[[1.0]], targets=[[0.0]], loss="squared_error", learning_rate=0.5)


def dead_unit() -> Problem:
    """A ReLU unit whose weighted sum is negative: its weights get no gradient."""
    network = _network(
        weights=[[[1.0, 0.5], [0.5, -0.5]], [[1.0], [1.0]]], biases=[[0.0, -1.0], [0.0]], activations=("relu",)
    )
    return Problem(network=network, inputs=[[1.0, 1.0]], targets=[[0.5]], loss="squared_error", learning_rate=0.1)


PRESETS = {
    "by-hand": ("2-2-1 with ReLU, one example, by hand", by_hand),
    "exclusive-or": ("2-3-1, exclusive or, four examples", exclusive_or),
    "three-classes": ("2-3-3, softmax and cross-entropy", three_classes),
    "vanishing": ("1-1-1-1-1-1, sigmoids: the gradient vanishes", vanishing),
    "dead-unit": ("2-2-1, a ReLU unit that is silent", dead_unit),
}
"""By name: a title, and what makes the problem."""
