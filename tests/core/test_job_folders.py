"""A job's folder by itself: what is written at its start, what its files say of its state, and how it is ended."""

import errno
import json
import multiprocessing
import os
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from layerwise.errors import RunError
from layerwise.job_folders import job as module
from layerwise.job_folders.job import RESERVED_BYTES, STARTING_SECONDS, Job
from layerwise.job_folders.liveness import reason_of_death


class Errand(Job):
    KIND, PLURAL, MODULE = "errand", "errands", "errands"


@pytest.fixture
def errand(tmp_path):
    return Errand.create(tmp_path / "errands", "shop-small", {"name": "shop", "variant": "small"})


def rewrite(job, *events):
    """Make the events the only ones, each with a time if it has none."""
    lines = [json.dumps({"time": time.time(), **event}) + "\n" for event in events]
    (job.folder / "events.jsonl").write_text("".join(lines))


def test_a_new_one_is_queued_and_says_what_was_asked_for(errand, tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    assert re.fullmatch(r"\d{8}-\d{6}-shop-small-[0-9a-f]{4}", errand.id)
    assert errand.folder == tmp_path / "errands" / errand.id
    assert sorted(path.name for path in errand.folder.iterdir()) == ["errand.json", "events.jsonl"]
    created = datetime.fromisoformat(errand.created)
    assert created.tzinfo == UTC
    assert 0 <= (before - created).total_seconds() < 60
    assert f"{created:%Y%m%d-%H%M%S}" == errand.id[:15]
    assert created.isoformat() == errand.created, "to the second"
    assert errand.request == {"name": "shop", "variant": "small", "created": errand.created}
    assert (errand.name, errand.variant, errand.data, errand.device) == ("shop", "small", None, "auto")
    assert (errand.state, errand.reason, errand.is_active, errand.is_resumable) == ("queued", "", True, False)
    assert repr(errand) == f"Errand({errand.id!r})"
    text = (errand.folder / "errand.json").read_text()
    assert text.endswith("}\n")
    assert text.splitlines()[1] == '  "name": "shop",', "so that people can read it"


@pytest.mark.parametrize("is_gone", [False, True])
@pytest.mark.parametrize("failing", ["write_atomically", "rename"])
def test_of_one_that_cannot_be_written_nothing_is_left(tmp_path, monkeypatch, failing, is_gone):
    def full(path, *_):
        if is_gone:  # whoever made room has taken the folder too
            shutil.rmtree(path.parent if failing == "write_atomically" else path)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((module, failing) if failing == "write_atomically" else (Path, failing)), full)
    with pytest.raises(OSError, match="No space left"):
        Errand.create(tmp_path / "errands", "shop", {})
    assert list((tmp_path / "errands").iterdir()) == []


