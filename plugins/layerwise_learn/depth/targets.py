"""What the networks of the depth lab learn: functions that are built in levels, each from the one below it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from layerwise.errors import DataError
from layerwise.from_scratch.backprop import DenseNetwork

SAWTOOTH_LEVELS, PARITY_BITS = 4, 8

Examples = tuple[np.ndarray, np.ndarray]
"""Inputs, float32 [examples, inputs], and targets: float32 [examples] of a function, int32 [examples] of classes."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something to learn.

    Args:
        title: A few words.
        about: A sentence: what it is, and what its levels are.
        inputs: The numbers of an example.
        classes: The number of classes; 0 for a function, whose values are numbers.
        sample: `(generator, count) -> Examples`, to be trained on.
        sample_test: The same for the test; None draws from the same distribution.
    """

    title: str
    about: str
    inputs: int
    sample: Callable[[np.random.Generator, int], Examples]
    sample_test: Callable[[np.random.Generator, int], Examples] | None = None
    classes: int = 0

    @property
    def outputs(self) -> int:
        """The units of the last layer."""
        return max(1, self.classes)

    @property
    def error(self) -> str:
        """What `errors` measures, for the axis of a plot."""
        return "share of wrong answers" if self.classes else "error (1: no better than the mean)"

    def errors(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The error of each member of a stack.

        Args:
            outputs: [examples, members, outputs].
            targets: [examples, members].

        Returns:
            [members]: the share of wrong answers, or the root mean squared error divided by the standard deviation of
            the targets, which is 1 for an answer that is always their mean.
        """
        if self.classes:
            return np.mean(np.argmax(outputs, axis=2) != targets, axis=0)
        squares = np.mean((outputs[:, :, 0] - targets) ** 2, axis=0)
        return np.sqrt(squares / np.var(targets, axis=0))


def tent(x: np.ndarray) -> np.ndarray:
    """Up from 0 to 1 at 1/2, and down again."""
    return 1 - np.abs(2 * x - 1)


def sawtooth(x: np.ndarray, levels: int) -> np.ndarray:
    """`levels` tents, each of the result of the one before: 2^(levels - 1) teeth on [0, 1]."""
    for _ in range(levels):
        x = tent(x)
    return x


def exact_sawtooth(levels: int) -> DenseNetwork:
    """A ReLU network that is `sawtooth`, with two units in each of `levels` hidden layers.

    A network with one hidden layer needs a unit for each bend, 2^levels - 1 of them. Source: Telgarsky 2016
    (arXiv:1602.04485), "Benefits of depth in neural networks", section 2.
    """
    # tent(x) = 2 relu(x) - 4 relu(x - 1/2) on [0, 1]; what comes out of one is the input of the next.
    out, bias = np.array([[2.0], [-4.0]]), np.array([0.0, -0.5])
    return DenseNetwork(
        weights=[np.ones((1, 2)), *[np.hstack([out, out])] * (levels - 1), out],
        biases=[*[bias] * levels, np.zeros(1)],
        activations=["relu"] * levels,
    )


def composed(x: np.ndarray) -> np.ndarray:
    """A binary tree of one function of two numbers, how far they are apart: [examples, 8] to four values, two, one.

    Each level has mean 0 and variance 1, as its inputs have.
    """
    while x.shape[1] > 1:
        apart = np.abs(x[:, ::2] - x[:, 1::2])
        x = (apart - apart.mean()) / apart.std()
    return x[:, 0]


def _sawtooth_examples(generator: np.random.Generator, count: int) -> Examples:
    x = generator.uniform(0, 1, (count, 1))
    # Inputs of mean 0 and variance 1, as for every target here.
    return ((x - 0.5) * math.sqrt(12)).astype(np.float32), sawtooth(x[:, 0], SAWTOOTH_LEVELS).astype(np.float32)


def _composed_examples(generator: np.random.Generator, count: int) -> Examples:
    x = generator.normal(size=(count, 8))
    return x.astype(np.float32), composed(x).astype(np.float32)


