"""Folds in which no sequence has a near-duplicate in another fold.

Sequences that share many stretches of letters, on the same strand or on opposite ones, overlap in the genome or are
copies of each other: a network that has seen the one knows the other. They are put together into clusters, and a hash
of the cluster says to which fold it belongs, whatever else there is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WORD = 12
"""Letters of the stretches that are compared."""
SHARED = 10
"""Stretches that two sequences of a cluster share: 21 letters in a row, or more of them with changes in between. Two
random sequences of 251 letters share one in about 150 pairs."""
MOST_REPEATED = 7
"""Letters of a stretch that are the same as one, two or three places before. Repeats such as AAAAAAAAAAAA and
ATATATATATAT, which unrelated sequences have too, do not count."""
MOST_SHARING = 200
"""Sequences that share a stretch that counts; what more of them have says nothing about any two."""


def clusters_of(sequences: Sequence[str]) -> np.ndarray:
    """Which sequences belong together, int64 [sequences]: the place of the first one of each cluster.

    Args:
        sequences: DNA in capital letters.

    Example:
        >>> one = "GATTACAGATCCGATTTGCACCGTAAC"
        >>> clusters_of([one, "C" * 27, "AC" + one[:-2], "GTTACGGTGCAAATCGGATCTGTAATC"]).tolist()
        [0, 1, 0, 0]
    """
    import numpy as np

    parents = list(range(len(sequences)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in near_duplicates(sequences).tolist():
        first, second = sorted((root(one), root(other)))
        parents[second] = first
    return np.array([root(place) for place in range(len(sequences))], "int64")


def near_duplicates(sequences: Sequence[str]) -> np.ndarray:
    """Pairs of sequences that share enough stretches, int64 [pairs, 2]."""
    import numpy as np

    word, owner = words_of(sequences)
    starts = np.flatnonzero(np.diff(word, prepend=-1))
    sizes = np.diff(starts, append=len(word))
    counts = (sizes > 1) & (sizes <= MOST_SHARING)
    starts, sizes = starts[counts], sizes[counts]
    pairs = [np.zeros(0, "int64")]
    for size in np.unique(sizes):
        # [stretches, size]: the sequences that have each of them, rising.
        having = owner[starts[sizes == size, None] + np.arange(size)]
        one, other = np.triu_indices(size, 1)
        pairs.append((having[:, one] * len(sequences) + having[:, other]).reshape(-1))
    pair, shared = np.unique(np.concatenate(pairs), return_counts=True)
    return np.stack(np.divmod(pair[shared >= SHARED], max(len(sequences), 1)), axis=1)


def words_of(sequences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The stretches of WORD letters that sequences have, as numbers that are the same on both strands, and the places
    of the sequences that have them: int64 [stretches] each, sorted by number. A sequence has each once; those with
    unknown letters, and repeats, are left out."""
    import numpy as np

    table = np.full(256, -1, "int64")
    table[np.frombuffer(b"ACGT", "uint8")] = np.arange(4)
    # A letter that is none keeps stretches of two sequences apart.
    digits = table[np.frombuffer("-".join([*sequences, "-" * WORD]).encode(), "uint8")]
    owners = np.repeat(np.arange(len(sequences)), [len(sequence) + 1 for sequence in sequences])
    count = len(owners)
    forward, backward, unknown = (np.zeros(count, "int64") for _ in range(3))
    for step in range(WORD):
        letters = digits[step : step + count]
        unknown += letters < 0
        forward = 4 * forward + letters
        # Of A, C, G, T the complement of number n is 3 - n.
        backward += 4**step * (3 - letters)
    usable = unknown == 0
    for lag in (1, 2, 3):
        same = sum((digits[step : step + count] == digits[step - lag :][:count]) for step in range(lag, WORD))
        usable &= np.asarray(same) <= MOST_REPEATED
    # Sorted by hand: np.unique takes five times as long here.
    both = np.sort(np.minimum(forward, backward)[usable] * max(len(sequences), 1) + owners[usable])
    return np.divmod(both[np.diff(both, prepend=-1) > 0], max(len(sequences), 1))


def shares_of(sequences: Sequence[str]) -> np.ndarray:
    """For each sequence a number from 0 to below 1 that its whole cluster has, drawn by a hash of the cluster's least
    sequence, float64 [sequences]. The first fifth of these numbers is a fold, and so on."""
    import numpy as np

    clusters = clusters_of(sequences).tolist()
    least: dict[int, str] = {}
    for cluster, sequence in zip(clusters, sequences, strict=True):
        least[cluster] = min(least.get(cluster, sequence), sequence)
    drawn = {
        cluster: int.from_bytes(hashlib.sha256(sequence.encode()).digest()[:6]) / 2**48
        for cluster, sequence in least.items()
    }
    return np.array([drawn[cluster] for cluster in clusters])
