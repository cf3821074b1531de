"""What was played, to be learned from more than once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Memory:
    """The newest examples, arrays [size, ...] by name.

    Args:
        size: How many, at the most.
    """

    def __init__(self, size: int) -> None:
        self.size, self.count = size, 0
        self.arrays: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return min(self.count, self.size)

    def add(self, examples: dict[str, np.ndarray]) -> None:
        """Remember examples, arrays [n, ...], in place of the oldest ones when it is full."""
        number = len(next(iter(examples.values())))
        if not self.arrays:
            self.arrays = {name: np.zeros((self.size, *part.shape[1:]), part.dtype) for name, part in examples.items()}
        places = (self.count + np.arange(number)) % self.size
        for name, part in examples.items():
            self.arrays[name][places] = part
        self.count += number

    def state(self) -> dict[str, np.ndarray]:
        """All of it, as arrays."""
        return {name: part[: len(self)] for name, part in self.arrays.items()} | {"count": np.array(self.count)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Remember what `state` gave."""
        self.count = 0
        parts = {name: part for name, part in state.items() if name != "count"}
        if parts:
            self.add(dict(parts))
        self.count = int(state["count"])