def test_what_was_asked_for_cannot_be_read(tmp_path):
    with pytest.raises(RunError, match=rf"The errand gone cannot be read. Received: .*{errno.ENOENT}"):
        _ = Errand(tmp_path / "gone").request
    (tmp_path / "errand.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        _ = Errand(tmp_path).request


@pytest.mark.parametrize("is_alive", [True, False])
@pytest.mark.parametrize(
    ("events", "alive", "dead"),
    [
        ([], "queued", "failed"),
        ([{"event": "queued", "time": 0}], "queued", "failed"),
        ([{"event": "waiting", "reason": "Another one has the GPU."}], "queued", "failed"),
        ([{"event": "preparing"}], "running", "failed"),
        ([{"event": "started"}, {"event": "progress"}], "running", "failed"),
        ([{"event": "finished"}], "finished", "finished"),
        ([{"event": "stopped", "reason": "Enough."}], "stopped", "stopped"),
        ([{"event": "failed", "reason": "It diverged."}], "failed", "failed"),
    ],
)
def test_the_state_follows_from_the_last_event_and_the_lock(errand, events, alive, dead, is_alive):
    rewrite(errand, *events)
    if is_alive:
        with errand.lock():
            assert errand.is_alive
            assert errand.state == alive
            assert errand.reason == (events[-1].get("reason", "") if events else "")
            assert errand.is_active == (alive in ("queued", "running"))
            return
    assert not errand.is_alive
    assert errand.state == dead
    assert errand.is_resumable == (dead in ("stopped", "failed"))
    if dead != alive and events and events[-1]["event"] != "queued":
        assert errand.reason == reason_of_death(errand.folder / "process.json")
    elif dead == alive:
        assert errand.reason == events[-1].get("reason", "")


def test_one_that_waits_for_its_process_too_long_has_failed(errand):
    rewrite(errand, {"event": "queued", "time": time.time() - STARTING_SECONDS + 30})
    assert errand.state == "queued"
    rewrite(errand, {"event": "queued", "time": time.time() - STARTING_SECONDS - 1})
    assert (errand.state, errand.reason) == ("failed", "Its process ended before it began.")
    (errand.folder / "log.txt").write_text(f"Traceback\n  here\n{'x' * 400}\n\n")
    assert errand.reason == f"Its process ended before it began. The end of its log: {'x' * 300}"


def test_one_whose_process_was_started_and_is_gone_has_failed_at_once(errand):
    (errand.folder / "starting").touch()
    assert (errand.state, errand.reason) == ("failed", "Its process ended before it began.")
    with FileLock(errand.folder / "starting"):
        assert errand.state == "queued"
    (errand.folder / "process.json").write_text("{")
    assert errand.reason == reason_of_death(errand.folder / "process.json")
    errand.forget_process()
    errand.forget_process()
    assert errand.state == "queued"
    assert sorted(path.name for path in errand.folder.iterdir()) == ["errand.json", "events.jsonl"]


def test_the_log_is_read_whatever_was_printed(errand):
    assert errand.log_text() == ""
    (errand.folder / "log.txt").write_bytes("größer ".encode() + b"\xff\n")
    assert errand.log_text() == "größer \ufffd\n"


def test_a_stop_is_asked_for_and_withdrawn(errand):
    assert (errand.stop_requested, errand.stop_requested_at) == (False, None)
    errand.withdraw_stop()
    errand.request_stop()
    errand.request_stop()
    assert errand.stop_requested
    assert errand.stop_requested_at == (errand.folder / "stop").stat().st_mtime
    errand.withdraw_stop()
    assert not errand.stop_requested


def test_events_are_numbered_from_the_first(errand):
    errand.append("started", device="CPU")
    assert [event["event"] for event in errand.events()] == ["queued", "started"]
    assert errand.events(1) == [errand.event_log.last()]
    assert errand.events(1)[0]["device"] == "CPU"


def test_a_full_disk_has_room_for_the_failure(errand):
    errand.enter()
    reserve = (errand.folder / "reserve").read_bytes()
    assert len(reserve) == RESERVED_BYTES
    assert len(set(reserve)) > 200, "random, or a file system that compresses would reserve nothing"
    assert json.loads((errand.folder / "process.json").read_text())["pid"] == os.getpid()
    for number in range(2):
        errand.append_failure("The disk is full.", step=number)
        assert not (errand.folder / "reserve").exists()
    assert {**errand.event_log.last(), "time": 0} == {
        "time": 0,
        "event": "failed",
        "reason": "The disk is full.",
        "step": 1,
    }


def occupy(folder, ready):
    """What a process of a job does that hears nothing."""
    job = Errand(Path(folder))
    with job.lock():
        job.enter()
        ready.set()
        time.sleep(60)


def test_a_process_is_killed_only_as_long_as_it_holds_the_lock(errand):
    errand.kill()  # there is none yet
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=occupy, args=(str(errand.folder), ready), daemon=True)
    process.start()
    try:
        assert ready.wait(60)
        signature = (errand.folder / "process.json").read_text()
        lock, hidden = errand.folder / "lock", errand.folder / "hidden"
        lock.rename(hidden)
        errand.kill()
        process.join(0.2)
        assert process.is_alive(), "without the lock, the number may be that of any process"
        hidden.rename(lock)
        for content in ("{}", "{"):
            (errand.folder / "process.json").write_text(content)
            errand.kill()
            process.join(0.2)
            assert process.is_alive(), "it is not known which process it is"
        (errand.folder / "process.json").write_text(signature)
        errand.kill()
        process.join(30)
        assert process.exitcode == -9
    finally:
        process.kill()
        process.join()
