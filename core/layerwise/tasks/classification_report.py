"""How a classification goes class by class, as plots: figures of each class, what is taken for what, how far its
probabilities can be trusted, and where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.losses import softmax
from layerwise.plots import Heatmap, Line, LinePlot, Picture, Pictures, Plot, Table, Text
from layerwise.tasks.metrics import calibration_bins, expected_calibration_error

MOST_IN_HEATMAP = 30
"""With more classes the cells of a confusion matrix are too small to see."""
NUM_MISTAKES = 12


def report(labels: Sequence[str], logits: np.ndarray, targets: np.ndarray) -> list[Plot]:
    """The figures of each class, the confusion matrix and the calibration.

    Args:
        labels: The names of the classes.
        logits: [examples, classes].
        targets: Class numbers [examples].
    """
    probabilities = softmax(np.asarray(logits, "float64"))
    counts = confusions(probabilities.argmax(axis=1), targets, len(labels))
    return [_classes(labels, counts), *_confusion_matrix(labels, counts), *_calibration(probabilities, targets)]


def confusions(guesses: np.ndarray, targets: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each class (row) was taken for each (column), [classes, classes]."""
    flat = np.asarray(targets, "int64") * num_classes + guesses
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def mistakes(labels: Sequence[str], logits: np.ndarray, targets: np.ndarray, pictures: np.ndarray) -> list[Plot]:
    """The pictures [examples, height, width, channels], of pixels 0 to 255, that were given a wrong label with the
    greatest probability."""
    probabilities = softmax(np.asarray(logits, "float64"))
    guesses, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(guesses != targets)
    chosen = wrong[sure[wrong].argsort(kind="stable")[::-1][:NUM_MISTAKES]]
    if not len(chosen):
        return [Text(text="It made no mistake.")]
    shown = [
        Picture(
            pixels=np.asarray(pictures[place]) / 255.0,
            caption=f"{labels[int(targets[place])]}, taken for {labels[guesses[place]]} ({sure[place]:.0%})",
        )
        for place in chosen
    ]
    return [Pictures(title="The mistakes of which it is most certain", pictures=shown)]


def _classes(labels: Sequence[str], counts: np.ndarray) -> Table:
    hits, right, guessed = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = np.stack([hits / guessed, hits / right, 2 * hits / (right + guessed)], axis=1)
    rows = [
        (label, int(count), *("–" if np.isnan(value) else f"{value:.3f}" for value in row))
        for label, count, row in zip(labels, right, figures, strict=True)
    ]
    return Table(title="Class by class", columns=("class", "examples", "precision", "recall", "F1"), rows=rows)


def _confusion_matrix(labels: Sequence[str], counts: np.ndarray) -> list[Plot]:
    if len(labels) > MOST_IN_HEATMAP:
        return []
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return [
        Heatmap(
            title="What is taken for what, in percent of the right class",
            values=np.round(100 * shares),
            x_label="guessed",
            y_label="right",
            row_labels=tuple(labels),
            column_labels=tuple(labels),
            is_labelled=len(labels) <= 12,
        )
    ]


def _calibration(probabilities: np.ndarray, targets: np.ndarray) -> list[Plot]:
    confidence, accuracy = calibration_bins(probabilities, targets)
    error = expected_calibration_error(probabilities, targets)
    lines = (
        Line(label="as it should be", x=(0.0, 1.0), y=(0.0, 1.0), kind="dashed"),
        Line(label="this network", x=confidence, y=accuracy),
        Line(x=confidence, y=accuracy, kind="dots", color=1),
    )
    return [
        LinePlot(
            title="How far its probabilities can be trusted",
            lines=lines,
            x_label="probability of the guess",
            y_label="share that is right",
            x_range=(0.0, 1.0),
            y_range=(0.0, 1.0),
        ),
        Text(text=f"Expected calibration error: {error:.3f} (0 is perfect; Guo et al. 2017)."),
    ]
