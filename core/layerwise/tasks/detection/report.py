"""How a detector goes class by class, as plots: figures of each class, what the threshold changes, and where it is
wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from layerwise.plots import Line, LinePlot, Picture, Pictures, Plot, Table
from layerwise.tasks.detection.boxes import iou
from layerwise.tasks.detection.metrics import THRESHOLDS, Detected, average_precisions

NUM_WORST = 12
SHOWN_THRESHOLDS = np.linspace(0.05, 0.95, 19)
COLORS = {"found": (45, 212, 191), "missed": (255, 255, 255), "invented": (244, 114, 182)}
"""Of the lines around things: seen on every ground, and told apart without colours by the captions."""


def report(
    found: Sequence[Detected], targets: Sequence[np.ndarray], labels: Sequence[str], threshold: float, inputs: Any
) -> list[Plot]:
    """What there is to see of a test set.

    Args:
        found: What was found in each picture, in pixels of the network's frame.
        targets: What is right in each, [boxes, 5] as for `Detected.hits`.
        labels: The names of the classes.
        threshold: The score from which on a box is shown.
        inputs: The pictures as the network takes them, [examples, height, width, channels], 0 to 255.
    """
    hits = np.concatenate([item.hits(right) for item, right in zip(found, targets, strict=True)], axis=1)
    scores = np.concatenate([item.scores for item in found])
    classes = np.concatenate([item.labels for item in found])
    right = np.concatenate([item[:, 4] for item in targets])
    counts = np.bincount(right[right >= 0].astype(int), minlength=len(labels))
    return [
        _classes(hits, scores, classes, counts, labels, threshold),
        _thresholds(hits[0], scores, int(counts.sum())),
        _worst(found, targets, threshold, inputs),
    ]


def _classes(
    hits: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray,
    counts: np.ndarray,
    labels: Sequence[str],
    threshold: float,
) -> Table:
    rows = []
    for number, (label, count) in enumerate(zip(labels, counts.tolist(), strict=True)):
        own = classes == number
        shown = own & (scores >= threshold)
        num_right = hits[0, shown].sum()
        figures = (
            average_precisions(hits[:, own], scores[own], count)[0] if count else np.nan,
            num_right / shown.sum() if shown.any() else np.nan,
            num_right / count if count else np.nan,
        )
        rows.append((label, count, *("–" if np.isnan(value) else f"{value:.3f}" for value in figures)))
    columns = ("class", "things", "average precision", "precision", "recall")
    title = f"Class by class, at an overlap of 0.5; precision and recall from a confidence of {threshold:g} on"
    return Table(title=title, columns=columns, rows=rows)


def _thresholds(hits: np.ndarray, scores: np.ndarray, count: int) -> LinePlot:
    shown = [scores >= threshold for threshold in SHOWN_THRESHOLDS]
    precision = [float(hits[kept].mean()) if kept.any() else np.nan for kept in shown]
    recall = [float(hits[kept].sum()) / max(count, 1) for kept in shown]
    known = ~np.isnan(precision)
    return LinePlot(
        title="What the confidence changes from which on a box is shown",
        lines=(
            Line(label="precision: boxes that are right", x=SHOWN_THRESHOLDS[known], y=np.array(precision)[known]),
            Line(label="recall: things that are found", x=SHOWN_THRESHOLDS, y=recall),
        ),
        x_label="confidence from which a box is shown",
        y_label="share",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
    )


def _worst(found: Sequence[Detected], targets: Sequence[np.ndarray], threshold: float, inputs: Any) -> Pictures:
    shown = []
    for place, (item, right) in enumerate(zip(found, targets, strict=True)):
        is_shown, hits = item.scores >= threshold, item.hits(right)[0]
        things = right[right[:, 4] >= 0]
        invented, good = item.boxes[is_shown & ~hits], is_shown & hits
        same = item.labels[good][:, None] == things[None, :, 4]
        missed = things[~(same & (iou(item.boxes[good], things[:, :4]) >= THRESHOLDS[0])).any(axis=0), :4]
        shown.append((place, {"missed": missed, "invented": invented, "found": item.boxes[good]}))
    shown.sort(key=lambda entry: -len(entry[1]["missed"]) - len(entry[1]["invented"]))
    return Pictures(
        title="The pictures with the most mistakes: what was found in green, missed in white, invented in pink",
        pictures=[
            Picture(
                pixels=_drawn(np.asarray(inputs[place]), boxes),
                caption=f"{len(boxes['missed'])} missed, {len(boxes['invented'])} invented",
            )
            for place, boxes in shown[:NUM_WORST]
        ],
        width=192,
    )


def _drawn(pixels: np.ndarray, boxes: Mapping[str, np.ndarray]) -> np.ndarray:
    """A picture with a line around each box, uint8 [height, width, 3]."""
    picture = Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).astype("uint8"))
    draw = ImageDraw.Draw(picture)
    for kind, found in boxes.items():
        for left, top, right, bottom in found.tolist():
            draw.rectangle((left, top, right, bottom), outline=COLORS[kind])
    return np.asarray(picture)
