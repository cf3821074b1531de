"""Runs that are looked at again and again: what counts, what is kept, how little is read."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.job_folders.course import BLOCK, KEPT_EVENTS, Course, Courses
from layerwise.job_folders.events import EventLog, course


class CountingLog(EventLog):
    """A log that adds up how many bytes were read of it."""

    read = 0

    def read_from(self, position, limit=-1):
        events, end = super().read_from(position, limit)
        self.read += end - position
        return events, end


@pytest.fixture
def log(tmp_path):
    return CountingLog(tmp_path / "events.jsonl")


def write(log, num_epochs, steps=10, first=1):
    with log.path.open("a") as file:
        for epoch in range(first, first + num_epochs):
            for step in range(1, steps + 1):
                file.write(
                    f'{{"event": "progress", "epoch": {epoch}, "step": {step}, "steps": {steps}, "loss": 0.5}}\n'
                )
            file.write(f'{{"event": "epoch", "epoch": {epoch}, "loss": 0.25}}\n')


def test_a_short_run_is_kept_whole(log):
    assert Course(log).events() == []
    log.append("queued")
    write(log, 3)
    assert Course(log).events() == log.read_from(0)[0]


def test_a_second_look_reads_only_what_is_new(log):
    write(log, 500)
    found = Course(log)
    found.events()
    assert log.read == log.path.stat().st_size
    log.read, before = 0, log.path.stat().st_size
    found.events()
    assert log.read == 0
    log.append("epoch", epoch=501, loss=0.1)
    assert found.events()[-1]["epoch"] == 501
    assert log.read == log.path.stat().st_size - before


def test_a_long_run_is_thinned_evenly_and_keeps_its_newest(log):
    write(log, 3000, steps=4)
    kept = Course(log).events()
    for kind, last in (("progress", 3001), ("epoch", 3000)):
        places = [event["epoch"] + event.get("step", 0) / 4 for event in kept if event["event"] == kind]
        assert KEPT_EVENTS / 2 <= len(places) <= KEPT_EVENTS + 1
        gaps = {after - before for before, after in itertools.pairwise(places[:-1])}
        assert max(gaps) <= 2 * 3000 / len(places)
        assert places[-1] == last
    assert kept == sorted(kept, key=lambda event: (event["epoch"], event.get("step", 10)))


def test_following_a_long_run_gives_what_one_look_gives(log):
    found = Course(log)
    for first in range(1, 3000, 100):
        write(log, 100, first=first)
        kept = found.events()
    assert kept == Course(log).events()


EVENTS = st.lists(
    st.one_of(
        st.builds(lambda epoch, step: ("progress", epoch, step), st.integers(1, 4), st.integers(1, 9)),
        st.builds(lambda epoch: ("epoch", epoch, None), st.integers(1, 4)),
        st.builds(lambda epoch, step: ("started", epoch, step), st.integers(1, 4), st.integers(0, 9)),
        st.just(("queued", None, None)),
    ),
    max_size=30,
)


@given(EVENTS)
def test_what_a_resume_does_again_does_not_count(tmp_path_factory, drawn):
    log = EventLog(tmp_path_factory.mktemp("log") / "events.jsonl")
    found = Course(log)
    # Places only grow in a process: a progress behind the last one, or a resume.
    last = (0, 0)
    for kind, epoch, step in drawn:
        if kind in ("progress", "epoch"):
            place = (epoch, step) if step else (epoch + 1, 0)
            if place <= last:
                continue
            last = place
        elif kind == "started":
            last = (epoch, step)
        values = {name: value for name, value in (("epoch", epoch), ("step", step)) if value is not None}
        log.append(kind, **values)
        found.events()
    every = log.read_from(0)[0]
    assert found.events() == Course(log).events() == course(every)
    assert list(log.backwards()) == every[::-1]
    epochs = [event for event in course(every) if event["event"] == "epoch"]
    assert log.newest("epoch") == (epochs[-1] if epochs else None)


def test_events_are_found_by_their_number_without_reading_all(log):
    write(log, 2000)
    with log.path.open("a") as file:
        file.write('{"event": "torn\n')
    log.append("finished")
    every = log.read_from(0)[0]
    found = Course(log)
    for number in (0, 1, 777, len(every) - 1, len(every), len(every) + 5):
        assert found.since(number) == every[number:]
    log.read = 0
    assert len(found.since(len(every) - 3)) == 3
    assert log.read <= 2 * BLOCK
    assert len(every) * 50 > 10 * BLOCK, "else this says nothing"


def test_lines_longer_than_a_block_are_read(log):
    log.append("failed", reason="x" * (3 * BLOCK))
    log.append("queued")
    found = Course(log)
    assert [event["event"] for event in found.events()] == ["failed", "queued"]
    assert found.since(1)[0]["event"] == "queued"
    assert [event["event"] for event in log.backwards()] == ["queued", "failed"]


def test_the_newest_event_is_found_from_the_end_of_the_file(log):
    write(log, 3000)
    seen = []
    for event in log.backwards():
        seen.append(event)
        if len(seen) == 200:
            break
    assert seen == log.read_from(0)[0][:-201:-1]
    assert log.newest("epoch")["epoch"] == 3000
    assert log.newest("failed") is None


def test_few_courses_are_remembered(tmp_path):
    courses = Courses(kept=2)
    logs = {name: EventLog(tmp_path / name) for name in "abc"}
    first, second = courses.of("a", logs["a"]), courses.of("b", logs["b"])
    assert courses.of("a", logs["a"]) is first
    courses.of("c", logs["c"])
    assert courses.of("a", logs["a"]) is first
    assert courses.of("b", logs["b"]) is not second
    courses.forget("b")
    courses.forget("b")
