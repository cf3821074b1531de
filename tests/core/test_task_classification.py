"""Loss, metrics and answers of classifications, against scikit-learn and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerwise.config import TrainingConfig
from layerwise.errors import DataError, SpecError
from layerwise.tasks import ImageClassification
from layerwise.tasks.metrics import classification_metrics, expected_calibration_error

NAMES = tuple("abcdefgh")
TASK = ImageClassification(labels=NAMES, size=(8, 8))


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(3)
    targets = random.integers(0, 8, 500)
    targets[targets == 6] = 5  # a class that never occurs
    logits = random.normal(0, 2, [500, 8]).astype("float32")
    logits[np.arange(500), targets] += 2
    return logits, targets


def test_metrics_equal_those_of_scikit_learn(sample):
    metrics = pytest.importorskip("sklearn.metrics")
    logits, targets = sample
    probabilities = np.exp(logits.astype("float64"))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    guesses = logits.argmax(axis=1)
    found = TASK.evaluate(logits, targets)
    assert list(found) == ["accuracy", "top_5_accuracy", "macro_f1", "log_loss", "expected_calibration_error"]
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(targets, guesses))
    top = metrics.top_k_accuracy_score(targets, logits, k=5, labels=range(8))
    assert found["top_5_accuracy"] == pytest.approx(top)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(targets, guesses, average="macro"))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(targets, probabilities, labels=range(8)))


def test_macro_f1_leaves_out_classes_that_never_occur():
    metrics = pytest.importorskip("sklearn.metrics")
    targets, guesses = np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 1, 0])
    found = classification_metrics(np.eye(6)[guesses], targets)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(targets, guesses, average="macro", zero_division=0))


def test_calibration_error_by_hand():
    # Two bins: confidence 0.9 (half right), confidence 0.6 (all right): 2/3 * |0.5 - 0.9| + 1/3 * |1 - 0.6|.
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    found = expected_calibration_error(probabilities, np.array([0, 0, 0]))
    assert found == pytest.approx(2 / 3 * 0.4 + 1 / 3 * 0.4)


def test_a_network_that_cannot_tell_gets_no_top_5_hits():
    assert classification_metrics(np.zeros([4, 6]), np.array([0, 1, 2, 3]))["top_5_accuracy"] == 0


def test_top_5_is_said_only_where_it_means_something():
    assert "top_5_accuracy" not in classification_metrics(np.eye(5), np.arange(5))


@pytest.mark.parametrize(
    ("logits", "targets"),
    [
        (np.zeros([2, 8]), np.array([0])),
        (np.zeros([0, 8]), np.zeros(0, int)),
        (np.zeros([1, 8]), np.array([8])),
        (np.zeros([1, 8]), np.array([-1])),
        (np.zeros([1, 8]), np.array([0.5])),
    ],
)
def test_targets_that_do_not_fit_are_refused(logits, targets):
    with pytest.raises(DataError):
        TASK.evaluate(logits, targets)


def test_outputs_of_another_width_are_refused():
    with pytest.raises(SpecError, match="8"):
        TASK.decode(np.zeros([1, 7]))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_is_the_cross_entropy_with_smoothed_targets(sample, smoothing):
    logits, targets = sample
    exact = logits.astype("float64")
    log_probabilities = exact - np.log(np.exp(exact).sum(axis=1, keepdims=True))
    wanted = np.full([500, 8], smoothing / 8)
    wanted[np.arange(500), targets] += 1 - smoothing
    loss = TASK.loss(TrainingConfig(label_smoothing=smoothing))(targets.astype("uint8"), logits)
    assert float(loss) == pytest.approx(-(wanted * log_probabilities).sum(axis=1).mean(), rel=1e-5)


def test_loss_is_finite_where_softmax_overflows():
    logits = np.array([[1e4, -1e4, 0, 0, 0, 0, 0, 0]], "float32")
    loss = TASK.loss(TrainingConfig())
    assert float(loss(np.array([1]), logits)) == pytest.approx(2e4)
    assert float(loss(np.array([0]), logits)) == pytest.approx(0)


def test_training_accuracy_equals_that_of_the_evaluation(sample):
    logits, targets = sample
    accuracy = TASK.training_metrics()["accuracy"](targets, logits)
    assert float(accuracy) == pytest.approx(TASK.evaluate(logits, targets)["accuracy"])


@given(arrays("float32", (3, 8), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
@settings(max_examples=100, deadline=None)
def test_answers_are_probabilities_of_all_labels(outputs):
    for answer, row in zip(TASK.decode(outputs), outputs, strict=True):
        values = list(answer["probabilities"].values())
        assert sum(values) == pytest.approx(1)
        assert values == sorted(values, reverse=True)
        assert all(type(value) is float for value in values)
        assert set(answer["probabilities"]) == set(NAMES)
        assert answer["label"] == next(iter(answer["probabilities"]))
        # Logits that are closer than this have the same probability, and either label is right.
        assert row[NAMES.index(answer["label"])] == pytest.approx(row.max(), rel=0, abs=1e-6)
