"""Long sequences in windows: cut into parts that overlap, of which the inner parts count, and joined again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """A part of a sequence.

    Args:
        start, stop: Where it begins and ends, in letters of the sequence.
        first, last: The inner part that counts, from `first` to before `last`.
    """

    start: int
    stop: int
    first: int
    last: int

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def inner(self) -> slice:
        """Where the inner part is, counted from the beginning of the window."""
        return slice(self.first - self.start, self.last - self.start)


def windows_of(length: int, longest: int, context: int) -> list[Window]:
    """The windows of a sequence, in their order. Each letter counts in just one of them, and has `context` letters on
    either side of it there, or all that there are.

    Args:
        length: Letters of the sequence.
        longest: The most letters of a window, more than `2 * context`.
        context: Letters at a cut that are only looked at.

    Example:
        >>> windows_of(10, longest=6, context=1)
        [Window(start=0, stop=6, first=0, last=5), Window(start=4, stop=10, first=5, last=10)]
    """
    found, first = [], 0
    while first < length:
        start = max(0, first - context)
        stop = min(length, start + longest)
        last = length if stop == length else stop - context
        found.append(Window(start, stop, first, last))
        first = last
    return found


def joined(parts: Sequence[np.ndarray], windows: Sequence[Window]) -> np.ndarray:
    """What was found in each of a sequence's windows, [letters of the window or more, ...], for the sequence
    [letters, ...]."""
    return np.concatenate([part[window.inner] for part, window in zip(parts, windows, strict=True)])


@dataclass(frozen=True)
class Place:
    """Where a part of some sequence stands.

    Args:
        row: In which row.
        at: Its first place there.
        part: Which part it is.
    """

    row: int
    at: int
    part: int


def packed(lengths: Sequence[int], room: int, gap: int) -> Iterator[Place]:
    """Parts in as few rows as can be told quickly: the longest first, each in the first row that has room for it.

    Args:
        lengths: Of the parts, at most `room` each.
        room: Places of a row.
        gap: Empty places between two parts of a row.

    Source: Johnson 1973, "Near-optimal bin packing algorithms": first fit decreasing needs at most 11/9 of the rows.

    Example:
        >>> [(place.row, place.at, place.part) for place in packed([3, 6, 2], room=10, gap=1)]
        [(0, 0, 1), (0, 7, 0), (1, 0, 2)]
    """
    free: list[int] = []
    order = sorted(range(len(lengths)), key=lambda part: -lengths[part])
    # Rows that have no room for the shortest part need not be looked at any more.
    least, first = min(lengths, default=0) + gap, 0
    for part in order:
        row = next((row for row in range(first, len(free)) if free[row] >= lengths[part] + gap), None)
        if row is None:
            row = len(free)
            free.append(room)
            at = 0
        else:
            at = room - free[row] + gap
        free[row] = room - at - lengths[part]
        yield Place(row, at, part)
        while first < len(free) and free[first] < least:
            first += 1
