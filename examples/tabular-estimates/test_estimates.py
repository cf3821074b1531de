"""The plugin as its users meet it: trained on a table, asked, and held to what every plugin promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from layerwise_estimates.models import TASK, TreesConfig, build_none, read
from layerwise_estimates.task import LEVELS
from layerwise_estimates.trees import Trees, boost

from layerwise.config import config_from
from layerwise.errors import LayerwiseError
from layerwise.testing import contract


@pytest.fixture(scope="module")
def table():
    """Rows whose target spreads the more, the larger the first number is; 300 to learn from, 300 others."""
    random = np.random.default_rng(0)
    rows = random.uniform(0, 1, (600, 2)).astype("float32")
    targets = 3 * rows[:, 1] + rows[:, 0] * random.normal(size=600)
    return rows, targets


def config(**values):
    return config_from(TreesConfig, {"learning_rate": 0.1, "subsample": 0.5, **values})


def test_trees_are_those_of_scikit_learn(table):
    from sklearn.ensemble import GradientBoostingRegressor

    rows, targets = table
    ours = boost(Trees.none(0.0), rows, targets, 0.5, config(trees=20), seed=7)
    theirs = GradientBoostingRegressor(
        loss="quantile", alpha=0.5, init="zero", n_estimators=20, subsample=0.5, min_samples_leaf=8, random_state=7
    ).fit(rows, targets)
    assert ours.predict(rows) == pytest.approx(theirs.predict(rows), abs=1e-9)
    kept = Trees.of(ours.arrays(2), 2)
    assert kept.predict(rows).tobytes() == ours.predict(rows).tobytes()


def test_intervals_hold_for_rows_that_were_not_learned_from_and_follow_the_spread(table):
    rows, targets = table
    task = dataclasses.replace(TASK, mean=0.0, deviation=1.0)
    found = [boost(Trees.none(0.0), rows[:200], targets[:200], level, config(trees=60), 1) for level in LEVELS]
    quantiles = np.stack([trees.predict(rows) for trees in found], axis=1)
    calibrated = task.calibrated(quantiles[200:400], targets[200:400])
    assert calibrated.margin > 0
    measured = [one.evaluate({"quantiles": quantiles[400:]}, targets[400:])["coverage"] for one in (task, calibrated)]
    assert measured[0] < 0.85
    assert 0.85 <= measured[1] <= 0.97
    low, _, high = calibrated.ends(quantiles[400:]).T
    is_wide = rows[400:, 0] > 0.5
    assert (high - low)[is_wide].mean() > 1.5 * (high - low)[~is_wide].mean()


def test_an_interval_that_becomes_narrower_does_not_turn_inside_out():
    low, median, high = dataclasses.replace(TASK, margin=-5.0).ends(np.array([[-1.0, 0.5, 2.0]]))[0]
    assert low == pytest.approx(high)
    assert low <= high
    assert median == pytest.approx(TASK.mean + 0.5 * TASK.deviation)


def test_the_loss_of_the_network_is_that_of_the_trees():
    from keras import ops
    from layerwise_estimates.trees import _pinball

    targets = np.array([100.0, 200.0, 300.0])
    outputs = np.array([[0.0, 0.1, 0.2]] * 3, "float32")
    constant = [Trees.none(float(value)) for value in outputs[0]]
    expected = _pinball(constant, np.zeros((3, 1), "float32"), (targets - TASK.mean) / TASK.deviation)
    given = TASK.loss(config())(ops.convert_to_tensor(targets), ops.convert_to_tensor(outputs))
    assert float(given) == pytest.approx(expected, rel=1e-5)


def test_the_table_that_comes_with_it_fits_the_task():
    splits = read({})
    assert {name: len(split.targets) for name, split in splits.items()} == {"train": 353, "test": 89}
    numbers = np.delete(splits["train"].inputs, [1, 2, 3], axis=1)
    assert np.abs(numbers.mean(0)).max() < 0.1
    assert numbers.std(0) == pytest.approx(np.ones(9), abs=0.1)
    with pytest.raises(LayerwiseError, match="no network to look into"):
        build_none(config(), TASK)


@pytest.mark.parametrize("promise", contract("estimates"))
def test_it_keeps_what_every_plugin_promises(promise):
    promise.keep()
