"""Intervals, losses and metrics of ensembles, by hand and against SciPy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from sklearn import metrics as sklearn_metrics

from layerwise.errors import DataError
from layerwise.tasks.molecules.losses import absolute_error, number_loss, right_share, yes_no_loss
from layerwise.tasks.molecules.metrics import average_precision, number_metrics, roc_auc, yes_no_metrics
from layerwise.tasks.molecules.predictions import (
    NORMAL_WIDTH,
    Predicted,
    conformal_widths,
    numbers_of,
    probabilities_of,
)


def test_an_ensemble_is_a_mixture_of_normal_distributions():
    # Two members that say 0 ± 1 and 2 ± 1: mean 1, variance 1 within and 1 between.
    outputs = np.array([[[[0.0, 0.0]], [[2.0, 0.0]]]])
    found = numbers_of(outputs, [10.0], [3.0], ())
    assert found.values.tolist() == [[13.0]]
    assert found.deviations[0, 0] == pytest.approx(3 * np.sqrt(2))
    assert found.high[0, 0] - found.values[0, 0] == pytest.approx(NORMAL_WIDTH * 3 * np.sqrt(2))
    samples = np.random.default_rng(0).normal([0.0, 2.0], 1.0, (200_000, 2)).ravel()
    assert samples.std() * 3 == pytest.approx(found.deviations[0, 0], rel=0.01)


def test_probabilities_are_means_of_members_that_overflow_nothing():
    found = probabilities_of(np.array([[[0.0], [1000.0], [-1000.0]]]))
    assert found.values[0, 0] == pytest.approx(0.5)
    assert (found.low[0, 0], found.high[0, 0]) == (0, 1)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(20, 200))
def test_conformal_intervals_hold_ninety_percent_of_what_they_were_made_from(seed, count):
    random = np.random.default_rng(seed)
    outputs = np.stack([random.normal(size=(count, 4, 2)), random.normal(size=(count, 4, 2))], axis=-1)
    targets = random.normal(size=(count, 2)) * 3
    targets[random.random(targets.shape) < 0.1] = np.nan
    widths = conformal_widths(numbers_of(outputs, [0, 0], [1, 1], ()), targets)
    wide = numbers_of(outputs, [0, 0], [1, 1], [width * (1 + 1e-4) for width in widths])
    for column in range(2):
        known = np.isfinite(targets[:, column])
        inside = (wide.low <= targets) & (targets <= wide.high)
        assert inside[known, column].mean() >= 0.9


def test_a_width_where_nothing_is_known():
    nothing = Predicted(*(np.ones((3, 1)) for _ in range(4)))
    assert conformal_widths(nothing, np.full((3, 1), np.nan)) == (NORMAL_WIDTH,)


OUTPUTS = np.random.default_rng(1).normal(size=(5, 3, 2, 2)).astype("float32")
TARGETS = np.array([[1, 0], [0, np.nan], [1, 1], [np.nan, np.nan], [0, 1]], "float32")


def test_the_loss_of_numbers_by_hand():
    squared = (OUTPUTS[..., 0] - TARGETS[:, None]) ** 2
    log_variance = OUTPUTS[..., 1]
    expected = 0.5 * squared + 0.05 * (log_variance + squared * np.exp(-log_variance))
    np.testing.assert_allclose(number_loss(TARGETS, OUTPUTS), np.nanmean(expected), rtol=1e-5)
    errors = np.abs(OUTPUTS[..., 0].mean(axis=1) - TARGETS)
    np.testing.assert_allclose(absolute_error(TARGETS, OUTPUTS), np.nanmean(errors), rtol=1e-5)


def test_the_loss_of_yes_and_no_is_that_of_sklearn():
    logits = OUTPUTS[..., 0]
    known = np.isfinite(TARGETS)
    expected = [
        sklearn_metrics.log_loss(TARGETS[known], 1 / (1 + np.exp(-logits[:, member][known].astype("float64"))))
        for member in range(3)
    ]
    np.testing.assert_allclose(yes_no_loss(TARGETS, logits), np.mean(expected), rtol=1e-5)
    guesses = logits.mean(axis=1) > 0
    np.testing.assert_allclose(right_share(TARGETS, logits), np.mean(guesses[known] == TARGETS[known]), rtol=1e-6)


def test_what_nobody_knows_has_no_gradient():
    import tensorflow as tf

    outputs = tf.constant(OUTPUTS)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = number_loss(TARGETS, outputs)
    gradient = np.asarray(tape.gradient(loss, outputs))
    assert np.isfinite(gradient).all()
    assert not gradient[3].any()
    assert not gradient[1, :, 1].any()
    assert gradient[0].all()


def test_nothing_known_at_all_is_no_error():
    assert float(ops.convert_to_numpy(yes_no_loss(np.full((2, 2), np.nan), OUTPUTS[:2, ..., 0]))) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_ranks_are_those_of_sklearn(pairs):
    values, right = np.array([pair[0] for pair in pairs], float), np.array([pair[1] for pair in pairs])
    if right.all() or not right.any():
        return
    assert roc_auc(values, right) == pytest.approx(sklearn_metrics.roc_auc_score(right, values))
    assert average_precision(values, right) == pytest.approx(sklearn_metrics.average_precision_score(right, values))


def test_metrics_of_numbers_are_means_over_targets_that_are_known():
    found = numbers_of(OUTPUTS, [0, 0], [1, 1], ())
    measured = number_metrics(found, TARGETS)
    rows = [(TARGETS[k, t], found.values[k, t]) for t, k in ((0, [0, 1, 2, 4]), (1, [0, 2, 4]))]
    assert measured["rmse"] == pytest.approx(
        np.mean([np.sqrt(sklearn_metrics.mean_squared_error(*pair)) for pair in rows])
    )
    assert measured["r2"] == pytest.approx(np.mean([sklearn_metrics.r2_score(*pair) for pair in rows]))
    widths = [(found.high - found.low)[k, t].mean() for t, k in ((0, [0, 1, 2, 4]), (1, [0, 2, 4]))]
    assert measured["interval_width"] == pytest.approx(np.mean(widths))
    assert 0 <= measured["coverage_90"] <= 1


def test_metrics_of_yes_and_no_leave_out_what_cannot_be_told_apart():
    predicted = probabilities_of(OUTPUTS[..., 0])
    one = yes_no_metrics(predicted, np.stack([TARGETS[:, 0], np.ones(5)], axis=1))
    assert one == yes_no_metrics(probabilities_of(OUTPUTS[:, :, :1, 0]), TARGETS[:, :1])
    with pytest.raises(DataError, match="both of them"):
        yes_no_metrics(predicted, np.ones((5, 2)))
