"""How a classification goes class by class, as plots: figures of each class, what is taken for what, how far its
probabilities can be trusted, and where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.from_scratch.losses import softmax
from layerwise.plots import Heatmap, Line, LinePlot, Picture, Pictures, Plot, Table, Text
from layerwise.tasks.metrics import calibration_bins, expected_calibration_error

MOST_IN_HEATMAP = 30
"""With more classes the cells of a confusion matrix are too small to see."""
NUM_MISTAKES, SHOWN_CHARACTERS = 12, 240
SUREST, NO_MISTAKE = "The mistakes of which it is most certain", "It made no mistake."


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
    shown = [
        Picture(pixels=np.asarray(pictures[place]) / 255.0, caption=f"{right}, taken for {guess} ({sure:.0%})")
        for place, right, guess, sure in _surest_mistakes(labels, logits, targets)
    ]
    return [Pictures(title=SUREST, pictures=shown)] if shown else [Text(text=NO_MISTAKE)]


def mistaken_texts(labels: Sequence[str], logits: np.ndarray, targets: np.ndarray, texts: Sequence[str]) -> list[Plot]:
    """The texts [examples] that were given a wrong label with the greatest probability."""
    rows = [
        (_beginning(texts[place]), right, guess, f"{sure:.0%}")
        for place, right, guess, sure in _surest_mistakes(labels, logits, targets)
    ]
    columns = ("text", "right", "guess", "probability")
    return [Table(title=SUREST, columns=columns, rows=rows)] if rows else [Text(text=NO_MISTAKE)]


def _beginning(text: str) -> str:
    """The beginning of a text that is long."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _surest_mistakes(
    labels: Sequence[str], logits: np.ndarray, targets: np.ndarray
) -> list[tuple[int, str, str, float]]:
    """Place, right label, guess and its probability of the examples that were given a wrong label with the greatest
    probability."""
    probabilities = softmax(np.asarray(logits, "float64"))
    guesses, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(guesses != targets)
    chosen = wrong[sure[wrong].argsort(kind="stable")[::-1][:NUM_MISTAKES]]
    return [(int(i), labels[int(targets[i])], labels[int(guesses[i])], float(sure[i])) for i in chosen]


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
