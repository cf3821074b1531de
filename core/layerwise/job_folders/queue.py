"""The queue: one run at a time on each device, first come first served, without anybody who keeps watch.

Each process that wants to train waits here by itself: it leaves a ticket in a folder, and takes the locks of its slots
(`layerwise.hardware.slots`) once no older ticket wants one of them. The system frees the locks of a process that dies,
and a ticket whose run has no process is passed over, so nothing has to be put in order after a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from layerwise.errors import SpecError
from layerwise.paths import write_atomically
from layerwise.runs import Run

POLL_SECONDS = 0.2
Slots = tuple[str, ...]


def jobs_per_device() -> int:
    """How many runs may share a device: `LAYERWISE_JOBS_PER_DEVICE`, 1 unless it is set.

    Raises:
        SpecError: It is set to something else than a whole number from 1 on.
    """
    text = os.environ.get("LAYERWISE_JOBS_PER_DEVICE", "").strip() or "1"
    if not text.isdecimal() or int(text) < 1:
        raise SpecError(
            "LAYERWISE_JOBS_PER_DEVICE cannot be used", expected="a whole number from 1 on", received=repr(text)
        )
    return int(text)


@dataclass(frozen=True)
class _Ticket:
    """What a run that waits wants: its place in the line, and the alternatives of slots."""

    name: str
    run: str
    wanted: frozenset[str]


@contextlib.contextmanager
def turn(
    run: Run, alternatives: Sequence[Slots], *, waiting: Callable[[str], None], should_stop: Callable[[], bool]
) -> Iterator[Slots | None]:
    """Wait for a device, and hold it meanwhile.

    Args:
        run: Who waits; its process must hold its lock.
        alternatives: The slots that would do, the best first; all of one alternative are held.
        waiting: Told the id of the run that is waited for, whenever it is another one.
        should_stop: Whether to give up.

    Yields:
        The slots that are held, None when it gave up.
    """
    folder = run.folder.parent.parent / "queue"
    seats = jobs_per_device()
    ticket = _Ticket(f"{time.time_ns():020d}-{run.id}.json", run.id, frozenset().union(*alternatives))
    path = folder / ticket.name
    with contextlib.ExitStack() as held:
        held.callback(path.unlink, missing_ok=True)
        # What a process of this run left that died while it waited: it would be waited for, as the run lives again.
        for stale in folder.glob(f"*-{run.id}.json"):
            stale.unlink(missing_ok=True)
        write_atomically(path, json.dumps({"run": ticket.run, "slots": sorted(ticket.wanted)}))
        said = None
        while True:
            slots, blocker = _try(run, folder, ticket, alternatives, seats, held)
            if slots is not None or should_stop():
                break
            if blocker != said:
                said = blocker
                waiting(blocker)
            time.sleep(POLL_SECONDS)
        # Out of the line: those behind look only at the locks from now on.
        path.unlink(missing_ok=True)
        yield slots


def _try(
    run: Run, folder: Path, ticket: _Ticket, alternatives: Sequence[Slots], seats: int, held: contextlib.ExitStack
) -> tuple[Slots | None, str]:
    """The slots if they can be had now, and otherwise which run is in the way."""
    for older in _tickets(folder):
        if older.name >= ticket.name:
            break
        if older.wanted & ticket.wanted and Run(run.folder.with_name(older.run)).is_alive:
            return None, older.run
    blocker = ""
    for slots in alternatives:
        with contextlib.ExitStack() as attempt:
            for slot in slots:
                blocker = _take_seat(folder, slot, seats, run.id, attempt)
                if blocker:
                    break
            else:
                held.push(attempt.pop_all())
                return slots, ""
    return None, blocker


def _take_seat(folder: Path, slot: str, seats: int, identifier: str, attempt: contextlib.ExitStack) -> str:
    """Take one of the seats of a slot; otherwise the id of a run that has one."""
    holder = ""
    for seat in range(seats):
        path = folder / f"{slot}-{seat}.lock"
        lock = FileLock(path, is_singleton=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            with contextlib.suppress(OSError):
                holder = path.with_suffix(".holder").read_text(encoding="utf-8")
            continue
        attempt.callback(lock.release)
        write_atomically(path.with_suffix(".holder"), identifier)
        return ""
    return holder or "another run"


def _tickets(folder: Path) -> list[_Ticket]:
    """All tickets, the oldest first. Those that vanish meanwhile are left out."""
    found = []
    for path in sorted(folder.glob("[0-9]*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            content = json.loads(path.read_text(encoding="utf-8"))
            found.append(_Ticket(path.name, content["run"], frozenset(content["slots"])))
    return found
