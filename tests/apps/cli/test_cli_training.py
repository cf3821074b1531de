"""train, follow, stop, resume, runs, promote, rollback, delete, evaluate: with real processes and the toy plugin."""

import os
import signal
import subprocess
import sys
import time

import pytest

from layerwise.config import settings_of
from layerwise.registry import Registry
from layerwise.runs import RunStore


def newest(home):
    return RunStore(home).list()[0]


def wait_for(home, event, seconds=60):
    """The newest run, once it has an event of that kind."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runs = RunStore(home).list()
        if runs and any(item["event"] == event for item in runs[0].events()):
            return runs[0]
        time.sleep(0.05)
    raise AssertionError(runs[0].log_text() if runs else "no run")


def test_every_field_of_a_config_is_an_option(layerwise):
    from layerwise_vision.fashion import FashionConfig

    text = layerwise("train", "vision/fashion:dense", "--help").output
    for item in settings_of(FashionConfig):
        assert f"--{item.name.replace('_', '-')}" in text
    assert "60 by default" in text  # the variant's own value, not the class's
    assert "--no-flip" in text


def test_train_help_lists_the_models(layerwise):
    text = layerwise("train", "--help").output
    assert "toy/bars" in text
    assert "vision/fashion" in text


def test_from_training_to_promotion_and_back(layerwise, toy):
    result = layerwise("train", "toy/bars", "--num-epochs", "3", "--hidden-units", "8,4", "--seed", "5")
    assert result.status == 0
    assert "epoch 3/3" in result.output
    assert "val_accuracy" in result.output
    first = newest(toy)
    assert first.config["hidden_units"] == [8, 4]
    assert first.config["seed"] == 5
    assert first.config["batch_size"] == 32  # the variant's own

    assert layerwise("promote", first.id[-4:]).output == f"In use now: toy/bars:small@{first.id}\n"
    measured = layerwise("evaluate", "toy/bars", "--json").json
    assert {name: measured[name] for name in ("name", "variant", "version", "dataset", "source", "split", "count")} == {
        "name": "toy/bars",
        "variant": "small",
        "version": first.id,
        "dataset": "bars",
        "source": "generated",
        "split": "test",
        "count": 200,
    }
    low, high = measured["interval"]["accuracy"]
    assert low < measured["metrics"]["accuracy"] < high
    assert f"toy/bars:small@{first.id}" in layerwise("evaluate", "toy/bars", "--split", "validation").output

    second = layerwise("train", "toy/bars", "--num-epochs", "1", "--promote", "--json")
    assert second.json["state"] == "finished"
    assert len(second.json["history"]) == 1
    listed = layerwise("runs", "toy/bars:small", "--json").json
    assert [(run["id"], run["is_promoted"]) for run in listed] == [(second.json["run"], True), (first.id, False)]
    assert layerwise("runs", "toy/bars:deep", "--json").json == []
    assert layerwise("delete", second.json["run"], "--yes").status == 1  # in use
    assert layerwise("rollback", "toy/bars").output == f"In use again: toy/bars:small@{first.id}\n"
    assert layerwise("delete", second.json["run"], "--yes").status == 0
    assert [run["id"] for run in layerwise("runs", "--json").json] == [first.id]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("--num-epochs", "0"),
            "Number of epochs (num_epochs) is out of range. Expected: 1 to 10,000 epochs. Received: 0",
        ),
        (("--learning-rate", "fast"), "Learning rate (learning_rate) cannot be read. Expected: a number"),
        (("--optimizer", "magic"), "adam, adamw, sgd, rmsprop"),
        (("--hidden-units", "8,x"), "whole numbers separated by commas"),
        (("--data", "nowhere"), "There is no such folder to train on"),
        (("--detach", "--promote"), "leave out one of them"),
        (("--device", "tpu"), "The device is not known. Expected: auto, cpu, gpu (any one), gpu:0"),
        (("--device", "gpu:99"), "GPU on this machine"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_starts(layerwise, toy, words, expected):
    result = layerwise("train", "toy/bars", *words)
    assert result.status == 1
    assert expected in result.error
    assert RunStore(toy).list() == []


def test_a_version_is_no_model_to_train(layerwise):
    result = layerwise("train", "toy/bars@shipped")
    assert result.status == 1
    assert "A version is trained already" in result.error


@pytest.mark.slow
def test_a_run_that_fails_says_why(layerwise, toy, tmp_path, monkeypatch):
    # As if the data had changed after they were looked at.
    monkeypatch.setattr("layerwise_app.cli.train.look_at", lambda workspace, spec, data, json: data)
    (tmp_path / "own").mkdir()
    result = layerwise("train", "toy/bars", "--data", str(tmp_path / "own"))
    assert result.status == 1
    assert result.error.startswith("Failed. ")
    assert "Traceback" not in result.error
    assert newest(toy).state == "failed"


@pytest.mark.slow
def test_detached_runs_are_followed_and_stopped(layerwise, toy):
    started = layerwise("train", "toy/bars", "--num-epochs", "10000", "--detach", "--json").json
    assert started["state"] == "queued"
    run = wait_for(toy, "epoch")
    assert run.id == started["run"]
    assert layerwise("delete", run.id, "--yes").status == 1  # it is running
    assert "stops after its current step" in layerwise("stop", run.id).output
    followed = layerwise("follow", run.id)
    assert followed.status == 130
    assert "Stopped." in followed.output
    assert layerwise("stop", run.id).status == 1  # it has ended
    assert layerwise("promote", run.id).status == 0


def interrupt(words, home, after):
    """Start a command in a process of its own, and press Ctrl-C after an event of the run that it shows already: while
    plugins are loaded Ctrl-C means something else."""
    process = subprocess.Popen(
        [sys.executable, "-m", "layerwise_app.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stdout is not None
    shown = process.stdout.readline()
    run = wait_for(home, after)
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    return run, process.returncode, shown + output, error


@pytest.mark.slow
def test_ctrl_c_stops_the_run_and_keeps_what_there_is(toy):
    run, status, output, error = interrupt(["train", "toy/bars", "--num-epochs", "10000"], toy, "epoch")
    assert status == 130
    assert "Stopped. To use it: layerwise promote" in output
    assert error == ""
    assert run.state == "stopped"
    assert run.version_folder is not None


@pytest.mark.slow
def test_ctrl_c_while_following_leaves_the_run_alone(layerwise, toy):
    identifier = layerwise("train", "toy/bars", "--num-epochs", "10000", "--detach", "--json").json["run"]
    run, status, _, error = interrupt(["follow", identifier], toy, "epoch")
    assert status == 130
    assert error == f"It goes on by itself: layerwise follow {run.id[-4:]} shows it.\n"
    assert run.state == "running"
    run.request_stop()
    assert layerwise("follow", identifier).status == 130


@pytest.mark.slow
def test_a_run_waits_for_the_one_before_it_and_leaves_the_queue_at_ctrl_c(layerwise, toy):
    first = layerwise("train", "toy/bars", "--num-epochs", "10000", "--detach", "--json").json["run"]
    wait_for(toy, "epoch")
    second, status, output, error = interrupt(["train", "toy/bars", "--num-epochs", "2"], toy, "waiting")
    assert second.id != first
    assert (status, error) == (130, "")
    assert f"It waits for {first}, which has the device." in output
    assert f"To go on: layerwise resume {second.id[-4:]}" in output

    runs = {run["id"]: run for run in layerwise("runs", "--json").json}
    assert (runs[first]["state"], runs[first]["is_resumable"], runs[first]["device"]) == ("running", False, "auto")
    assert (runs[second.id]["state"], runs[second.id]["is_resumable"]) == ("stopped", True)
    assert "Somebody asked it to stop." in layerwise("runs").output
    assert layerwise("resume", first).status == 1  # it is running
    layerwise("stop", first)
    assert layerwise("follow", first).status == 130

    resumed = layerwise("resume", second.id, "--promote")
    assert resumed.status == 0, resumed.error
    assert "epoch 2/2" in resumed.output
    assert f"In use now: toy/bars:small@{second.id}" in resumed.output
    assert "cannot be resumed. Expected: one that was stopped or failed" in layerwise("resume", second.id).error


@pytest.mark.slow
def test_a_resumed_run_shows_where_it_goes_on_and_only_the_last_of_what_was(layerwise, toy):
    layerwise("train", "toy/bars", "--num-epochs", "10000", "--detach")
    run = wait_for(toy, "epoch")
    while len(run.history()) < 20:
        time.sleep(0.05)
    layerwise("stop", run.id)
    layerwise("follow", run.id)
    place = run.event_log.newest("checkpoint")
    assert layerwise("resume", run.id, "--detach", "--json").json == {"run": run.id, "state": "queued"}
    while run.event_log.newest("started")["epoch"] == 1:
        time.sleep(0.05)
    layerwise("stop", run.id)
    shown = layerwise("follow", run.id).output
    assert f"It went on from epoch {place['epoch']}, step {place['step']}" in shown or place["step"] == 0
    assert "epochs before these" in shown
    assert "epoch 1/10000 " not in shown
    (listed,) = layerwise("runs", "--json").json
    assert listed["epochs"] == len(run.history())
    assert listed["checkpoint"]
    assert "checkpoint " in layerwise("runs").output
    assert listed["metrics"]["loss"] == run.history()[-1]["loss"]


def test_several_runs_are_deleted_at_once(layerwise, toy):
    spec = Registry(toy).snapshot().model("toy/bars")
    for _ in range(2):
        RunStore(toy).create(spec, None, spec.variant().config).append_failure("The power went out.")
    first, second = (run.id for run in RunStore(toy).list())
    assert layerwise("delete", first, "nothing", "--yes").status == 1
    assert len(RunStore(toy).list()) == 2, "one that is not there: none is deleted"
    assert layerwise("delete", first, second, "--yes").output == f"{first} is deleted.\n{second} is deleted.\n"
    assert RunStore(toy).list() == []


@pytest.mark.slow
def test_own_pictures_are_trained_on_and_predicted(layerwise, toy, tmp_path):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for label, level in (("bright", 220), ("dark", 20)):
        (tmp_path / "own" / label).mkdir(parents=True)
        for index in range(24):
            pixels = np.clip(rng.normal(level, 8, (8, 8)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "own" / label / f"{index}.png")
    words = ("--data", str(tmp_path / "own"), "--num-epochs", "30", "--promote")
    assert layerwise("train", "toy/bars", *words).status == 0
    (found,) = layerwise("predict", "toy/bars", str(tmp_path / "own" / "dark" / "3.png"), "--json").json
    assert set(found["answer"]["probabilities"]) == {"bright", "dark"}
