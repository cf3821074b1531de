"""Labels of classes: which are usable, and where those of a folder stand among those that a model knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from layerwise.errors import DataError, SpecError


def places_of(labels: Sequence[str], known: Sequence[str], folder: Path | str) -> list[int]:
    """Where the labels of a folder stand among those that a model knows. Where one is written otherwise, in capitals or
    with a hyphen for a space, it is the same label, unless the model tells such labels apart.

    Raises:
        DataError: It does not know all of them.

    Example:
        >>> places_of(("Ankle boot", "bag"), ("bag", "ANKLE_BOOT"), "photos")
        [1, 0]
    """
    exact = {label: place for place, label in enumerate(known)}
    counts = Counter(map(plain_label, known))
    folded = {plain: place for place, label in enumerate(known) if counts[plain := plain_label(label)] == 1}
    places = [exact.get(label, folded.get(plain_label(label))) for label in labels]
    unknown = [label for label, place in zip(labels, places, strict=True) if place is None]
    if unknown:
        raise DataError(
            f"{folder} has labels that the model does not know",
            expected=", ".join(known),
            received=", ".join(unknown),
            remedy="train a version on these data",
        )
    return [place for place in places if place is not None]


def plain_label(label: str) -> str:
    """A label without what two people may write otherwise: capitals, spaces, hyphens and underscores.

    Example:
        >>> plain_label("Ankle boot") == plain_label("ANKLE-BOOT")
        True
    """
    return "".join(letter for letter in label.casefold() if letter not in " -_")


def check_labels(labels: Sequence[str], owner: str) -> tuple[str, ...]:
    """Labels of a classification: at least two different, non-empty words.

    Raises:
        SpecError: They are not.
    """
    labels = tuple(labels) if not isinstance(labels, str) else (labels,)
    if len(labels) < 2 or len(set(labels)) != len(labels) or not all(isinstance(x, str) and x for x in labels):
        raise SpecError(
            f"{owner} has unusable labels", expected="at least two different, non-empty words", received=repr(labels)
        )
    return labels
