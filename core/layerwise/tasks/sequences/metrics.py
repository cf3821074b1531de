"""How well two kinds of sequences are told apart, in the figures that the field reports."""

from __future__ import annotations

import math

import numpy as np


def binary_metrics(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """The figures of two classes, the second of which is the positive one.

    Args:
        logits: [examples, 2].
        targets: Class numbers [examples].

    Returns:
        sensitivity (share of positives that are found), specificity (share of negatives that are left alone),
        correlation (of Matthews 1975, "Comparison of the predicted and observed secondary structure of T4 phage
        lysozyme"; 0 where all guesses are the same) and roc_auc (the share of pairs of a positive and a negative in
        which the positive has the higher score, half of those that are equal). A figure that has no value, since there
        are no positives or no negatives, is left out.

    Example:
        >>> logits = np.array([[0.0, 2.0], [0.0, -1.0], [0.0, 1.0], [0.0, -2.0]])
        >>> {name: round(value, 2) for name, value in binary_metrics(logits, np.array([1, 1, 0, 0])).items()}
        {'sensitivity': 0.5, 'specificity': 0.5, 'correlation': 0.0, 'roc_auc': 0.75}
    """
    scores = np.asarray(logits, "float64")[:, 1] - np.asarray(logits, "float64")[:, 0]
    positive, guessed = np.asarray(targets) == 1, scores > 0
    hits, misses = int((guessed & positive).sum()), int((~guessed & positive).sum())
    alarms, rest = int((guessed & ~positive).sum()), int((~guessed & ~positive).sum())
    found = {}
    if hits + misses:
        found["sensitivity"] = hits / (hits + misses)
    if alarms + rest:
        found["specificity"] = rest / (alarms + rest)
    if len(found) == 2:
        scale = (
            math.sqrt(hits + alarms) * math.sqrt(hits + misses) * math.sqrt(rest + alarms) * math.sqrt(rest + misses)
        )
        found["correlation"] = (hits * rest - alarms * misses) / scale if scale else 0.0
        found["roc_auc"] = roc_auc(scores, positive)
    return found


def roc_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """The area below the receiver operating characteristic, from ranks (Mann and Whitney 1947).

    Args:
        scores: Numbers [examples], high for positives.
        positive: Booleans [examples], some of either.
    """
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Equal scores share the mean of their ranks.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))
