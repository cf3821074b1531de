"""What keeps a dense network from fitting noise, in NumPy and as `layerwise.networks.dense_network` has it in Keras:
dropout, and penalties on the weights (never on the biases).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerwise.activations import SELU_ALPHA, SELU_SCALE
from layerwise.from_scratch.backprop import DenseNetwork


@dataclass(frozen=True, kw_only=True, eq=False)
class Mask:
    """What dropout does to the outputs a of one hidden layer in one training step: factor * a + shift, both
    `[batch, units]`.
    """

    factor: np.ndarray
    shift: np.ndarray


def dropout_masks(network: DenseNetwork, batch_size: int, rate: float, random: np.random.Generator) -> list[Mask]:
    """A mask for each hidden layer of `network`, as `DenseNetwork.forward` takes them; none where `rate` is 0.

    Args:
        rate: The probability with which an output is dropped. Those kept are divided by 1 - rate, so that the mean
            stays (Srivastava et al. 2014, section 10). After SELU it is alpha dropout (Klambauer et al. 2017, 2).
    """
    if not rate:
        return []
    keep = 1 - rate
    masks = []
    for name, bias in zip(network.activations, network.biases[:-1], strict=True):
        kept = random.random((batch_size, len(bias))) >= rate
        if name == "selu":
            # Dropped units take SELU's lowest value; the affine map restores mean 0 and variance 1.
            lowest = -SELU_ALPHA * SELU_SCALE
            scale = (keep * (1 + rate * lowest**2)) ** -0.5
            masks.append(Mask(factor=scale * kept, shift=scale * lowest * (~kept - rate)))
        else:
            masks.append(Mask(factor=kept / keep, shift=np.zeros(kept.shape)))
    return masks


def penalty(network: DenseNetwork, *, l1: float, l2: float) -> float:
    """l1 * sum(|w|) + l2 * sum(w^2) over all weights, which is added to the loss."""
    return float(sum(l1 * np.abs(w).sum() + l2 * np.square(w).sum() for w in network.weights))


def penalty_gradient(network: DenseNetwork, *, l1: float, l2: float) -> np.ndarray:
    """The gradient of `penalty` in the order of `DenseNetwork.parameters`: l1 * sign(w) + 2 * l2 * w, 0 for biases."""
    parts = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        parts += [(l1 * np.sign(weight) + 2 * l2 * weight).ravel(), np.zeros(bias.shape)]
    return np.concatenate(parts)
