"""A long sequence, window by window: how probable it is in each that what is looked for begins there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from layerwise.plots import Line, LinePlot, Plot

if TYPE_CHECKING:
    from layerwise.tasks.sequences.alphabets import Alphabet

AT_ONCE = 512
"""How many windows of a strand one forward pass takes."""
MOST_HITS, LOOKED_AT = 20, 5_000
"""How many hits are listed, and among how many of the most probable windows they are looked for."""
MOST_POINTS = 400
"""How many points a drawn line has; in each, the greatest probability of its part of the sequence."""
FORWARD, REVERSE = "+", "−"


@dataclass(frozen=True)
class Hit:
    """A window.

    Args:
        start: Where it begins on the sequence that was given, from 0 on; on either strand its left end.
        strand: "+" or "−".
        probability: Of what was looked for.
        letters: As they are read on its strand.
    """

    start: int
    strand: str
    probability: float
    letters: str

    def as_row(self) -> dict[str, str | int | float]:
        """A row of the table; places from 1 on, both ends included."""
        return {
            "from": self.start + 1,
            "to": self.start + len(self.letters),
            "strand": self.strand,
            "probability": round(self.probability, 4),
            "letters": self.letters,
        }


@dataclass
class Scan:
    """A scan that is going on.

    Args:
        sequence: The letters, as many as the window or more.
        alphabet: Theirs.
        window: Letters of a window.
        stride: Letters from one window to the next.
    """

    sequence: str
    alphabet: Alphabet
    window: int
    stride: int
    probabilities: dict[str, np.ndarray] = field(init=False)
    done: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        strands = (FORWARD, REVERSE) if self.alphabet.name == "dna" else (FORWARD,)
        self.probabilities = {strand: np.full(self.count, np.nan, "float32") for strand in strands}

    @property
    def count(self) -> int:
        """How many windows there are on each strand."""
        return (len(self.sequence) - self.window) // self.stride + 1

    def run(self, classify: Callable[[np.ndarray], np.ndarray]) -> Iterator[None]:
        """Look at all windows; a step for each few of them.

        Args:
            classify: Encoded windows [windows, length, letters] to probabilities [windows].
        """
        for first in range(0, self.count, AT_ONCE):
            last = min(first + AT_ONCE, self.count)
            begin, end = first * self.stride, (last - 1) * self.stride + self.window
            part = self.sequence[begin:end]
            for strand, found in self.probabilities.items():
                if strand == FORWARD:
                    found[first:last] = classify(self._windows(part))
                else:
                    # The other strand is read from its own beginning: its first window is the last one here.
                    found[first:last] = classify(self._windows(self.alphabet.complement(part)))[::-1]
            self.done = last
            yield

    def _windows(self, part: str) -> np.ndarray:
        """The windows of a part that a whole number of strides fits into, [windows, length, letters]."""
        encoded = self.alphabet.encode(part)
        views = np.lib.stride_tricks.sliding_window_view(encoded, self.window, axis=0)[:: self.stride]
        return np.ascontiguousarray(views.transpose(0, 2, 1))

    def hits(self) -> list[Hit]:
        """The most probable windows so far, best first. Of those on one strand that overlap, the best counts."""
        found: list[Hit] = []
        taken: dict[str, list[int]] = {strand: [] for strand in self.probabilities}
        for strand, index, probability in self._most_probable():
            start = index * self.stride
            if any(abs(start - other) < self.window for other in taken[strand]):
                continue
            taken[strand].append(start)
            letters = self.sequence[start : start + self.window]
            if strand == REVERSE:
                letters = self.alphabet.complement(letters)
            found.append(Hit(start, strand, probability, letters))
            if len(found) == MOST_HITS:
                break
        return found

    def _most_probable(self) -> Iterator[tuple[str, int, float]]:
        """Strand, number and probability of windows, the most probable first."""
        known = np.concatenate([values[: self.done] for values in self.probabilities.values()])
        count = min(LOOKED_AT, len(known))
        best = np.argpartition(-known, count - 1)[:count] if count else np.zeros(0, int)
        strands = list(self.probabilities)
        for place in best[np.lexsort((best, -known[best]))]:
            strand, index = divmod(int(place), self.done)
            yield strands[strand], index, float(known[place])

    def track(self, wanted: str) -> list[Plot]:
        """The probability along the sequence, a line for each strand.

        Args:
            wanted: What is looked for.
        """
        per_point = -(-self.count // MOST_POINTS)
        lines = [
            Line(label=f"strand {strand}", x=x, y=y)
            for strand, values in self.probabilities.items()
            for x, y in [_highest(values[: self.done], per_point, self.stride)]
        ]
        more = f", the highest of {per_point:,} windows in each point" if per_point > 1 else ""
        return [
            LinePlot(
                title=f"Probability of {wanted}{more}",
                lines=lines,
                x_label="first letter of the window",
                x_range=(1.0, float(max(2, (self.count - 1) * self.stride + 1))),
                y_range=(0.0, 1.0),
            )
        ]


def _highest(values: np.ndarray, per_point: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the highest of so many values is, and what it is."""
    rest = -len(values) % per_point
    rows = np.pad(values, (0, rest), constant_values=-1.0).reshape(-1, per_point)
    best = rows.argmax(axis=1)
    places = (np.arange(len(rows)) * per_point + best) * stride + 1
    return places.astype("float64"), rows.max(axis=1).astype("float64")
