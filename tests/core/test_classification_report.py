"""What is shown beside the metrics of a classification, against figures computed by hand."""

import numpy as np
import pytest

from layerwise.plots import Heatmap, LinePlot, Pictures, Table, Text
from layerwise.tasks import ImageClassification
from layerwise.tasks.classification_report import confusions, mistakes, report
from layerwise.tasks.metrics import calibration_bins, expected_calibration_error

LABELS = ("cat", "dog", "fox")
TARGETS = np.array([0, 0, 0, 0, 1, 1])
GUESSES = np.array([0, 0, 0, 1, 1, 0])
SURE = np.array([3.0, 2.0, 1.0, 5.0, 1.0, 0.5])
LOGITS = np.eye(3)[GUESSES] * SURE[:, None]


def test_figures_of_each_class():
    table = next(plot for plot in report(LABELS, LOGITS, TARGETS) if isinstance(plot, Table))
    assert table.rows == [
        ("cat", 4, "0.750", "0.750", "0.750"),
        ("dog", 2, "0.500", "0.500", "0.500"),
        ("fox", 0, "–", "–", "–"),
    ]


def test_what_is_taken_for_what():
    assert confusions(GUESSES, TARGETS, 3).tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    heat = next(plot for plot in report(LABELS, LOGITS, TARGETS) if isinstance(plot, Heatmap))
    assert heat.values.tolist() == [[75, 25, 0], [50, 50, 0], [0, 0, 0]]


def test_with_many_classes_there_is_no_matrix():
    labels = [f"{number}" for number in range(40)]
    shown = report(labels, np.eye(40), np.arange(40))
    assert not any(isinstance(plot, Heatmap) for plot in shown)
    assert any(isinstance(plot, LinePlot) for plot in shown)


def test_the_bins_give_the_calibration_error():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(0, 2, (500, 3)), rng.integers(0, 3, 500)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    confidence, accuracy = calibration_bins(probabilities, targets)
    bins = np.ceil(probabilities.max(axis=1) * 15).astype(int)
    counts = np.unique(bins, return_counts=True)[1]
    error = np.sum(np.abs(accuracy - confidence) * counts) / 500
    assert error == pytest.approx(expected_calibration_error(probabilities, targets))


def test_the_mistakes_of_which_it_is_most_certain():
    pictures = np.arange(6 * 4, dtype="uint8").reshape(6, 2, 2, 1)
    (shown,) = mistakes(LABELS, LOGITS, TARGETS, pictures)
    assert isinstance(shown, Pictures)
    assert [picture.caption.partition(" (")[0] for picture in shown.pictures] == [
        "cat, taken for dog",
        "dog, taken for cat",
    ]
    np.testing.assert_allclose(shown.pictures[0].pixels, pictures[3] / 255)
    (said,) = mistakes(LABELS, np.eye(3)[TARGETS], TARGETS, pictures)
    assert isinstance(said, Text)


def test_a_task_for_pictures_shows_its_mistakes():
    task = ImageClassification(labels=LABELS, size=(2, 2), channels=1)
    shown = task.report(LOGITS, TARGETS, np.zeros((6, 2, 2, 1), "uint8"))
    assert [type(plot) for plot in shown] == [Table, Heatmap, LinePlot, Text, Pictures]
