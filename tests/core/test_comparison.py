"""Runs beside each other: differences, contrasts in pairs, tables, and figures that are measured once."""

import csv
import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest
import sample_models as samples
from plugins_sample.samples import install
from plugins_sample.toy.layerwise_toy import BarsConfig
from scipy import stats

from layerwise import weights
from layerwise.comparing import measurement
from layerwise.comparing.comparison import (
    Contrast,
    contrast,
    contrasts,
    differences,
    find_runs,
    summary,
    write_epochs,
    write_summary,
)
from layerwise.comparing.measurement import Measurement, start_measuring
from layerwise.errors import InputError, NotFoundError, RunError
from layerwise.runs import RunStore

EPOCH = {"event": "epoch", "epoch": 1, "loss": 0.5, "val_loss": 0.75, "learning_rate": 0.01, "seconds": 2.0}


@pytest.fixture
def shelf():
    return samples.shelf(samples.NUMPY)


@pytest.fixture
def measured(tmp_path, shelf):
    """Two runs whose versions are measured: the second answers a little worse."""

    def make(shift):
        run = samples.save_version(tmp_path, samples.NUMPY, {"centroids": samples.CENTROIDS + np.float32(shift)})
        Measurement(run).measure(shelf)
        return run

    return make(0.0), make([0.6, -0.6, 0, 0])


def test_only_what_differs_is_listed(tmp_path):
    spec = samples.spec_of("sample/a", config=BarsConfig)
    runs = RunStore(tmp_path)
    one = runs.create(spec, None, BarsConfig(hidden_units=(8,)))
    other = runs.create(spec, None, BarsConfig(hidden_units=(8, 4), learning_rate=0.5), data=tmp_path)
    other.append("started", device="GPU 0", num_epochs=1)
    found = {(item.kind, item.name): item.values for item in differences([one, other])}
    assert found == {
        ("config", "learning_rate"): (0.001, 0.5),
        ("config", "hidden_units"): ([8], [8, 4]),
        ("run", "data"): (None, str(tmp_path)),
        ("run", "device"): (None, "GPU 0"),
    }
    assert differences([one, one]) == []


def test_packages_and_code_that_differ_are_listed(tmp_path):
    runs = [RunStore(tmp_path).create(samples.NUMPY, None, samples.NUMPY.variants[0].config) for _ in range(3)]
    path = runs[1].folder / "run.json"
    request = json.loads(path.read_text())
    request["environment"]["packages"]["numpy"] = "1.0"
    request["git"] = "abc-dirty"
    path.write_text(json.dumps(request))
    runs = RunStore(tmp_path).list()[::-1]
    assert [(item.kind, item.name) for item in differences(runs)] == [("run", "git"), ("run", "numpy")]
    assert differences(runs)[1].values.count("1.0") == 1


