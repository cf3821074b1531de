"""Trainings by several worker processes that Ray starts on this machine."""

import os
import re
import signal
from pathlib import Path

import pytest
from fresh_process import require
from training_helpers import config_of, finish

from layerwise import jobs
from layerwise.errors import DeviceError, RunError
from layerwise.hardware import cluster

WORKER = re.compile(rb"ray::.*TrainWorker")


@pytest.fixture
def ray():
    require("ray")


def workers_of(process):
    """The ids of the processes of Ray's workers below a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found, below = [], {process.pid}
    for _ in range(4):  # the job, Ray's node, its workers
        below |= {child for child, parent in parents.items() if parent in below}
    for number in sorted(below):
        try:
            if WORKER.search(Path(f"/proc/{number}/cmdline").read_bytes()):
                found.append(number)
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_two_workers_take_the_steps_of_one_process(runs, spec, ray):
    config = config_of(spec, num_epochs=3)
    alone = jobs.start(runs, spec, config=config, device="cpu")
    assert finish(alone)[-1]["event"] == "finished", alone.log_text()
    shared = jobs.start(runs, spec, config=config, device="cpu", cluster="local", workers=2)
    events = finish(shared, seconds=240)
    assert events[-1]["event"] == "finished", shared.log_text()
    assert next(event for event in events if event["event"] == "started")["replicas"] == 2
    for one, two in zip(alone.history(), shared.history(), strict=True):
        for name in ("loss", "val_loss", "val_accuracy"):
            assert two[name] == pytest.approx(one[name], rel=1e-5), name
    assert shared.version_folder is not None
    assert "Traceback" not in shared.log_text()
    assert set(re.findall(r"\(ip=([^,)]+)", shared.log_text())) == {"127.0.0.1"}


@pytest.mark.slow
@pytest.mark.timeout(600)  # Ray starts once more for each
@pytest.mark.parametrize("lost", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_lost_worker_is_replaced_and_every_epoch_is_done(runs, spec, processes, ray, lost):
    config = config_of(spec, num_epochs=40, checkpoint_minutes=0)
    run = jobs.start(runs, spec, config=config, device="cpu", cluster="local", workers=2)
    starts = killed = 0
    event = {}
    for event in jobs.follow(run, poll=0.05):
        starts += event["event"] == "started"
        if event["event"] == "checkpoint" and killed < lost and killed == starts - 1:
            first, *_, last = workers_of(processes[-1])
            os.kill(first if killed else last, signal.SIGKILL)
            killed += 1
    assert event["event"] == "finished", run.log_text()
    assert starts == lost + 1
    assert [epoch["epoch"] for epoch in run.history()] == list(range(1, 41))
    later = [event for event in run.events() if event["event"] == "started"][1:]
    assert all((event["epoch"], event["step"]) > (1, 0) for event in later)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": None}, "number of workers"),
        ({"workers": 0}, "number of workers"),
        ({"workers": 3}, "30 or 33"),
        ({"workers": 2, "device": "all"}, "one device"),
        ({"workers": 2, "device": "gpu:1"}, "one device"),
    ],
)
def test_what_a_cluster_cannot_do_is_said_before_a_run_is_made(runs, spec, options, words):
    with pytest.raises((DeviceError, RunError), match=words):
        jobs.start(runs, spec, cluster="local", **options)
    assert runs.list() == []


def test_other_backends_are_refused(spec, monkeypatch):
    monkeypatch.setattr(cluster, "backend_name", lambda: "torch")
    with pytest.raises(DeviceError, match="KERAS_BACKEND=tensorflow"):
        cluster.check(spec, spec.variant().config, "auto", 2)


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_one_sentence(runs, spec, ray):
    run = jobs.start(runs, spec, cluster="127.0.0.1:1", workers=2)
    assert finish(run)[-1]["event"] == "failed"
    assert "cannot be reached" in run.reason
    assert "ray start --head" in run.reason
