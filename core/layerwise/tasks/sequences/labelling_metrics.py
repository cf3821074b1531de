"""How well the letters of sequences were labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerwise.plots import Histogram, Plot
from layerwise.tasks.classification_report import confusions
from layerwise.tasks.classification_report import report as report_of_classes


class Labelled:
    """What a network said of a sequence, which remembers how it compares with the right labels: resampling the
    sequences of a test set asks for that again and again.

    Args:
        logits: [letters, labels], or more rows than letters.
    """

    def __init__(self, logits: np.ndarray) -> None:
        self.logits = logits
        self._known: tuple[object, np.ndarray] | None = None

    def confusion(self, right: object, numbers_of: Callable[..., np.ndarray] = np.asarray) -> np.ndarray:
        """How often each label (row) was taken for each (column), [labels, labels].

        Args:
            right: The right labels: their numbers [letters], -1 for letters that do not count.
            numbers_of: What makes numbers of `right` when it is something else.
        """
        if self._known is None or self._known[0] is not right:
            numbers = numbers_of(right)
            counted = np.flatnonzero(numbers >= 0)
            guesses = self.logits[counted].argmax(axis=1)
            self._known = right, confusions(guesses, numbers[counted], self.logits.shape[1])
        return self._known[1]


def metrics(counts: np.ndarray) -> dict[str, float]:
    """The metrics of sequences.

    Args:
        counts: How often each label (row) was taken for each (column), [sequences, labels, labels].

    Returns:
        accuracy: the share of letters that have the right label (of three states of a protein: Q3);
        accuracy_by_sequence: its mean over sequences; macro_f1: the mean F1 of the labels that were right or guessed at
        least once. Sequences without a letter that counts are left out.
    """
    letters = counts.sum(axis=(1, 2))
    right = np.trace(counts, axis1=1, axis2=2)
    whole = counts.sum(axis=0)
    hits, either = np.diag(whole), whole.sum(axis=0) + whole.sum(axis=1)
    known = letters > 0
    return {
        "accuracy": float(right.sum() / max(letters.sum(), 1)),
        "accuracy_by_sequence": float(np.mean(right[known] / letters[known])) if known.any() else 0.0,
        "macro_f1": float(np.mean(2 * hits[either > 0] / either[either > 0])) if known.any() else 0.0,
    }


def report(
    labels: Sequence[str], found: Sequence[Labelled], numbers: Sequence[np.ndarray], counts: np.ndarray
) -> list[Plot]:
    """What a reader wants to see beside the metrics.

    Args:
        found: What was said of each sequence.
        numbers: The right labels of each, [letters], -1 for letters that do not count.
        counts: As of `metrics`.
    """
    logits = np.concatenate([each.logits[: len(right)][right >= 0] for each, right in zip(found, numbers, strict=True)])
    targets = np.concatenate([right[right >= 0] for right in numbers])
    letters = counts.sum(axis=(1, 2))
    shares = np.trace(counts, axis1=1, axis2=2)[letters > 0] / letters[letters > 0]
    return [
        *report_of_classes(labels, logits, targets),
        Histogram.of(shares, bins=25, title="How the sequences went", x_label="share of letters with the right label"),
    ]