def test_a_contrast_is_that_of_a_paired_bootstrap(measured):
    one, other = (Measurement(run).result for run in measured)
    found = contrast(one, other)["accuracy"]
    inputs, targets = samples.examples(600, seed=11)
    hits = [
        (((inputs[:, None] - centroids) ** 2).sum(axis=2).argmin(axis=1) == targets).astype(float)
        for centroids in (samples.CENTROIDS, samples.shifted(1.0))
    ]
    assert found.difference == pytest.approx(hits[1].mean() - hits[0].mean())
    expected = stats.bootstrap(
        tuple(hits),
        lambda first, second, axis: second.mean(axis=axis) - first.mean(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.1 * width)
    assert found.high == pytest.approx(expected.high, abs=0.1 * width)
    # Not paired it would be wider: both fail on many of the same examples.
    assert width < 0.97 * 2 * 1.96 * np.sqrt(sum(hit.var() / 600 for hit in hits))
    assert found.is_beyond_chance
    assert contrasts(measured) == {measured[1].id: contrast(one, other)}
    assert contrasts(measured[::-1])[measured[0].id]["accuracy"].difference == -found.difference


@pytest.mark.parametrize(("low", "high", "beyond"), [(-0.1, 0.2, False), (0.01, 0.2, True), (-0.2, -0.1, True)])
def test_beyond_chance_means_that_zero_is_out_of_reach(low, high, beyond):
    assert Contrast(difference=0.0, low=low, high=high).is_beyond_chance is beyond


def test_the_same_version_twice_does_not_differ(measured):
    result = Measurement(measured[0]).result
    assert set(contrast(result, result).values()) == {Contrast(difference=0.0, low=0.0, high=0.0)}


def test_nothing_is_said_of_other_examples(measured):
    one, other = (Measurement(run).result for run in measured)
    assert contrast(one, {**other, "examples": "others"}) == {}


def test_a_version_is_measured_once_and_again_after_it_has_changed(measured, shelf, monkeypatch):
    run = measured[0]
    kept = Measurement(run).result
    assert kept["split"] == "test"
    assert kept["count"] == 600
    assert Measurement(run).measure(shelf) == kept
    record = {"name": "sample/centroids", "variant": "default", "task": samples.NUMPY.task.parameters(), "config": {}}
    weights.save_arrays({"centroids": samples.CENTROIDS * 2}, run.folder / "version", record)
    assert Measurement(run).result is None
    assert contrasts(measured) == {}
    assert Measurement(run).measure(shelf)["metrics"] != kept["metrics"]


def test_a_run_without_a_version_is_not_measured(tmp_path, shelf):
    run = RunStore(tmp_path).create(samples.NUMPY, None, samples.NUMPY.variants[0].config)
    with pytest.raises(RunError, match="no version"):
        Measurement(run).measure(shelf)
    assert start_measuring([run]) == []
    assert summary(run)["measured"] is None


def test_runs_are_found_once_and_more_than_one_is_needed(measured, tmp_path):
    store = RunStore(tmp_path)
    one, other = measured
    assert [run.id for run in find_runs(store, [other.id, one.id[-4:], one.id])] == [other.id, one.id]
    with pytest.raises(InputError, match="two runs or more"):
        find_runs(store, [one.id, one.id])
    with pytest.raises(NotFoundError):
        find_runs(store, [one.id, "none"])


def rows_of(write, runs):
    file = io.StringIO()
    write(runs, file)
    file.seek(0)
    return list(csv.DictReader(file))


def test_tables_of_runs_in_every_state(measured, tmp_path):
    one = measured[0]
    one.append(**EPOCH)
    one.append(**{**EPOCH, "epoch": 2, "accuracy": 0.9})
    one.append("failed", reason="It diverged")
    rows = rows_of(write_epochs, measured)
    assert [(row["run"], row["epoch"], row["loss"], row["accuracy"]) for row in rows] == [
        (one.id, "1", "0.5", ""),
        (one.id, "2", "0.5", "0.9"),
    ]
    first, second = rows_of(write_summary, measured)
    assert (first["state"], first["reason"], first["epochs"], first["seconds"]) == ("failed", "It diverged", "2", "4.0")
    assert (second["state"], second["epochs"], second["last_loss"]) == ("queued", "0", "")
    assert float(first["measured_accuracy_low"]) < float(first["measured_accuracy"])
    assert float(first["measured_accuracy"]) < float(first["measured_accuracy_high"])
    assert first["config_learning_rate"] == "0.001"


def wait_until_measured(run, seconds=60):
    deadline = time.monotonic() + seconds
    while Measurement(run).progress is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_process_of_its_own_measures_and_keeps_what_went_wrong(tmp_path, site):
    # With a plugin that is installed, since the process finds its models as every process does.
    source = (
        "import sys; sys.path.insert(0, {path!r})\n"
        "from layerwise import hookimpl\n"
        "from sample_models import GRADES, NUMPY\n"
        "@hookimpl\ndef layerwise_models(): return [NUMPY]\n"
        "@hookimpl\ndef layerwise_datasets(): return [GRADES]\n"
    ).format(path=str(samples.__file__.rpartition("/")[0]))
    install(site, source, name="grader")
    good = samples.save_version(tmp_path, samples.NUMPY, {"centroids": samples.CENTROIDS})
    bad = samples.save_version(tmp_path, samples.NUMPY, {"other": samples.CENTROIDS})
    assert start_measuring([good, bad]) == [good, bad]
    assert Measurement(good).progress == (0, 0)
    assert start_measuring([good, bad]) == [], "it is being done"
    for run in (good, bad):
        wait_until_measured(run)
    log = (good.folder / "measurement" / "log.txt").read_text()
    assert Measurement(good).result is not None, log
    assert Measurement(good).result["count"] == 600
    assert Measurement(good).error == ""
    assert Measurement(bad).result is None
    assert "could not be evaluated" in Measurement(bad).error


def test_a_measurement_that_was_killed_is_not_taken_for_one_that_goes_on(measured, monkeypatch):
    found = Measurement(measured[0])
    code = f"""
import sys, time
from layerwise.comparing.measurement import Measurement
from layerwise.runs import Run
from pathlib import Path
found = Measurement(Run(Path({str(measured[0].folder)!r})))
with found.lock():
    found.note(3, 10)
    print("locked", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    monkeypatch.setattr(measurement, "STARTING_SECONDS", 0.0)
    assert found.progress == (3, 10)
    process.kill()
    process.wait()
    assert found.progress is None
