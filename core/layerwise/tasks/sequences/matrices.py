"""Position weight matrices: how probable each letter is at each place of a motif.

Schneider and Stephens 1990, "Sequence logos: a new way to display consensus sequences", Nucleic Acids Research 18.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from layerwise.tasks.sequences.alphabets import Alphabet
    from layerwise.tasks.sequences.motif import Motif

LEAST_OVERLAP = 5
"""Places that have to lie above each other, or the whole of a shorter motif."""


def position_weights(windows: np.ndarray, background: np.ndarray, *, pseudocount: float = 1.0) -> np.ndarray:
    """The share of each letter at each place of aligned windows, [places, letters].

    Args:
        windows: Shares of letters [windows, places, letters].
        background: How frequent the letters are everywhere, [letters].
        pseudocount: How many windows of the background are added, so that no letter is impossible.
    """
    counts = np.asarray(windows, "float64").sum(axis=0) + pseudocount * np.asarray(background, "float64")
    return counts / counts.sum(axis=1, keepdims=True)


def information(weights: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The information content of each place in bits, [places]: the relative entropy to the background. With even
    frequencies it is 2 where one base of DNA is certain.

    Args:
        weights: Shares of letters [places, letters]; none has to be positive.
        background: How frequent the letters are everywhere, [letters], all positive.

    Example:
        >>> weights = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]])
        >>> information(weights, np.full(4, 0.25)).tolist()
        [2.0, 1.0, 0.0]
    """
    shares = np.asarray(weights, "float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log2(shares / background), 0.0)
    return np.maximum(terms.sum(axis=1), 0.0)


def consensus(weights: np.ndarray, bits: np.ndarray, letters: str, *, least: float = 0.25) -> str:
    """The most probable letter of each place, in small letters where it says little.

    Args:
        weights: Shares of letters [places, letters].
        bits: The information content of each place [places].
        least: The information content from which on a letter is capital.
    """
    return "".join(
        letters[place] if amount >= least else letters[place].lower()
        for place, amount in zip(np.asarray(weights).argmax(axis=1), bits, strict=True)
    )


@dataclass(frozen=True)
class Likeness:
    """How like a known motif a matrix is.

    Args:
        motif: The known one.
        correlation: Pearson's, over all letters of the places that lie above each other.
        strand: "+", or "−" where the motif's other strand is meant.
    """

    motif: Motif
    correlation: float
    strand: str


def most_like(weights: np.ndarray, motifs: Sequence[Motif], alphabet: Alphabet) -> Likeness | None:
    """The known motif that a matrix is most like, at the best shift and strand; None without motifs.

    Args:
        weights: Shares of letters [places, letters].
    """
    found = [
        Likeness(motif, correlation, strand)
        for motif in motifs
        for strand, known in _strands(motif.consensus, alphabet)
        for correlation in _correlations(np.asarray(weights, "float64"), known)
    ]
    return max(found, key=lambda likeness: likeness.correlation, default=None)


def _strands(sequence: str, alphabet: Alphabet) -> Iterator[tuple[str, np.ndarray]]:
    yield "+", alphabet.encode(sequence).astype("float64")
    if alphabet.name == "dna":
        yield "−", alphabet.encode(alphabet.complement(sequence)).astype("float64")


def _correlations(one: np.ndarray, other: np.ndarray) -> Iterator[float]:
    """At each shift at which enough places lie above each other."""
    least = min(LEAST_OVERLAP, len(one), len(other))
    for shift in range(least - len(other), len(one) - least + 1):
        left = one[max(shift, 0) : shift + len(other)]
        right = other[max(-shift, 0) :][: len(left)]
        a, b = left - left.mean(), right - right.mean()
        scale = np.sqrt((a**2).sum() * (b**2).sum())
        yield float((a * b).sum() / scale) if scale > 0 else 0.0