def _parity_examples(generator: np.random.Generator, count: int) -> Examples:
    bits = generator.integers(0, 2, (count, PARITY_BITS))
    return (2 * bits - 1).astype(np.float32), (bits.sum(axis=1) % 2).astype(np.int32)


def _picture_examples(generator: np.random.Generator, count: int) -> Examples:
    """14 x 14 pixels with noise: in each quarter a stroke along one of two diagonals, at a place of its own."""
    leans = generator.integers(0, 2, (count, 2, 2))
    strokes = np.stack([np.eye(5), np.eye(5)[::-1]])
    pixels = generator.normal(0, 0.5, (count, 14, 14))
    examples = np.arange(count)[:, np.newaxis, np.newaxis]
    for row, column in np.ndindex(2, 2):
        top, left = (7 * start + generator.integers(0, 3, count) for start in (row, column))
        rows = top[:, np.newaxis, np.newaxis] + np.arange(5)[:, np.newaxis]
        columns = left[:, np.newaxis, np.newaxis] + np.arange(5)
        pixels[examples, rows, columns] += 2 * strokes[leans[:, row, column]]
    upper, lower = (leans[:, row, 0] != leans[:, row, 1] for row in (0, 1))
    return pixels.reshape(count, -1).astype(np.float32), (2 * upper + lower).astype(np.int32)


@cache
def _fashion(split: str) -> Examples:
    """Fashion-MNIST at 14 x 14 pixels, all of a split.

    Raises:
        DataError: It is not on this machine.
    """
    from layerwise import data
    from layerwise.registry import Registry

    spec = Registry().snapshot().datasets.get("fashion-mnist")
    if spec is None or data.find_files(spec) is None:
        raise DataError(
            "Fashion-MNIST is not on this machine",
            remedy='take the target "pictures", or have the data downloaded: layerwise train vision/fashion',
        )
    loaded = data.load(spec, offline=True).splits[split]
    pictures = np.asarray(loaded.inputs, dtype=np.float32).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)
    return (pictures - 73) / 85, np.asarray(loaded.targets, dtype=np.int32)


def _fashion_examples(generator: np.random.Generator, count: int, split: str = "train") -> Examples:
    pictures, labels = _fashion(split)
    chosen = generator.permutation(len(labels))[:count]
    return pictures[chosen], labels[chosen]


TARGETS = {
    "sawtooth": Target(
        title=f"Sawtooth, {SAWTOOTH_LEVELS} levels",
        about=f"A tent is folded {SAWTOOTH_LEVELS} times, which gives {2 ** (SAWTOOTH_LEVELS - 1)} teeth "
        "(Telgarsky 2016).",
        inputs=1,
        sample=_sawtooth_examples,
    ),
    "composed": Target(
        title="Composed function, 3 levels",
        about="Eight numbers, compared in pairs: how far apart are the two of a pair? The four answers are compared in "
        "pairs again, and the two answers of those.",
        inputs=8,
        sample=_composed_examples,
    ),
    "parity": Target(
        title=f"Parity of {PARITY_BITS} bits",
        about=f"Is the number of ones among {PARITY_BITS} bits odd? Two bits can be combined to one, again and again.",
        inputs=PARITY_BITS,
        classes=2,
        sample=_parity_examples,
    ),
    "pictures": Target(
        title="Pictures of strokes",
        about="In each quarter of a small picture a stroke leans left or right. The class says whether the two upper "
        "ones differ and whether the two lower ones do: pixels, strokes, pairs, class.",
        inputs=196,
        classes=4,
        sample=_picture_examples,
    ),
    "fashion": Target(
        title="Fashion-MNIST",
        about="Photographs of clothes at 14 x 14 pixels, ten classes.",
        inputs=196,
        classes=10,
        sample=_fashion_examples,
        sample_test=partial(_fashion_examples, split="test"),
    ),
}
"""What can be learned in the lab, by name."""
