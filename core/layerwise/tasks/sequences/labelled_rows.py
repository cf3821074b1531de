"""Sequences with a label for each letter as arrays that a network takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.errors import DataError
from layerwise.splits import Split
from layerwise.tasks.sequence_labelling import UNCOUNTED
from layerwise.tasks.sequences.alphabets import Alphabet
from layerwise.tasks.sequences.windows import Place, packed, windows_of


def padded_shares(sequences: Sequence[str], alphabet: Alphabet, places: int) -> np.ndarray:
    """Shares of the letters of sequences, float32 [sequences, places, letters], zeros after the end."""
    found = np.zeros([len(sequences), places, len(alphabet.letters)], "float32")
    for row, sequence in zip(found, sequences, strict=True):
        row[: len(sequence)] = alphabet.encode(sequence)
    return found


def numbers_of(letters: str, known: Sequence[str]) -> np.ndarray:
    """The places in `known` of letters, int8 [letters], -1 for `UNCOUNTED`.

    Raises:
        DataError: A letter is not known.

    Example:
        >>> numbers_of("HC.", ("H", "E", "C")).tolist()
        [0, 2, -1]
    """
    places = {letter: number for number, letter in enumerate(known)} | {UNCOUNTED: -1}
    unknown = set(letters) - set(places)
    if unknown:
        raise DataError(
            "There is a label that the model does not know",
            expected=f"one of {', '.join(known)}, or {UNCOUNTED} where none is known",
            received=repr(min(unknown)),
            remedy="train a version on these data",
        )
    return np.array([places[letter] for letter in letters], "int8")


def rows_of(
    sequences: Sequence[str],
    labels: Sequence[np.ndarray],
    alphabet: Alphabet,
    *,
    longest: int,
    context: int,
    gap: int,
) -> Split:
    """Rows to train on: inputs float32 [rows, longest, letters], targets int8 [rows, longest].

    Args:
        labels: Numbers of the labels of each sequence, int8 [letters], -1 where none is known.
        longest, context, gap: As of `layerwise.tasks.SequenceLabelling`.

    Raises:
        DataError: A sequence has more or fewer labels than letters.
    """
    parts = []
    for sequence, numbers in zip(sequences, labels, strict=True):
        if len(sequence) != len(numbers):
            raise DataError(
                "A sequence needs as many labels as letters",
                received=f"{len(numbers)} labels of {len(sequence)} letters, which begin with {sequence[:12]}",
            )
        for window in windows_of(len(sequence), longest, context):
            counted = np.full(len(window), -1, "int8")
            counted[window.inner] = numbers[window.first : window.last]
            parts.append((sequence[window.start : window.stop], counted))
    lengths = [len(letters) for letters, _ in parts]
    places = [*packed(lengths, longest, gap)] if gap else [Place(part, 0, part) for part in range(len(parts))]
    rows = 1 + max((place.row for place in places), default=-1)
    inputs = np.zeros([rows, longest, len(alphabet.letters)], "float32")
    targets = np.full([rows, longest], -1, "int8")
    for place in places:
        letters, counted = parts[place.part]
        inputs[place.row, place.at : place.at + len(letters)] = alphabet.encode(letters)
        targets[place.row, place.at : place.at + len(letters)] = counted
    return Split(inputs, targets)
