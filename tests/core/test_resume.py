"""Runs that are really killed, and go on to the very same weights."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from training_helpers import assert_same_bits, config_of, finish, noise_pictures

from layerwise import jobs
from layerwise.errors import RunError
from layerwise.runs import RunStore

EVERY_CHANCE = {"checkpoint_minutes": 0.0}  # a checkpoint whenever it costs less than two percent of the time
DENSE = {"num_epochs": 1_000, "dropout": 0.3, "hidden_units": (64, 32), **EVERY_CHANCE}
CONVOLUTIONAL = {"num_epochs": 400, "dropout": 0.3, "filters": 8, "batch_size": 16, **EVERY_CHANCE}


def epochs_of(run):
    return [event["epoch"] for event in run.history()]


def kill(process):
    process.kill()
    process.wait()


def kill_at_random(run, process, chance):
    """Kill the process at a random moment of its training. Returns whether it was still there."""
    position = run.event_log.read_from(0)[1]
    while process.poll() is None:
        if any(event["event"] == "progress" for event in run.event_log.read_from(position)[0]):
            break
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, 1.0))
    was_there = process.poll() is None
    kill(process)
    return was_there


def kill_while_it_writes(run, process):
    """Kill the process when a checkpoint is half written."""
    folder = run.checkpoints.folder
    before = set(names(folder))
    while process.poll() is None:
        if any(name.startswith(".") and name not in before for name in names(folder)):
            break
    was_there = process.poll() is None
    kill(process)
    return was_there


def names(folder: Path):
    return os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 (as fast as it can be)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("settings", "seed", "num_kills"),
    [
        pytest.param(DENSE | {"num_epochs": 500}, 1, 5, id="dense"),
        pytest.param(DENSE, 1, 10, id="dense-often", marks=pytest.mark.long),
        pytest.param(CONVOLUTIONAL, 2, 10, id="convolutional", marks=pytest.mark.long),
    ],
)
def test_kills_at_random_moments_change_not_a_bit(runs, spec, processes, home, settings, seed, num_kills):
    config = config_of(spec, **settings)
    chance = random.Random(seed)
    run = jobs.start(runs, spec, config=config)
    kills = torn = 0
    while kills < num_kills:
        process = processes[-1]
        if kills % 3 == 2:
            was_there = kill_while_it_writes(run, process)
            torn += any(name.startswith(".") for name in names(run.checkpoints.folder))
        else:
            was_there = kill_at_random(run, process, chance)
        assert was_there, (
            f"it ended before it was killed {num_kills} times: give it more than {config.num_epochs} epochs"
        )
        assert run.state == "failed"
        assert "killed" in run.reason
        kills += 1
        jobs.resume(run)
    assert finish(run, seconds=400)[-1]["event"] == "finished", run.log_text()
    assert torn > 0
    assert epochs_of(run) == list(range(1, config.num_epochs + 1))
    went_on = [event for event in run.events() if event["event"] == "started"]
    assert sum((event["epoch"], event["step"]) > (1, 0) for event in went_on) >= num_kills - 2

    reference = jobs.start(RunStore(home.with_name("other")), spec, config=config)
    assert finish(reference, seconds=400)[-1]["event"] == "finished"
    assert_same_bits(run, reference)


@pytest.mark.slow
def test_a_stop_and_a_resume_change_not_a_bit(runs, spec, home):
    config = config_of(spec, num_epochs=40, dropout=0.2, patience=1_000)
    reference = jobs.start(RunStore(home.with_name("other")), spec, config=config)
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=40, dropout=0.2, patience=1_000))
    for event in jobs.follow(run, poll=0.01):
        if event["event"] == "progress" and event["epoch"] == 2:
            run.request_stop()
    assert run.state == "stopped"
    jobs.resume(run)
    assert finish(run)[-1]["event"] == "finished"
    assert finish(reference)[-1]["event"] == "finished"
    starts = [(event["epoch"], event["step"]) for event in run.events() if event["event"] == "started"]
    assert len(starts) == 2
    assert starts[1] >= (2, 1)
    assert epochs_of(run) == list(range(1, 41))
    with (run.folder / "metrics.csv").open(encoding="utf-8") as file:
        assert len(file.readlines()) == 41
    assert_same_bits(run, reference)
    with pytest.raises(RunError, match="cannot be resumed"):
        jobs.resume(run)


@pytest.mark.slow
def test_a_torn_checkpoint_is_passed_over_and_early_stopping_remembers(runs, spec, processes, home, tmp_path):
    own = noise_pictures(tmp_path / "own")
    changes = {"num_epochs": 2_000, "patience": 400, "learning_rate": 0.01, "schedule": "constant", **EVERY_CHANCE}
    config = config_of(spec, validation_fraction=0.4, **changes)
    run = jobs.start(runs, spec, config=config, data=own)
    kept = 0
    for event in jobs.follow(run, poll=0.001):
        kept += event["event"] == "checkpoint"
        if kept == 3:
            kill(processes[-1])
            break
    newest = max(path for path in run.checkpoints.folder.iterdir() if not path.name.startswith("."))
    newest.write_bytes(newest.read_bytes()[:1000])
    expected = run.checkpoints.latest().state
    assert expected["callbacks"][0]["wait"] > 0
    jobs.resume(run)
    assert finish(run)[-1]["event"] == "finished", run.log_text()
    second = [event for event in run.events() if event["event"] == "started"][1]
    assert (second["epoch"], second["step"]) == (expected["place"]["epoch"], expected["place"]["step"])

    reference = jobs.start(RunStore(home.with_name("other")), spec, config=config, data=own)
    assert finish(reference)[-1]["event"] == "finished"
    assert epochs_of(run) == epochs_of(reference) == list(range(1, len(reference.history()) + 1))
    assert len(reference.history()) < 2_000
    assert_same_bits(run, reference)


@pytest.mark.slow
def test_a_run_without_a_checkpoint_begins_again(runs, spec, processes):
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000))
    for event in jobs.follow(run, poll=0.001):
        if event["event"] == "epoch":
            kill(processes[-1])
            break
    assert run.checkpoints.latest() is None
    position = run.event_log.read_from(0)[1]
    jobs.resume(run)
    for event in jobs.follow(run, poll=0.01, position=position):
        if event["event"] == "epoch" and not run.stop_requested:
            run.request_stop()
    assert run.state == "stopped"
    assert [event["epoch"] for event in run.events() if event["event"] == "started"] == [1, 1]
    assert epochs_of(run)[:1] == [1]


@pytest.mark.slow
def test_changed_data_are_not_gone_on_with(runs, spec, tmp_path):
    own = noise_pictures(tmp_path / "own")
    run = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000), data=own)
    for event in jobs.follow(run, poll=0.01):
        if event["event"] == "epoch" and not run.stop_requested:
            run.request_stop()
    for index in range(10):
        (own / "heads" / f"{index}.png").unlink()
    jobs.resume(run)
    last = finish(run)[-1]
    assert last["event"] == "failed"
    assert "put the data back" in last["reason"]


def test_a_full_disk_is_said_and_can_be_gone_on_from(runs, spec, monkeypatch):
    """The process of a job itself, in here, on a disk that is full from the second checkpoint on."""
    import errno

    from layerwise.job_folders import checkpoints
    from layerwise.job_folders.events import EventLog

    run = runs.create(spec, None, config_of(spec, num_epochs=50, **EVERY_CHANCE))
    real_write, real_append = checkpoints.write_atomically, EventLog.append
    reserve = run.folder / "reserve"

    def write(path, data):
        if path.name.startswith("000002"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real_write(path, data)

    def append(log, event, **values):
        if event == "failed" and reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        real_append(log, event, **values)

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # the job sets it, and it is to be put back
    monkeypatch.setattr(checkpoints, "write_atomically", write)
    monkeypatch.setattr(EventLog, "append", append)
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert jobs.main(str(run.folder)) == 1
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    assert run.state == "failed"
    assert "disk is full" in run.reason
    monkeypatch.undo()
    assert run.checkpoints.latest() is not None
