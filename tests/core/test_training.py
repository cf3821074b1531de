"""Training by real processes: what it learns, what it writes, how it is stopped, how it fails."""

import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from training_helpers import config_of, finish, noise_pictures, wait_for

from layerwise import jobs
from layerwise.context import train_command
from layerwise.errors import RunError
from layerwise.versions import VersionStore
from layerwise.weights import read_arrays, read_record


def test_a_run_learns_and_writes_everything_down(runs, spec, home):
    run = jobs.start(runs, spec)
    assert run.state == "queued"
    events = finish(run)
    assert [event["event"] for event in events if event["event"] not in ("progress", "checkpoint")] == [
        "queued",
        "preparing",
        "started",
        *["epoch"] * 8,
        "finished",
    ]
    assert events[-2]["event"] == "checkpoint"
    assert run.state == "finished"
    history = run.history()
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["val_accuracy"] > 0.9
    with (run.folder / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [event["loss"] for event in history]

    record = read_record(run.version_folder)
    assert record["data"]["dataset"] == "bars"
    assert record["data"]["validation_examples"] == 51
    assert record["num_parameters"] == 64 * 16 + 16 + 16 * 2 + 2
    assert record["task"]["labels"] == ["across", "down"]
    version = VersionStore(home).promote(spec, run)
    assert version.metrics["val_loss"] == min(event["val_loss"] for event in history)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(runs, spec):
    config = config_of(spec, num_epochs=2, dropout=0.3)
    twins = [jobs.start(runs, spec, config=config) for _ in range(2)]
    other = jobs.start(runs, spec, config=config_of(spec, num_epochs=2, dropout=0.3, seed=1))
    for run in (*twins, other):
        assert finish(run)[-1]["event"] == "finished"
    first, second, third = (read_arrays(run.version_folder) for run in (*twins, other))
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
    assert any(not np.array_equal(array, third[name]) for name, array in first.items())


@pytest.mark.slow
def test_a_stop_keeps_what_there_is(runs, spec):
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000))
    wait_for(run, "epoch")
    jobs.stop(run)
    assert finish(run)[-1]["event"] == "stopped"
    assert run.state == "stopped"
    assert run.reason == "Somebody asked it to stop."
    assert run.version_folder is not None
    with pytest.raises(RunError, match="cannot be stopped"):
        jobs.stop(run)


@pytest.mark.slow
def test_the_signals_of_a_shutdown_stop_it_cleanly_too(runs, spec, processes):
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000))
    wait_for(run, "progress")
    processes[-1].send_signal(signal.SIGTERM)
    assert finish(run)[-1]["event"] == "stopped"
    assert processes[-1].wait(30) == 0
    assert run.version_folder is not None


@pytest.mark.slow
def test_a_killed_run_is_failed_and_keeps_its_last_version(runs, spec, processes):
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000))
    wait_for(run, "epoch")
    processes[-1].kill()
    processes[-1].wait()
    assert finish(run)[-1]["event"] == "failed"
    assert "killed" in run.reason
    assert read_arrays(run.version_folder)


@pytest.mark.slow
def test_early_stopping_ends_a_run_that_learns_nothing_more(runs, spec, tmp_path):
    config = config_of(
        spec,
        num_epochs=200,
        patience=2,
        hidden_units=(256,),
        learning_rate=0.01,
        schedule="constant",
        validation_fraction=0.4,
    )
    run = jobs.start(runs, spec, config=config, data=noise_pictures(tmp_path / "own"))
    assert finish(run)[-1]["event"] == "finished"
    losses = [event["val_loss"] for event in run.history()]
    assert len(losses) < 200
    assert min(losses) == losses[-3]
    assert read_record(run.version_folder)["epoch"] == len(losses) - 2


@pytest.mark.slow
def test_a_diverging_run_says_what_to_do(runs, spec):
    config = config_of(spec, learning_rate=10.0, optimizer="sgd", weight_decay=1.0, schedule="constant", num_epochs=50)
    run = jobs.start(runs, spec, config=config)
    last = finish(run)[-1]
    assert last["event"] == "failed"
    assert "lower learning_rate" in last["reason"]
    assert "Traceback" not in last["reason"]


@pytest.mark.slow
def test_the_trainer_goes_on_when_its_starter_dies(runs, spec, home):
    script = (
        "from layerwise import jobs; from layerwise.registry import Registry; from layerwise.runs import RunStore;"
        "from pathlib import Path; import sys; home = Path(sys.argv[1]);"
        "print(jobs.start(RunStore(home), Registry(home).snapshot().model('toy/bars')).id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert finish(runs.get(done.stdout.strip()))[-1]["event"] == "finished"


@pytest.mark.slow
def test_the_users_own_pictures_change_the_labels(runs, spec, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for label, level in (("bright", 200), ("dark", 30), ("grey", 110)):
        (tmp_path / "own" / label).mkdir(parents=True)
        for index in range(12):
            pixels = np.clip(rng.normal(level, 10, (9, 9)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "own" / label / f"{index}.png")
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=3), data=tmp_path / "own")
    assert finish(run)[-1]["event"] == "finished", run.log_text()
    record = read_record(run.version_folder)
    assert record["task"]["labels"] == ["bright", "dark", "grey"]
    assert read_arrays(run.version_folder)["003/output/bias"].shape == (3,)
    assert record["data"]["folder"] == str((tmp_path / "own").resolve())


def test_a_folder_that_is_not_there_is_said_before_anything_starts(runs, spec, tmp_path):
    with pytest.raises(RunError, match="no such folder"):
        jobs.start(runs, spec, data=tmp_path / "nowhere")
    assert runs.list() == []


@pytest.mark.slow
def test_a_folder_of_the_wrong_form_fails_with_a_sentence(runs, spec, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    run = jobs.start(runs, spec, data=tmp_path)
    last = finish(run)[-1]
    assert last["event"] == "failed"
    assert "Expected" in last["reason"]


def test_the_recorded_command_says_what_differs_from_the_variant(spec):
    config = config_of(spec, hidden_units=(8, 4), learning_rate=0.5)
    assert train_command(spec, "small", config, "my data") == (
        "layerwise train toy/bars:small --learning-rate 0.5 --hidden-units 8,4 --data 'my data'"
    )


@pytest.mark.slow
def test_events_are_plain_json_without_strange_numbers(runs, spec):
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=1))
    finish(run)
    for line in (run.folder / "events.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
