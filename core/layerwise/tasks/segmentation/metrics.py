"""How good maps of labels are, picture by picture: in NumPy, on label maps as the user sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

THRESHOLDS = tuple(np.arange(50, 100, 5) / 100)
"""Above such an intersection over union a thing counts as found."""
T = TypeVar("T")


@dataclass(frozen=True)
class Score:
    """How one picture went.

    Args:
        dice: Twice the common area by the sum of both areas, all things together; 1 when there is nothing and nothing
            was found.
        iou: The common area by the area of either.
        matched: For each of THRESHOLDS, how many things were found.
        count: How many things there are.
        found: How many were claimed to be there.
    """

    dice: float
    iou: float
    matched: tuple[int, ...]
    count: int
    found: int

    def precision(self, place: int = 0) -> float:
        """Found things by found, claimed and missed ones, TP / (TP + FP + FN): what the Data Science Bowl 2018 calls
        the precision at a threshold (Caicedo et al. 2019, doi:10.1038/s41592-019-0612-7)."""
        either = self.count + self.found - self.matched[place]
        return self.matched[place] / either if either else 1.0

    @property
    def f1(self) -> float:
        """Of the things, at IoU 0.5."""
        either = self.count + self.found
        return 2 * self.matched[0] / either if either else 1.0


class Segmented:
    """A map of labels that a network gave, which remembers how it compares with the right ones: resampling the
    pictures of a test set asks for that again and again.

    Args:
        labels: [height, width], 0 for the ground.
    """

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels
        self._known: dict[int, tuple[np.ndarray, Any]] = {}

    def compare(self, right: np.ndarray, how: Callable[[np.ndarray, np.ndarray], T]) -> T:
        """What `how(found, right)` gives."""
        # The map is kept beside the result, so that its id stays its own.
        known = self._known.get(id(right))
        if known is None:
            known = self._known[id(right)] = right, how(self.labels, right)
        return known[1]


def score_instances(found: np.ndarray, right: np.ndarray) -> Score:
    """Compare two maps [height, width] of numbered things, 0 the ground.

    A thing is found when one of the answer's has an intersection over union with it above the threshold; from 0.5 on
    there can be only one.
    """
    found, right = _renumbered(found), _renumbered(right)
    counts = right.max(initial=0) + 1, found.max(initial=0) + 1
    flat = right.ravel().astype("int64") * counts[1] + found.ravel()
    table = np.bincount(flat, minlength=counts[0] * counts[1]).reshape(counts)
    overlap = table[1:, 1:]
    areas = table.sum(axis=1)[1:, None] + table.sum(axis=0)[None, 1:]
    ious = overlap / np.maximum(areas - overlap, 1)
    best = ious.max(axis=1, initial=0.0)
    dice, iou = _area_overlap(found > 0, right > 0)
    return Score(
        dice=dice,
        iou=iou,
        # Above 0.5 there is one partner at most, at exactly 0.5 there may be two: that does not count.
        matched=tuple(int(np.sum(best > level)) for level in THRESHOLDS),
        count=counts[0] - 1,
        found=counts[1] - 1,
    )


def instance_metrics(scores: Sequence[Score]) -> dict[str, float]:
    """The means over pictures of Dice and IoU of the area, of the precision of the Data Science Bowl at IoU 0.5 and
    over 0.5 to 0.95; and over all things F1 at IoU 0.5."""
    matched = sum(score.matched[0] for score in scores)
    either = sum(score.count + score.found for score in scores)
    return {
        "mean_average_precision_50": float(np.mean([score.precision() for score in scores])),
        "mean_average_precision": float(
            np.mean([[score.precision(place) for place in range(len(THRESHOLDS))] for score in scores])
        ),
        "dice": float(np.mean([score.dice for score in scores])),
        "iou": float(np.mean([score.iou for score in scores])),
        "f1_50": 2 * matched / either if either else 1.0,
    }


def area_metrics(tables: Sequence[np.ndarray], labels: Sequence[str]) -> dict[str, float]:
    """Of classes of areas, over all pixels: the mean over the classes that occur of IoU (Everingham et al. 2015,
    doi:10.1007/s11263-014-0733-5, section 4.2) and Dice, the IoU of each class, and the share of pixels that are right.

    Args:
        tables: For each picture how many pixels of each class (row) were taken for each (column), the ground first.
        labels: The names of the classes, without the ground.
    """
    table = np.sum(np.asarray(tables), axis=0)
    ious, dices, _ = area_scores(tables)
    each = {f"iou_{label}": float(iou) for label, iou in zip(labels, ious[1:], strict=True) if not np.isnan(iou)}
    return {
        "mean_iou": float(np.nanmean(ious)),
        "mean_dice": float(np.nanmean(dices)),
        "pixel_accuracy": float(np.trace(table) / max(table.sum(), 1)),
        **each,
    }


def area_scores(tables: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """IoU, Dice and the right number of pixels of each class, the ground first; not a number for those that do not
    occur.

    Args:
        tables: As for `area_metrics`.
    """
    table = np.sum(np.asarray(tables), axis=0)
    overlap, sums = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return overlap / (sums - overlap), 2 * overlap / sums, table.sum(axis=1)


def confusion_of_areas(found: np.ndarray, right: np.ndarray, num_classes: int) -> np.ndarray:
    """How many pixels of each class were taken for each, [classes, classes], the ground the first."""
    flat = right.ravel().astype("int64") * num_classes + found.ravel()
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def _area_overlap(found: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    common, either = int(np.sum(found & right)), int(np.sum(found | right))
    if either == 0:
        return 1.0, 1.0
    return 2 * common / (common + either), common / either


def _renumbered(labels: np.ndarray) -> np.ndarray:
    """The same things, numbered from 1 without gaps."""
    values, places = np.unique(labels, return_inverse=True)
    numbers = np.arange(len(values)) + (0 if len(values) and values[0] == 0 else 1)
    return numbers[places].reshape(labels.shape)
