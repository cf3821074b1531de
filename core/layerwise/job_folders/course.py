"""The course of a run, for those who look at it again and again: each look reads only what is new, and what is kept of
a long run does not grow with it."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from layerwise.job_folders.events import Event, EventLog, place_of

KEPT_EVENTS = 1000
"""How many events of a kind are kept, the newest besides: more than a curve has pixels."""
KEPT_COURSES = 64
"""Of how many runs the courses are kept, each at most a few megabytes."""
BLOCK = 1 << 16
"""How many bytes are read at once, and between two places in the file that are remembered."""
Numbered = tuple[int, Event]


@dataclass
class _Series:
    """The events of one kind, evenly thinned: every `stride`-th, and the newest."""

    kept: list[Numbered] = field(default_factory=list)
    newest: Numbered | None = None
    stride: int = 1
    count: int = 0

    def add(self, item: Numbered) -> None:
        if self.count % self.stride == 0:
            self.kept.append(item)
        self.newest = item
        self.count += 1
        if len(self.kept) > KEPT_EVENTS:
            self.kept = self.kept[::2]
            self.stride *= 2

    def forget_after(self, begin: tuple[float, float]) -> None:
        """Drop the work that a resume from `begin` does again."""
        if self.newest is not None and place_of(self.newest[1]) <= begin:
            return
        self.kept = [item for item in self.kept if place_of(item[1]) <= begin]
        self.newest, self.count = None, len(self.kept) * self.stride

    def __iter__(self) -> Iterator[Numbered]:
        yield from self.kept
        if self.newest is not None and self.newest is not self.kept[-1]:
            yield self.newest


class Course:
    """What happened in a run as far as it counts, and what is new.

    Any number of threads may use it.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._lock = threading.Lock()
        self._count = 0
        self._position = 0
        # Numbers of events, and where in the file those with these numbers begin.
        self._marks: list[tuple[int, int]] = [(0, 0)]
        self._series: defaultdict[str, _Series] = defaultdict(_Series)

    def events(self) -> list[Event]:
        """The events in their order, without those whose work a resume has thrown away
        (`layerwise.job_folders.events.course`). Of each kind at most about KEPT_EVENTS, evenly chosen, with the
        newest."""
        with self._lock:
            self._read()
            found = sorted(chain.from_iterable(self._series.values()), key=itemgetter(0))
        return [event for _, event in found]

    def since(self, number: int) -> list[Event]:
        """All events from event number `number` on, those that do not count any more too."""
        with self._lock:
            self._read()
            first, position = self._marks[bisect_right(self._marks, number, key=itemgetter(0)) - 1]
        return self.log.read_from(position)[0][number - first :]

    def _read(self) -> None:
        while True:
            new, position = self.log.read_from(self._position, BLOCK)
            if position == self._position:
                return
            for event in new:
                self._add(event)
            self._position = position
            if position - self._marks[-1][1] >= BLOCK:
                self._marks.append((self._count, position))

    def _add(self, event: Event) -> None:
        if event["event"] == "started":
            for series in self._series.values():
                series.forget_after(place_of(event))
        self._series[event["event"]].add((self._count, event))
        self._count += 1


class Courses:
    """The courses of the runs that somebody looks at. Those that were looked at the longest ago are forgotten."""

    def __init__(self, kept: int = KEPT_COURSES) -> None:
        self.kept = kept
        self._courses: OrderedDict[str, Course] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, identifier: str, log: EventLog) -> Course:
        """The course of the run with that id, whose events are in `log`."""
        with self._lock:
            course = self._courses.setdefault(identifier, Course(log))
            self._courses.move_to_end(identifier)
            while len(self._courses) > self.kept:
                self._courses.popitem(last=False)
            return course

    def forget(self, identifier: str) -> None:
        """Forget the course of a run that is gone."""
        with self._lock:
            self._courses.pop(identifier, None)
