"""What happened in a run: one JSON object a line, appended by the process that trains, read by everybody else.

queued     it was asked for, or asked to go on
waiting    for a device: `reason`
preparing  it has its device: the data are read, the network is built; where that takes long, `done` of `total` `what`
download   a file of the data set: `file`, `bytes`, `total_bytes`
started    the next step is step `step` + 1 of epoch `epoch`: `device`, `num_epochs`, `steps_per_epoch`,
           `num_parameters`, `examples`, `replicas` (devices that share the batches), `compiler` ("xla" or "graph")
progress   `step` of `steps` in `epoch`: the loss and the metrics since the epoch began, `samples_per_second`
epoch      what an epoch gave: the loss and the metrics, those of validation with "val_", `learning_rate`, `seconds`
checkpoint kept at `step` of `epoch`
finished, stopped, failed    how it ended: `metrics` or `reason`
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Event = dict[str, Any]

ENDINGS = ("finished", "stopped", "failed")
QUEUED = ("queued", "waiting")
"""The events after which it has no device yet."""
BEFORE_START = (*QUEUED, "preparing", "download")
"""The events that may come before "started"."""
FIRST_READ = 4096
"""How many bytes are read at first of the end of a file; each further block is larger."""
_NOT_MEASURED = frozenset(("time", "event", "epoch", "step", "steps", "learning_rate", "seconds", "samples_per_second"))


def metrics_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a "progress" or "epoch" event says of the network: the loss and the metrics, without when and how fast."""
    return {name: value for name, value in event.items() if name not in _NOT_MEASURED}


def main_metric(metrics: Mapping[str, Any]) -> str | None:
    """The name of the metric that counts: the first besides the loss, of held-out data where there are any; the loss
    where there is no other; None where there is nothing.

    Example:
        >>> main_metric({"loss": 0.5, "accuracy": 0.9, "val_accuracy": 0.8}), main_metric({"loss": 0.5})
        ('val_accuracy', 'loss')
    """
    bare = next((name.removeprefix("val_") for name in metrics if name.removeprefix("val_") != "loss"), "loss")
    return next((name for name in (f"val_{bare}", bare) if name in metrics), None)


def course(events: Iterable[Event]) -> list[Event]:
    """The events without those whose work a resume has thrown away: what was done after the checkpoint that it went
    on from is done again."""
    kept: list[Event] = []
    for event in events:
        if event["event"] == "started":
            begin = place_of(event)
            kept = [former for former in kept if place_of(former) <= begin]
        kept.append(event)
    return kept


def place_of(event: Event) -> tuple[float, float]:
    """The epoch that was going on at an event, and how many steps of it were done; (0, 0) for one that is not about
    the work."""
    kind = event["event"]
    if kind == "epoch":
        return event["epoch"] + 1, 0
    if kind == "started":
        return event.get("epoch", 1), event.get("step", 0)
    return (event["epoch"], event["step"]) if kind == "progress" else (0, 0)


class EventLog:
    """The file of the events. It need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: str, **values: Any) -> None:
        """Add an event.

        Raises:
            OSError: It cannot be written, or not as a whole: the disk is full.
        """
        line = json.dumps({"time": round(time.time(), 3), "event": event, **values}).encode()
        with self.path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                # A line that a crash or a full disk tore is ended, or it would swallow this one.
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line + b"\n")

    def read_from(self, position: int, limit: int = -1) -> tuple[list[Event], int]:
        """What happened since the file was `position` bytes long, and up to where it was read: for one who follows a
        long run and would not read it all again and again. A line that is being written just now is left for the next
        look, and one that was torn is passed over.

        Args:
            limit: About how many bytes are read; at least one line. -1 reads them all.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(position)
                content = file.read(limit)
                while limit > 0 and b"\n" not in content and (more := file.read(limit)):
                    content += more
        except FileNotFoundError:
            return [], position
        whole = content[: content.rfind(b"\n") + 1]
        return [event for event in map(_parsed, whole.splitlines()) if event], position + len(whole)

    def last(self) -> Event | None:
        """The newest event, None when nothing has happened yet."""
        return next(self.backwards(), None)

    def newest(self, *kinds: str) -> Event | None:
        """The newest event of one of these kinds whose work no resume has thrown away, None when there is none."""
        begin: tuple[float, float] = (math.inf, 0)
        for event in self.backwards():
            if event["event"] in kinds and place_of(event) <= begin:
                return event
            if event["event"] == "started":
                begin = min(begin, place_of(event))
        return None

    def backwards(self) -> Iterator[Event]:
        """The events from the newest to the first. The file is read from its end, and only as far as one goes."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            end, length, rest, at_end = file.seek(0, os.SEEK_END), FIRST_READ, b"", True
            while end:
                start = max(end - length, 0)
                file.seek(start)
                lines = (file.read(end - start) + rest).split(b"\n")
                if at_end and (len(lines) > 1 or start == 0):
                    # Behind the last newline is nothing, or a line that is being written just now.
                    lines.pop()
                    at_end = False
                # Unless it begins with the file, the first line may be the rest of one.
                rest = lines.pop(0) if start and lines else b""
                yield from filter(None, map(_parsed, reversed(lines)))
                end, length = start, length * 16


def _parsed(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
