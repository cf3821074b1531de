"""Batches: examples as one array [examples, ...], or a dict of them for a network with several inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Batch = Any
"""An array [examples, ...], or a dict of them for a network with several inputs."""


def arrays_of(batch: Batch) -> dict[str, np.ndarray]:
    """The arrays of a batch by name; that of an array is empty."""
    return dict(batch) if isinstance(batch, Mapping) else {"": batch}


def count_of(batch: Batch) -> int:
    """How many examples there are."""
    return len(next(iter(arrays_of(batch).values())))


def shape_of(batch: Batch) -> tuple[Any, ...]:
    """What two batches must have in common to be joined: the names, shapes and types of their examples."""
    return tuple((name, array.shape[1:], str(array.dtype)) for name, array in arrays_of(batch).items())


def joined(batches: Sequence[Batch]) -> Batch:
    """The examples of several batches as one batch."""
    import numpy as np

    if isinstance(batches[0], Mapping):
        return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    return np.concatenate(batches)


def padded(array: np.ndarray, size: int | None = None) -> np.ndarray:
    """Examples [examples, ...], the last one repeated until there are `size` of them; without one until their number is
    a power of two, so that few different ones are ever compiled."""
    import numpy as np

    size = size or power_of_two(len(array))
    if len(array) == size:
        return array
    # Repeating a real example rather than zeros: what a network does with zeros may be slow or not a number.
    return np.concatenate([array, np.repeat(array[-1:], size - len(array), axis=0)])


def power_of_two(count: int) -> int:
    """The smallest power of two that is not less.

    Example:
        >>> [power_of_two(count) for count in (0, 1, 2, 3, 64, 65)]
        [1, 1, 2, 4, 64, 128]
    """
    return 1 << max(0, count - 1).bit_length()


def of_any_number(forward: Callable[[Batch], Any], batch: Batch) -> Any:
    """What a compiled forward pass gives for any number of examples, which it is given `padded`."""
    count = count_of(batch)
    return map_arrays(lambda array: array[:count], forward(map_arrays(padded, batch)))


def map_arrays(function: Callable[[Any], Any], nest: Any) -> Any:
    """`function` of an array, or of each array of a dict, list or tuple of them."""
    if isinstance(nest, Mapping):
        return {name: map_arrays(function, part) for name, part in nest.items()}
    if isinstance(nest, list | tuple):
        return type(nest)(map_arrays(function, part) for part in nest)
    return function(nest)
