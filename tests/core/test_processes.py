"""Processes that go on alone, and jobs whose process never begins."""

import os

import pytest
from filelock import FileLock
from training_helpers import config_of, finish

from layerwise import jobs
from layerwise.job_folders.liveness import is_held
from layerwise.processes import start_detached
from layerwise.runs import Run


class Unable(Run):
    """A run whose process cannot begin."""

    MODULE = "layerwise.no_such_module"


class Slow(Run):
    """A run whose process is there and never begins."""

    MODULE = "waits"


@pytest.fixture
def waits(tmp_path, monkeypatch):
    """A module that does nothing for a long time; its processes are killed by the test."""
    (tmp_path / "waits.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    return "waits"


@pytest.fixture
def run(runs, spec):
    return runs.create(spec, None, config_of(spec, num_epochs=1))


def end(process):
    process.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows processes inherit no lock")
def test_a_process_that_cannot_begin_is_said_at_once_and_can_be_resumed(run, processes):
    unable = Unable(run.folder)
    assert unable.state == "queued"
    jobs.launch(unable)
    processes[-1].wait(30)
    assert unable.state == "failed"
    assert unable.reason.startswith("Its process ended before it began. The end of its log:")
    assert "layerwise.no_such_module" in unable.reason
    assert [event["event"] for event in jobs.follow(unable)] == ["queued", "failed"]
    jobs.resume(run)
    assert run.state in ("queued", "running")
    assert finish(run)[-1]["event"] == "finished"


@pytest.mark.skipif(os.name == "nt", reason="Windows processes inherit no lock")
def test_a_process_that_is_killed_before_it_begins_was_queued_until_then(run, processes, waits, monkeypatch):
    monkeypatch.setattr("layerwise.job_folders.job.STARTING_SECONDS", 0.0)
    slow = Slow(run.folder)
    jobs.launch(slow)
    try:
        assert slow.state == "queued"
    finally:
        end(processes[-1])
    assert (slow.state, slow.reason) == ("failed", "Its process ended before it began.")
    jobs.resume(slow)
    try:
        assert slow.state == "queued"
    finally:
        end(processes[-1])
    assert slow.state == "failed"


@pytest.mark.skipif(os.name == "nt", reason="Windows processes inherit no lock")
def test_a_detached_process_has_a_session_a_log_and_a_lock_of_its_own(tmp_path, processes, waits):
    held, log = tmp_path / "held", tmp_path / "log.txt"
    log.write_text("before\n")
    start_detached(waits, home=tmp_path, log=log, held=held)
    lock = FileLock(held, is_singleton=False)
    try:
        assert is_held(lock)
        assert os.getsid(processes[-1].pid) == processes[-1].pid
    finally:
        end(processes[-1])
    assert not is_held(lock)
    start_detached("layerwise.no_such_module", home=tmp_path, log=log)
    processes[-1].wait(30)
    assert log.read_text().startswith("before\n")
    assert "no_such_module" in log.read_text()
