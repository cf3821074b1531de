"""How good predictions of molecules are, over a whole split, in NumPy. Values that nobody knows (NaN) do not count; of
several targets the mean is taken of those that can be measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from layerwise.errors import DataError
from layerwise.tasks.metrics import regression_metrics
from layerwise.tasks.molecules.predictions import Predicted


def number_metrics(predicted: Predicted, targets: np.ndarray) -> dict[str, float]:
    """The metrics of numbers, in their unit.

    Returns:
        rmse, mae, r2 (`layerwise.tasks.metrics.regression_metrics`), coverage_90 (the share of values that are within
        their 90 % interval) and interval_width (the mean width of these).
    """
    rows = []
    for target, known in _columns(targets):
        values, low, high = (part[known, target] for part in (predicted.values, predicted.low, predicted.high))
        right = targets[known, target]
        inside = np.mean((low <= right) & (right <= high))
        rows.append(
            regression_metrics(values, right)
            | {"coverage_90": float(inside), "interval_width": float(np.mean(high - low))}
        )
    return _means(rows)


def yes_no_metrics(predicted: Predicted, targets: np.ndarray) -> dict[str, float]:
    """The metrics of probabilities.

    Returns:
        roc_auc (how probable it is that of two molecules the one with the property has the higher probability) and
        average_precision (`average_precision`).
    """
    rows = []
    for target, known in _columns(targets):
        values, right = predicted.values[known, target], targets[known, target] > 0.5
        if right.all() or not right.any():
            continue  # without both there is nothing to tell apart
        rows.append({"roc_auc": roc_auc(values, right), "average_precision": average_precision(values, right)})
    return _means(rows)


def roc_auc(values: np.ndarray, right: np.ndarray) -> float:
    """The area under the receiver operating characteristic, by ranks (Mann and Whitney 1947); equal values share
    theirs.

    Args:
        values: [molecules].
        right: bool [molecules], of both sorts.
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[places]
    positives = int(right.sum())
    return float((ranks[right].sum() - positives * (positives + 1) / 2) / (positives * (len(right) - positives)))


def average_precision(values: np.ndarray, right: np.ndarray) -> float:
    """The mean of the precision at each value that a molecule with the property has, as scikit-learn defines it:
    without interpolation, equal values taken together."""
    order = np.argsort(-values, kind="stable")
    sorted_values, hits = values[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.diff(sorted_values, append=-np.inf))
    precision = hits[ends] / (ends + 1)
    recall = hits[ends] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _columns(targets: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The number of each target that is known of a molecule, and of which."""
    for target in range(targets.shape[1]):
        known = np.isfinite(targets[:, target])
        if known.any():
            yield target, known


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    if not rows:
        raise DataError("Nothing can be measured", expected="targets with values; for yes and no both of them")
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
