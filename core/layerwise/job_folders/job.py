"""A job: what a process of its own does, seen through its folder, which is the only channel between the two.

    run.json (or study.json)    what was asked for
    events.jsonl                what happened (`layerwise.job_folders.events`)
    log.txt                     everything that its processes printed
    lock                        held by its process; free means that no process does it
    process.json                which process that is, to say afterwards why it ended without a word
    starting                    a lock too, which its process has from its first moment on, before it can do anything
    stop                        there when somebody asked it to stop

A training run is one (`layerwise.runs`), a search for hyperparameters another (`layerwise.hyperparameters.studies`).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from filelock import FileLock

from layerwise.errors import RunError
from layerwise.job_folders.events import ENDINGS, QUEUED, Event, EventLog
from layerwise.job_folders.liveness import is_held, reason_of_death, sign_in
from layerwise.paths import write_atomically

STARTING_SECONDS = 60.0
"""How long a job may be queued before its process is started, or where processes inherit no lock takes its own; then it
counts as dead."""
RESERVED_BYTES = 16_384
"""Kept free of other files from the start, so that a full disk leaves room to say that it is full."""


class Job:
    """A job, seen through its folder. Cheap to make; every property reads what is there now."""

    KIND: ClassVar[str]
    """What it is called, and the name of the file with what was asked for."""
    PLURAL: ClassVar[str]
    """What several of them are called: the folder in which they are, and the command that lists them."""
    MODULE: ClassVar[str]
    """What its process runs: `python -m MODULE FOLDER`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    @classmethod
    def create(cls, parent: Path, label: str, request: Mapping[str, Any]) -> Self:
        """A new one, queued; its process is not started.

        Args:
            parent: The folder in which it gets its own.
            label: What its id says between the time and the digits.
            request: What is asked for, as plain values.

        Raises:
            OSError: It cannot be written, since the disk is full; nothing of it is left.
        """
        now = datetime.now(UTC)
        content = json.dumps({**request, "created": now.isoformat(timespec="seconds")}, indent=2) + "\n"
        while True:
            identifier = f"{now:%Y%m%d-%H%M%S}-{label}-{secrets.token_hex(2)}"
            # Made under a hidden name first, so that nobody ever lists one without its request.
            hidden = cls(parent / f".{identifier}-{secrets.token_hex(8)}")
            hidden.folder.mkdir(parents=True)
            try:
                write_atomically(hidden.folder / f"{cls.KIND}.json", content)
                hidden.append("queued")
                return cls(hidden.folder.rename(parent / identifier))
            except OSError as error:
                shutil.rmtree(hidden.folder, ignore_errors=True)
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                # Another one of this second has drawn the same digits.

    @property
    def id(self) -> str:
        """The name of its folder: date, time, model, variant and four random digits."""
        return self.folder.name

    @cached_property
    def request(self) -> dict[str, Any]:
        """What was asked for: `run.json` or `study.json`.

        Raises:
            RunError: It cannot be read.
        """
        try:
            return json.loads((self.folder / f"{self.KIND}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"The {self.KIND} {self.id} cannot be read", received=str(error)) from error

    @property
    def name(self) -> str:
        """The name of its model."""
        return self.request["name"]

    @property
    def variant(self) -> str:
        """The variant of its model."""
        return self.request["variant"]

    @property
    def data(self) -> str | None:
        """The folder of the user's own data that it trains on, None for the model's data set."""
        return self.request.get("data")

    @property
    def device(self) -> str:
        """The device that it was asked to train on (`layerwise.hardware.slots`)."""
        return self.request.get("device", "auto")

    @property
    def created(self) -> str:
        """When it was asked for, ISO 8601 in UTC."""
        return self.request["created"]

    @property
    def event_log(self) -> EventLog:
        """Its events, for one who follows them."""
        return EventLog(self.folder / "events.jsonl")

    def events(self, start: int = 0) -> list[Event]:
        """What happened so far, from event number `start`."""
        return self.event_log.read_from(0)[0][start:]

    @property
    def state(self) -> str:
        """queued, running, finished, stopped or failed."""
        return self._look()[0]

    @property
    def reason(self) -> str:
        """Why it stopped or failed; empty otherwise."""
        return self._look()[1]

    @property
    def is_active(self) -> bool:
        """Whether it is queued or running."""
        return self.state in ("queued", "running")

    @property
    def is_resumable(self) -> bool:
        """Whether it was stopped or failed, so that it can go on from its newest checkpoint, or else be done again."""
        return self.state in ("stopped", "failed")

    def _look(self) -> tuple[str, str]:
        # Whether it was started is looked at before the process, and that before the events: the other way round, one
        # that is started or ends in between would seem to have died without a word.
        was_started = (self.folder / "starting").exists()
        alive = self.is_alive
        last = self.event_log.last() or {"event": "queued", "time": 0.0}
        if last["event"] in ENDINGS:
            return last["event"], last.get("reason", "")
        has_device = last["event"] not in QUEUED
        is_new = last["event"] == "queued" and not was_started and time.time() - last["time"] < STARTING_SECONDS
        if alive or is_new:
            return ("running" if has_device else "queued"), last.get("reason", "")
        signature = self.folder / "process.json"
        if last["event"] == "queued" and not signature.exists():
            return "failed", self._reason_of_no_start()
        return "failed", reason_of_death(signature)

    def _reason_of_no_start(self) -> str:
        printed = self.log_text().strip().splitlines()
        return "Its process ended before it began." + (f" The end of its log: {printed[-1][:300]}" if printed else "")

    @property
    def is_alive(self) -> bool:
        """Whether its process is there: it holds a lock, at first the one that it was started with."""
        locks = [self.lock(), FileLock(self.folder / "starting", is_singleton=False)]
        return any(Path(lock.lock_file).exists() and is_held(lock) for lock in locks)

    def lock(self) -> FileLock:
        """The lock that its process holds."""
        return FileLock(self.folder / "lock", is_singleton=False)

    def log_text(self) -> str:
        """Everything that its processes printed."""
        try:
            return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def request_stop(self) -> None:
        """Ask it to stop as soon as it can and to keep what there is."""
        (self.folder / "stop").touch()

    def withdraw_stop(self) -> None:
        """Forget that somebody asked it to stop."""
        (self.folder / "stop").unlink(missing_ok=True)

    def forget_process(self) -> None:
        """Forget the process that is gone, before another one is started."""
        for name in ("starting", "process.json"):
            (self.folder / name).unlink(missing_ok=True)

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "stop").exists()

    @property
    def stop_requested_at(self) -> float | None:
        """When somebody asked it to stop, in seconds since 1970; None when nobody did."""
        try:
            return (self.folder / "stop").stat().st_mtime
        except OSError:
            return None

    def kill(self) -> None:
        """End its process, which does not stop by itself. What it has kept stays."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid = json.loads((self.folder / "process.json").read_text(encoding="utf-8"))["pid"]
            if self.is_alive:  # as long as it holds the lock, the number is its own
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def append(self, event: str, **values: Any) -> None:
        """Add an event. Only its process calls it, after whoever asked for it added the first."""
        self.event_log.append(event, **values)

    def append_failure(self, reason: str, **values: Any) -> None:
        """Add the event that it failed, on a full disk too."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "reserve").unlink()
        self.append("failed", reason=reason, **values)

    def enter(self) -> None:
        """Prepare the folder for the process that works: what `reason` and `append_failure` need if it fails."""
        sign_in(self.folder / "process.json")
        # Random, since a file system that compresses would reserve nothing for zeros.
        write_atomically(self.folder / "reserve", secrets.token_bytes(RESERVED_BYTES))
