"""How good boxes are, in NumPy: average precision as COCO computes it, precision and recall.

Lin et al. 2014, "Microsoft COCO: common objects in context", arXiv:1405.0312, and the rules of its evaluation
(https://cocodataset.org/#detection-eval), without crowds and ranges of areas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from layerwise.tasks.detection.boxes import iou

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""From which intersection over union on a box is found, one after the other."""
RECALLS = np.linspace(0, 1, 101)


@dataclass
class Detected:
    """What a network found in one picture, the surest first. It remembers how it compares with what is right:
    resampling the pictures of a test set asks for that again and again.

    Args:
        boxes: [found, 4] in pixels.
        scores: [found], falling.
        labels: [found], class numbers.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    _compared: tuple[bytes, np.ndarray] | None = field(default=None, repr=False)

    def hits(self, targets: np.ndarray) -> np.ndarray:
        """Which boxes are right at each of THRESHOLDS, bool [thresholds, found]: each takes the box of its class that
        it overlaps with most, among those that no surer one took.

        Args:
            targets: [boxes, 5]: left, top, right, bottom, class number; rows with a class below 0 are none.
        """
        key = targets.tobytes()
        if self._compared is None or self._compared[0] != key:
            self._compared = key, _hits(self, targets[targets[:, 4] >= 0])
        return self._compared[1]


def _hits(found: Detected, targets: np.ndarray) -> np.ndarray:
    hits = np.zeros((len(THRESHOLDS), len(found.scores)), bool)
    if not len(targets) or not len(found.scores):
        return hits
    overlaps = iou(found.boxes, targets[:, :4])
    overlaps[found.labels[:, None] != targets[None, :, 4]] = 0
    for place, threshold in enumerate(THRESHOLDS):
        free = np.ones(len(targets), bool)
        for number, row in enumerate(overlaps):
            best = int(np.argmax(np.where(free, row, -1)))
            # The sides of boxes are float32: 0.5 may be 0.49999999.
            if free[best] and row[best] >= threshold - 1e-7:
                free[best] = False
                hits[place, number] = True
    return hits


def detection_metrics(
    found: Sequence[Detected], targets: Sequence[np.ndarray], num_classes: int, threshold: float
) -> dict[str, float]:
    """The metrics of a test set.

    Args:
        found: What was found in each picture, down to low scores.
        targets: What is right in each, [boxes, 5] as for `Detected.hits`.
        threshold: The score from which on a box is shown, for precision and recall.

    Returns:
        `mean_average_precision_50` at an intersection over union of 0.5, `mean_average_precision` over 0.5 to 0.95,
        means over the classes that there are; `precision` and `recall` at `threshold`, of all boxes together. NaN for
        what nothing can be said of.
    """
    hits = np.concatenate([item.hits(right) for item, right in zip(found, targets, strict=True)], axis=1)
    scores = np.concatenate([item.scores for item in found])
    labels = np.concatenate([item.labels for item in found])
    right = np.concatenate([item[:, 4] for item in targets])
    counts = np.bincount(right[right >= 0].astype(int), minlength=num_classes)
    precisions = [
        average_precisions(hits[:, labels == label], scores[labels == label], counts[label])
        for label in np.flatnonzero(counts)
    ]
    means = np.mean(precisions, axis=0) if precisions else np.full(len(THRESHOLDS), np.nan)
    shown = scores >= threshold
    num_right = int(hits[0, shown].sum())
    return {
        "mean_average_precision_50": float(means[0]),
        "mean_average_precision": float(np.mean(means)),
        "precision": num_right / shown.sum() if shown.any() else float("nan"),
        "recall": num_right / counts.sum() if counts.any() else float("nan"),
    }


def average_precisions(hits: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """The average precision at each threshold, [thresholds]: the mean over 101 recalls of the best precision that is
    reached with that recall or more.

    Args:
        hits: Which boxes are right, [thresholds, found].
        scores: [found].
        count: How many boxes there are to be found, at least 1.
    """
    if not len(scores):
        return np.zeros(len(hits))
    hits = hits[:, np.argsort(-scores, kind="stable")]
    right = np.cumsum(hits, axis=1)
    precision = right / np.arange(1, hits.shape[1] + 1)
    # From the right: the best precision with at least that recall.
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    envelope = np.concatenate([envelope, np.zeros((len(hits), 1))], axis=1)
    # The first place at which each recall is reached; in whole boxes, where 0.3 * 10 shall be 3.
    wanted = np.ceil(RECALLS * count - 1e-9)
    places = np.stack([np.searchsorted(row, wanted) for row in right])
    return np.take_along_axis(envelope, places, axis=1).mean(axis=1)
