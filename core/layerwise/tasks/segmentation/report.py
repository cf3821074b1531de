"""How a segmentation goes, as plots: on pictures of each look, at each threshold, and where it is worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.plots import Line, LinePlot, Picture, Pictures, Plot, Table
from layerwise.tasks.segmentation.drawing import overlay
from layerwise.tasks.segmentation.metrics import (
    THRESHOLDS,
    Score,
    Segmented,
    area_scores,
    instance_metrics,
    score_instances,
)

GROUNDS = ("dark", "light", "coloured")
COLOURED = 5.0
"""From this difference between the means of its channels on a picture is called coloured."""
NUM_WORST = 4
SIDE = 200
"""How much of a picture is shown, in pixels."""


def report_instances(found: Sequence[Segmented], right: Sequence[np.ndarray], pictures: Sequence) -> list[Plot]:
    """Figures by the look of the pictures, the precision at each threshold, and the worst pictures.

    Args:
        found: What was found in each picture.
        right: The right map of labels of each.
        pictures: Each uint8 [height, width, channels].
    """
    scores = [one.compare(other, score_instances) for one, other in zip(found, right, strict=True)]
    worst = sorted(range(len(scores)), key=lambda place: scores[place].precision())[:NUM_WORST]
    shown = [
        picture
        for place in worst
        for picture in _pair(scores[place], np.asarray(pictures[place]), found[place].labels, right[place])
    ]
    return [
        _by_ground(scores, [ground_of(np.asarray(picture)) for picture in pictures]),
        _by_threshold(scores),
        Pictures(title="The pictures with the lowest precision, and what is right", pictures=shown, width=SIDE),
    ]


def report_areas(tables: Sequence[np.ndarray], labels: Sequence[str]) -> list[Plot]:
    """The figures of each class.

    Args:
        tables: For each picture what `layerwise.tasks.segmentation.metrics.confusion_of_areas` gives.
        labels: The names of the classes, without the ground.
    """
    ious, dices, sizes = area_scores(tables)
    rows = [
        (name, int(size), *("–" if np.isnan(value) else f"{value:.3f}" for value in (iou, dice)))
        for name, size, iou, dice in zip(("ground", *labels), sizes, ious, dices, strict=True)
    ]
    return [Table(title="Class by class", columns=("class", "pixels", "IoU", "Dice"), rows=rows)]


def ground_of(picture: np.ndarray) -> str:
    """One of GROUNDS: what most of a picture [height, width, channels] looks like."""
    if np.ptp(picture.mean(axis=(0, 1))) > COLOURED:
        return "coloured"
    return "light" if np.median(picture) > 127 else "dark"


def _by_ground(scores: Sequence[Score], grounds: Sequence[str]) -> Table:
    names = ("dice", "iou", "mean_average_precision_50", "f1_50")
    rows = []
    for ground in GROUNDS:
        chosen = [score for score, one in zip(scores, grounds, strict=True) if one == ground]
        if chosen:
            measured = instance_metrics(chosen)
            rows.append((ground, len(chosen), *(f"{measured[name]:.3f}" for name in names)))
    columns = ("ground", "pictures", "Dice", "IoU", "precision at IoU 0.5", "F1 at IoU 0.5")
    return Table(title="On pictures of each look", columns=columns, rows=rows)


def _by_threshold(scores: Sequence[Score]) -> LinePlot:
    means = [float(np.mean([score.precision(place) for score in scores])) for place in range(len(THRESHOLDS))]
    return LinePlot(
        title="How exact the outlines are",
        lines=(Line(x=THRESHOLDS, y=means), Line(x=THRESHOLDS, y=means, kind="dots")),
        x_label="overlap (IoU) from which on a thing counts as found",
        y_label="precision, mean of the pictures",
        y_range=(0.0, 1.0),
    )


def _pair(score: Score, picture: np.ndarray, found: np.ndarray, right: np.ndarray) -> list[Picture]:
    middle = [max(0, (length - SIDE) // 2) for length in picture.shape[:2]]
    part = tuple(slice(start, start + SIDE) for start in middle)
    captions = (
        f"found {score.matched[0]} of {score.count}, and {score.found - score.matched[0]} that are none",
        "right",
    )
    return [
        Picture(pixels=np.asarray(overlay(picture[part], labels[part])), caption=caption)
        for labels, caption in zip((found, right), captions, strict=True)
    ]
