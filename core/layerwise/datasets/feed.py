"""How examples reach the trainer: all at once when they fit in memory, otherwise in chunks read ahead.

Either way the order is a shuffle of single examples, drawn from the seed and the number of the epoch alone, so
the order of any epoch is known without having run those before it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import DataError
from layerwise.splits import Rows

if TYPE_CHECKING:
    from layerwise.data import Split
    from layerwise.engines.base import Trainer

RESIDENT_BYTES = 2 * 2**30
"""Examples up to this size are placed on the device once."""
CHUNK_BYTES = 64 * 2**20
"""About how much is read at once from data that stays where it is."""


class Feed:
    """The training examples of a run, in batches.

    Args:
        split: The examples.
        batch_size: Examples a step; a smaller data set makes a smaller batch. What does not fill a batch is
            left out of an epoch, other examples in each.
        seed: Seed of the shuffles.
        resident_bytes: The largest size that is placed on the device as a whole.
    """

    def __init__(self, split: Split, batch_size: int, seed: int, *, resident_bytes: int = RESIDENT_BYTES) -> None:
        self.split, self.seed = split, seed
        self.num_examples = len(split.targets)
        if self.num_examples == 0:
            raise DataError("There is not a single example to train on")
        self.batch_size = min(batch_size, self.num_examples)
        self.steps_per_epoch = self.num_examples // self.batch_size
        self.is_resident = size_in_bytes(split) <= resident_bytes
        if not self.is_resident:
            _expect_single_rows(split)
        self._placed: Any = None

    def order(self, epoch: int) -> np.ndarray:
        """Positions of the examples in epoch `epoch` (from 1): int32 [steps, batch]."""
        shuffled = np.random.default_rng((self.seed, epoch)).permutation(self.num_examples)
        used = shuffled[: self.steps_per_epoch * self.batch_size]
        return used.reshape(self.steps_per_epoch, self.batch_size).astype(np.int32)

    def chunks(self, trainer: Trainer, epoch: int, first: int = 0) -> Iterator[tuple[Any, np.ndarray, int, int]]:
        """What an epoch consists of from step `first` on: (placed data, positions in it [steps, batch], the first of
        these steps to do, the step after the last). The positions have the same shape each time."""
        order = self.order(epoch)
        if self.is_resident:
            if self._placed is None:
                self._placed = trainer.place(*take(self.split, slice(None)))
            yield self._placed, order, first, self.steps_per_epoch
        elif first < self.steps_per_epoch:
            yield from self._streamed(trainer, order, first)

    def _streamed(self, trainer: Trainer, order: np.ndarray, first: int) -> Iterator[tuple[Any, np.ndarray, int, int]]:
        bytes_per_step = max(size_in_bytes(self.split) * self.batch_size // self.num_examples, 1)
        steps = int(min(max(CHUNK_BYTES // bytes_per_step, 1), self.steps_per_epoch))
        local = np.arange(steps * self.batch_size, dtype=np.int32).reshape(steps, self.batch_size)

        def read(start: int) -> tuple[Any, int]:
            positions = order[start : start + steps]
            count = len(positions)
            if count < steps:  # the last chunk is filled up so that every chunk has one shape
                positions = np.concatenate([positions, order[: steps - count]])
            return take(self.split, positions.reshape(-1)), count

        with ThreadPoolExecutor(1) as reader:
            starts = list(range(first, self.steps_per_epoch, steps))
            ahead = reader.submit(read, starts[0])
            for following in [*starts[1:], None]:
                examples, count = ahead.result()
                if following is not None:
                    ahead = reader.submit(read, following)
                yield trainer.place(*examples), local, 0, count


def take(split: Split, positions: Any) -> tuple[Any, Any]:
    """The inputs and targets at these positions, as NumPy arrays (dicts of them for several inputs)."""
    inputs = split.inputs
    if isinstance(inputs, dict):
        return {name: np.asarray(part[positions]) for name, part in inputs.items()}, np.asarray(
            split.targets[positions]
        )
    return np.asarray(inputs[positions]), np.asarray(split.targets[positions])


def size_in_bytes(split: Split) -> int:
    """The size of all examples of a split."""
    return sum(int(np.prod(array.shape)) * np.dtype(array.dtype).itemsize for array in _arrays(split))


def _arrays(split: Split) -> list[Any]:
    inputs = split.inputs
    return [*(inputs.values() if isinstance(inputs, dict) else [inputs]), split.targets]


def _expect_single_rows(split: Split) -> None:
    """Tell the system that rows of mapped files will be read in no order. Else it reads 128 KB around each of them,
    which took 70 times as long on a file larger than the memory."""
    for array in _arrays(split):
        mapped = getattr(array.array if isinstance(array, Rows) else array, "_mmap", None)
        if mapped is not None and hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)
