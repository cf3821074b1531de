"""Examples: a split of a data set, a view of some of its rows, and a part held out for validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.errors import DataError


@dataclass(frozen=True)
class Split:
    """Examples with their targets, in memory or wherever their arrays keep them.

    Args:
        inputs: An array [examples, ...], or a dict of them for a model with several inputs.
        targets: An array [examples, ...].

    An array is anything with `len`, `shape`, `dtype` and indexing by an array of integers: `np.ndarray`,
    `np.memmap`, `Rows`, a class of one's own that reads files when it is asked.

    Raises:
        DataError: It is not such an array, or there are not as many inputs as targets.

    Example:
        >>> len(Split(np.zeros([3, 28, 28, 1], "uint8"), np.array([7, 1, 2])))
        3
    """

    inputs: Any
    targets: Any

    def __post_init__(self) -> None:
        parts = self.inputs if isinstance(self.inputs, Mapping) else {"inputs": self.inputs}
        for name, array in {**parts, "targets": self.targets}.items():
            if not (hasattr(array, "__len__") and hasattr(array, "shape") and hasattr(array, "dtype")):
                raise DataError(
                    f"A split's {name} cannot be used", expected="an array", received=f"a {type(array).__name__}"
                )
            if len(array) != len(self.targets):
                raise DataError(
                    "A split must have as many inputs as targets",
                    received=f"{len(array)} {name} and {len(self.targets)} targets",
                )

    def __len__(self) -> int:
        return len(self.targets)

    def select(self, positions: np.ndarray) -> Split:
        """The examples at these positions (integers [selected]), without reading any of them."""
        if isinstance(self.inputs, Mapping):
            inputs: Any = {name: Rows.of(array, positions) for name, array in self.inputs.items()}
        else:
            inputs = Rows.of(self.inputs, positions)
        return Split(inputs, Rows.of(self.targets, positions))


class Rows:
    """Some rows of an array, read from it when they are asked for. `np.asarray` gives them all.

    Args:
        array: Anything that a Split may hold, [rows, ...].
        positions: Which rows, integers [selected].

    Example:
        >>> rows = Rows(np.array([10, 11, 12, 13]), np.array([3, 1]))
        >>> rows[0], np.asarray(rows)
        (np.int64(13), array([13, 11]))
    """

    def __init__(self, array: Any, positions: np.ndarray) -> None:
        self.array, self.positions = array, np.asarray(positions)

    @classmethod
    def of(cls, array: Any, positions: np.ndarray) -> Rows:
        """Those rows; a view of a view is a view of the array below."""
        if isinstance(array, Rows):
            return cls(array.array, array.positions[positions])
        return cls(array, positions)

    @property
    def shape(self) -> tuple[int, ...]:
        """[selected, ...]."""
        return (len(self.positions), *self.array.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """That of the array."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of its dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: Any) -> Any:
        return self.array[self.positions[index]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Rows are read into a new array; they cannot be had without a copy")
        return np.asarray(self.array[self.positions], dtype=dtype)


def hold_out(split: Split, fraction: float, seed: int) -> tuple[Split, Split | None]:
    """Set a part of the examples apart for validation, drawn from the seed alone.

    Class labels (one-dimensional integer targets) keep their shares in both parts, as nearly as whole examples
    allow. Neither part is copied; both keep the examples in their order.

    Args:
        split: The examples.
        fraction: The share to hold out, from 0 to below 1. Unless it is 0, each part gets at least one example.
        seed: Another seed holds out others.

    Returns:
        The rest and the part held out; None in its place for a fraction of 0.

    Raises:
        DataError: The fraction is outside its range, or there are not two examples to divide.
    """
    if not 0 <= fraction < 1:
        raise DataError("The fraction to hold out cannot be used", expected="0 to below 1", received=repr(fraction))
    if fraction == 0:
        return split, None
    count = len(split)
    if count < 2:
        raise DataError("Nothing can be held out", expected="at least two examples", received=str(count))
    wanted = min(max(round(fraction * count), 1), count - 1)
    random = np.random.default_rng(seed)
    chosen = np.zeros(count, bool)
    if len(split.targets.shape) == 1 and np.issubdtype(split.targets.dtype, np.integer):
        chosen[_stratified(np.asarray(split.targets), wanted, random)] = True
    else:
        chosen[random.permutation(count)[:wanted]] = True
    return split.select(np.flatnonzero(~chosen)), split.select(np.flatnonzero(chosen))


def _stratified(labels: np.ndarray, wanted: int, random: np.random.Generator) -> np.ndarray:
    """Positions of `wanted` examples in which each label has its share, within one example."""
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    # Largest remainder: round every share down, then give one more to those that lost most. Equal losses are
    # settled by the seed, or the smallest labels would always win when every label is rare.
    shares = [int(size) * wanted / len(labels) for size in sizes]
    quotas = np.array([math.floor(share) for share in shares])
    lost = np.array(shares) - quotas
    ties = random.permutation(len(sizes))
    quotas[np.lexsort((ties, -lost))[: wanted - quotas.sum()]] += 1
    shuffled = random.permutation(len(labels))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    ranks = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return by_class[ranks < np.repeat(quotas, sizes)]
