"""The file of the events by itself: what is written, what a torn line costs, and what events say of the network."""

import json
import time

import pytest

from layerwise.job_folders.events import FIRST_READ, EventLog, course, main_metric, metrics_of, place_of


@pytest.fixture
def log(tmp_path):
    return EventLog(tmp_path / "events.jsonl")


def test_an_event_is_one_line_with_its_time(log):
    before = time.time()
    log.append("progress", epoch=2, loss=0.5)
    log.append("finished")
    first, second = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert {**first, "time": None} == {"time": None, "event": "progress", "epoch": 2, "loss": 0.5}
    assert second.keys() == {"time", "event"}
    assert before - 0.001 <= first["time"] <= second["time"] <= time.time() + 0.001
    assert first["time"] == round(first["time"], 3), "milliseconds are enough"
    assert log.path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("torn", [b'{"event": "progr', b"x", b'{"event": "progress"'])
def test_a_torn_line_does_not_swallow_the_next(log, torn):
    log.append("queued")
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + torn)
    log.append("failed", reason="The disk was full.")
    log.append("queued")
    assert [event["event"] for event in log.read_from(0)[0]] == ["queued", "failed", "queued"]
    assert [event["event"] for event in log.backwards()] == ["queued", "failed", "queued"]
    assert log.path.read_bytes().startswith(whole + torn + b'\n{"time"')


@pytest.mark.parametrize("former", [[], [{"event": "queued"}]])
def test_a_line_counts_when_its_end_is_written(log, former):
    """Until then nobody knows whether it is whole, though it can be read."""
    log.path.write_text("".join(json.dumps(event) + "\n" for event in former) + '{"event": "failed"}')
    assert log.read_from(0)[0] == list(log.backwards()) == former
    with log.path.open("a") as file:
        file.write("\n")
    assert log.read_from(0)[0] == list(log.backwards())[::-1] == [*former, {"event": "failed"}]


def test_lines_that_are_no_events_are_passed_over(log):
    log.path.write_text('[1]\n7\nnull\n{"time": 3}\n{"event": "queued"}\n"event"\n\xff\n', encoding="latin-1")
    assert log.read_from(0)[0] == list(log.backwards()) == [{"event": "queued"}]
    assert log.last() == {"event": "queued"}


def test_what_is_not_there_has_no_events(log):
    assert log.read_from(7) == ([], 7)
    assert list(log.backwards()) == []
    assert log.last() is None
    assert log.newest("epoch") is None
    log.path.touch()
    assert log.read_from(0) == ([], 0)
    assert log.last() is None


@pytest.mark.parametrize("limit", [1, 5, 60, 1000])
def test_in_pieces_one_reads_what_one_look_gives(log, limit):
    for step in range(1, 6):
        log.append("progress", epoch=1, step=step)
    every, end = log.read_from(0)
    found, position = [], 0
    while position < end:
        events, later = log.read_from(position, limit)
        assert later > position, "at least one line"
        assert later - position <= max(limit, end / len(every)) + limit
        found, position = found + events, later
    assert found == every
    assert log.read_from(end, limit) == ([], end)


@pytest.mark.parametrize("torn", [b"", b'{"event": "hal'])
@pytest.mark.parametrize("size", [FIRST_READ - 1, FIRST_READ, FIRST_READ + 1])
def test_backwards_is_right_where_a_block_begins_between_two_lines(log, size, torn):
    """The newest line with what is being written behind it is as long as the first block, or a byte off."""
    bare = len(b'{"event": "failed", "reason": ""}\n')
    lines = [{"event": "queued"}, {"event": "failed", "reason": "x" * (size - bare - len(torn))}]
    log.path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines) + torn)
    assert list(log.backwards()) == lines[::-1]


def test_what_metrics_say_when_and_how_fast_is_left_out():
    event = {
        "time": 1.5,
        "event": "epoch",
        "epoch": 3,
        "step": 4,
        "steps": 8,
        "loss": 0.5,
        "val_loss": 0.6,
        "accuracy": 0.9,
        "learning_rate": 0.01,
        "seconds": 2.0,
        "samples_per_second": 100.0,
    }
    assert metrics_of(event) == {"loss": 0.5, "val_loss": 0.6, "accuracy": 0.9}


@pytest.mark.parametrize(
    ("names", "main"),
    [
        ((), None),
        (("loss",), "loss"),
        (("loss", "val_loss"), "val_loss"),
        (("loss", "accuracy"), "accuracy"),
        (("loss", "accuracy", "f1", "val_loss", "val_f1", "val_accuracy"), "val_accuracy"),
        (("val_loss", "val_rmse"), "val_rmse"),
        (("rmse", "val_mae"), "rmse"),
    ],
)
def test_the_metric_that_counts(names, main):
    assert main_metric(dict.fromkeys(names, 0.5)) == main


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"event": "queued"}, (0, 0)),
        ({"event": "checkpoint", "epoch": 4, "step": 2}, (0, 0)),
        ({"event": "started"}, (1, 0)),
        ({"event": "started", "epoch": 3, "step": 5}, (3, 5)),
        ({"event": "progress", "epoch": 3, "step": 5}, (3, 5)),
        ({"event": "epoch", "epoch": 3}, (4, 0)),
    ],
)
def test_where_in_its_work_an_event_stands(event, place):
    assert place_of(event) == place


def test_after_a_resume_only_what_was_before_its_checkpoint_counts(log):
    def progress(epoch, step):
        return {"event": "progress", "epoch": epoch, "step": step}

    begin = {"event": "started", "epoch": 1, "step": 0}
    resumed = {"event": "started", "epoch": 2, "step": 5}
    queued = {"event": "queued"}
    events = [queued, begin, progress(1, 9), {"event": "epoch", "epoch": 1}, progress(2, 5), progress(2, 6), resumed]
    assert course(events) == [*events[:5], resumed]
    log.path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert log.newest("progress") == progress(2, 5)
    assert log.newest("progress", "queued") == progress(2, 5)
    assert log.newest("started") == resumed
    assert log.newest("queued") == queued
