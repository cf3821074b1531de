"""Who is ahead among the runs of a model: the best epoch of each, by the metric of held-out data where there is one."""

import math

import pytest
import sample_models as samples

from layerwise.comparing.standings import standings
from layerwise.runs import RunStore


@pytest.fixture
def ranked(tmp_path):
    """`ranked([{...}, ...], ...)`: the standings of runs with these epochs, the first the newest, and the runs."""
    store = RunStore(tmp_path)

    def make(*histories):
        runs = []
        for number, epochs in enumerate(histories):
            run = store.create(samples.NUMPY, None, samples.NUMPY.variants[0].config, by=f"pupil {number}")
            for epoch, metrics in enumerate(epochs, 1):
                run.append("epoch", epoch=epoch, **metrics)
            runs.append(run)
        return standings([(run, run.history()) for run in runs]), runs

    return make


def test_the_best_epoch_of_held_out_data_counts(ranked):
    found, runs = ranked(
        [{"loss": 0.9, "accuracy": 0.9, "val_loss": 0.4, "val_accuracy": 0.6}, {"loss": 0.1, "val_accuracy": 0.5}],
        [],
        [{"loss": 0.8, "accuracy": 0.5, "val_accuracy": 0.8}],
    )
    assert [(item.run.id, item.place) for item in found] == [(runs[2].id, 1), (runs[0].id, 2), (runs[1].id, None)]
    assert [(item.best, item.epoch, item.epochs) for item in found] == [(0.8, 1, 1), (0.6, 1, 2), (None, 0, 0)]
    assert {item.metric for item in found} == {"val_accuracy"}
    assert [item.run.by for item in found] == ["pupil 2", "pupil 0", "pupil 1"]


def test_less_is_better_of_losses_and_errors(ranked):
    found, runs = ranked([{"loss": 0.9}, {"loss": 0.3}], [{"loss": 0.2}])
    assert [(item.run.id, item.best, item.epoch) for item in found] == [(runs[1].id, 0.2, 1), (runs[0].id, 0.3, 2)]


def test_what_has_diverged_or_says_something_else_comes_last(ranked):
    found, runs = ranked([{"loss": 1.0, "rmse": 2.0}], [{"loss": math.nan, "rmse": math.nan}], [{"loss": 0.1}])
    assert [(item.run.id, item.place) for item in found] == [(runs[0].id, 1), (runs[1].id, None), (runs[2].id, None)]
    assert found[1].epochs == 1


def test_of_equals_the_older_one_comes_first(tmp_path, ranked):
    found, runs = ranked([{"accuracy": 0.5}], [{"accuracy": 0.5}])
    assert [item.place for item in found] == [1, 2]
    assert [item.run.created for item in found] == sorted(run.created for run in runs)


def test_no_run_at_all():
    assert standings([]) == []
