"""The two losses of `layerwise.from_scratch.backprop`, in NumPy and float64.

Each takes z of the last layer, the output, the targets and the output's activation, and returns by name "targets" as
`[batch, outputs]`, where it has them "probabilities" `[batch, outputs]`, and "losses" `[batch]`, of which the loss of
the batch is the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerwise.errors import InputError, SpecError


def softmax(z: np.ndarray) -> np.ndarray:
    """exp(z) / sum(exp(z)) over the last axis, without overflow."""
    return np.exp(log_softmax(z))


def log_softmax(z: np.ndarray) -> np.ndarray:
    """The natural logarithm of `softmax(z)`, also where that is too small to be represented."""
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def squared_error(z: np.ndarray, output: np.ndarray, targets: Any, output_activation: str) -> dict[str, np.ndarray]:
    """The mean over outputs of (output - target)^2: the convention of Keras.

    Raises:
        InputError: The targets do not fit the output.
    """
    y = _values(targets, output.shape)
    return {"targets": y, "losses": np.mean((output - y) ** 2, axis=1)}


def cross_entropy(z: np.ndarray, output: np.ndarray, targets: Any, output_activation: str) -> dict[str, np.ndarray]:
    """The negative logarithm of the probability that the network gives to the targets.

    A linear output (logits) or a softmax: -sum over classes of y ln p, p the softmax of z; targets are class numbers
    or distributions. A sigmoid: -sum over outputs of y ln p + (1 - y) ln(1 - p), p the output; targets are in [0, 1].
    (Keras' BinaryCrossentropy has the mean over outputs instead of the sum.)

    Raises:
        SpecError: The output has another activation, or is a single class.
        InputError: The targets do not fit the output.
    """
    if output_activation == "sigmoid":
        y = _values(targets, output.shape)
        if np.any((y < 0) | (y > 1)):
            raise InputError("The targets are no probabilities", expected="numbers from 0 to 1")
        # ln sigmoid(z) = -softplus(-z) does not overflow, and softplus(-z) = softplus(z) - z.
        return {"targets": y, "probabilities": output, "losses": np.sum(np.logaddexp(0, z) - y * z, axis=1)}
    if output_activation not in ("linear", "softmax") or z.shape[1] < 2:
        raise SpecError(
            "Cross-entropy is not defined for this output",
            expected="a linear or softmax output of at least two classes, or a sigmoid one",
            received=f"{output_activation}, {z.shape[1]} units",
        )
    y = _distributions(targets, output.shape)
    return {"targets": y, "probabilities": softmax(z), "losses": -np.sum(y * log_softmax(z), axis=1)}


LOSSES: dict[str, Callable[[np.ndarray, np.ndarray, Any, str], dict[str, np.ndarray]]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}
"""Both losses, by name."""


def _values(targets: Any, shape: tuple[int, ...]) -> np.ndarray:
    y = np.asarray(targets, dtype=np.float64)
    if y.shape == shape[:1] and shape[1] == 1:
        y = y[:, np.newaxis]
    if y.shape != shape:
        raise InputError(
            "The targets do not fit the output", expected=f"shape {shape}", received=f"shape {np.shape(targets)}"
        )
    return y


def _distributions(targets: Any, shape: tuple[int, ...]) -> np.ndarray:
    numbers = np.asarray(targets)
    if numbers.ndim == 1 and np.issubdtype(numbers.dtype, np.integer):
        if len(numbers) != shape[0] or np.any((numbers < 0) | (numbers >= shape[1])):
            raise InputError(
                "The targets do not fit the output",
                expected=f"{shape[0]} class numbers from 0 to {shape[1] - 1}",
                received=f"{len(numbers)} numbers from {numbers.min(initial=0)} to {numbers.max(initial=0)}",
            )
        return np.eye(shape[1])[numbers]
    y = _values(targets, shape)
    if np.any(y < 0) or not np.allclose(y.sum(axis=1), 1):
        raise InputError("The targets are no probabilities", expected="rows of numbers from 0 to 1 with sum 1")
    return y
