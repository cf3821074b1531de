"""The run store: a folder for each training run, and nothing else.

    runs/<id>/run.json        what was asked for: model, variant, config, data, and where it ran
              events.jsonl    what happened, one JSON object a line, appended while it runs
              metrics.csv     a row for each epoch
              log.txt         everything that its process printed
              version/        weights and record: what `promote` puts in use
              checkpoints/    what a resume goes on from
              lock            held by the process that trains; free means that no process does
              process.json    which process that is, to say afterwards why it ended without a word
              stop            there when somebody asked it to stop

The folder is the only channel between the process that trains and those that watch, so a restarted server, a
second browser and the command line all see the same.
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from layerwise.checkpoints import CheckpointFolder
from layerwise.course import Course, Courses
from layerwise.errors import NotFoundError, RunError
from layerwise.events import BEFORE_START, ENDINGS, Event, EventLog, course
from layerwise.liveness import reason_of_death, sign_in
from layerwise.paths import home as default_home
from layerwise.paths import write_atomically
from layerwise.weights import RECORD_FILE

if TYPE_CHECKING:
    from layerwise.config import TrainingConfig
    from layerwise.specs import ModelSpec

STARTING_SECONDS = 60.0
"""How long a run may be without a process before it counts as dead: a new process needs time to take the lock."""
RESERVED_BYTES = 16_384
"""Kept free of other files from the start, so that a full disk leaves room to say that it is full."""


class Run:
    """A training run, seen through its folder. Cheap to make; every property reads what is there now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    @property
    def id(self) -> str:
        """The name of its folder: date, time, model, variant and four random digits."""
        return self.folder.name

    @cached_property
    def request(self) -> dict[str, Any]:
        """What was asked for: `run.json`.

        Raises:
            RunError: It cannot be read.
        """
        try:
            return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"The run {self.id} cannot be read", received=str(error)) from error

    @property
    def name(self) -> str:
        """The name of its model."""
        return self.request["name"]

    @property
    def variant(self) -> str:
        """The variant of its model."""
        return self.request["variant"]

    @property
    def config(self) -> dict[str, Any]:
        """Its config as plain values."""
        return self.request["config"]

    @property
    def data(self) -> str | None:
        """The folder of the user's own data that it trains on, None for the model's data set."""
        return self.request.get("data")

    @property
    def device(self) -> str:
        """The device that it was asked to train on (`layerwise.slots`)."""
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

    def history(self) -> list[dict[str, Any]]:
        """The "epoch" events: one mapping of metrics for each finished epoch."""
        return [event for event in course(self.events()) if event["event"] == "epoch"]

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
        # The process is looked at before the events: looked at after them, a run that ends in between would
        # seem to have died without a word.
        alive = self.is_alive
        last = self.event_log.last() or {"event": "queued", "time": 0.0}
        if last["event"] in ENDINGS:
            return last["event"], last.get("reason", "")
        started = last["event"] not in BEFORE_START
        is_new = last["event"] == "queued" and time.time() - last["time"] < STARTING_SECONDS
        if alive or is_new:
            return ("running" if started else "queued"), last.get("reason", "")
        return "failed", reason_of_death(self.folder / "process.json")

    @property
    def is_alive(self) -> bool:
        """Whether a process holds its lock. The system frees the lock of a process that dies."""
        if not (self.folder / "lock").exists():
            return False
        probe = self.lock()
        try:
            probe.acquire(blocking=False)
        except Timeout:
            return True
        probe.release()
        return False

    def lock(self) -> FileLock:
        """The lock that the process which trains holds."""
        return FileLock(self.folder / "lock", is_singleton=False)

    @property
    def version_folder(self) -> Path | None:
        """The folder of the version that it made, None as long as there is none."""
        folder = self.folder / "version"
        return folder if (folder / RECORD_FILE).is_file() else None

    def log_text(self) -> str:
        """Everything that its processes printed."""
        try:
            return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def request_stop(self) -> None:
        """Ask it to stop after the current step and to keep what there is."""
        (self.folder / "stop").touch()

    def withdraw_stop(self) -> None:
        """Forget that somebody asked it to stop."""
        (self.folder / "stop").unlink(missing_ok=True)

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "stop").exists()

    @property
    def checkpoints(self) -> CheckpointFolder:
        """What a resume goes on from."""
        return CheckpointFolder(self.folder / "checkpoints")

    def append(self, event: str, **values: Any) -> None:
        """Add an event. Only the process that trains calls it, after `RunStore.create` or `jobs.resume` added the
        first."""
        self.event_log.append(event, **values)

    def append_failure(self, reason: str, **values: Any) -> None:
        """Add the event that it failed, on a full disk too."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "reserve").unlink()
        self.append("failed", reason=reason, **values)

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Add a row to `metrics.csv`, with the names as its first line."""
        path = self.folder / "metrics.csv"
        is_new = not path.exists()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def enter(self) -> None:
        """Prepare the folder for the process that trains: what `reason` and `append_failure` need if it fails."""
        sign_in(self.folder / "process.json")
        # Random, since a file system that compresses would reserve nothing for zeros.
        write_atomically(self.folder / "reserve", secrets.token_bytes(RESERVED_BYTES))

    def rewrite_metrics(self) -> None:
        """Write `metrics.csv` anew from the history, which a resume has shortened."""
        (self.folder / "metrics.csv").unlink(missing_ok=True)
        for event in self.history():
            self.append_metrics({name: value for name, value in event.items() if name not in ("time", "event")})


class RunStore:
    """All runs below one home folder."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()
        self._courses = Courses()

    @property
    def folder(self) -> Path:
        """Where the folders of the runs are."""
        return self.home / "runs"

    def create(
        self,
        spec: ModelSpec,
        variant: str | None,
        config: TrainingConfig,
        *,
        data: Path | str | None = None,
        device: str = "auto",
        **more: Any,
    ) -> Run:
        """A new run, queued. `jobs.start` calls this and starts its process.

        Args:
            data: A folder of the user's own data, or None for the model's data set.
            device: Where it shall train (`layerwise.slots`).
            more: What else `run.json` shall hold.

        Raises:
            NotFoundError: The model has no such variant.
        """
        from layerwise.environment import environment, git_revision

        chosen = spec.variant(variant)
        application = spec.name.partition("/")[2]
        identifier = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{application}-{chosen.name}-{secrets.token_hex(2)}"
        request = {
            "name": spec.name,
            "variant": chosen.name,
            "config": asdict(config),
            "data": str(Path(data).resolve()) if data is not None else None,
            "device": device,
            **more,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "git": git_revision(),
            "environment": environment(),
        }
        # Made under a hidden name first, so that nobody ever lists a run without its request.
        hidden = self.folder / f".{identifier}"
        hidden.mkdir(parents=True)
        write_atomically(hidden / "run.json", json.dumps(request, indent=2) + "\n")
        run = Run(hidden.rename(self.folder / identifier))
        run.append("queued")
        return run

    def list(self) -> list[Run]:
        """All runs, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [folder for folder in self.folder.iterdir() if not folder.name.startswith(".")]
        return [Run(folder) for folder in sorted(found, reverse=True) if (folder / "run.json").is_file()]

    def get(self, identifier: str) -> Run:
        """The run with that id, or the only one whose id begins or ends so.

        Raises:
            NotFoundError: There is none, or several fit.
        """
        runs = self.list()
        fitting = [run for run in runs if run.id == identifier] or [
            run for run in runs if identifier and (run.id.startswith(identifier) or run.id.endswith(identifier))
        ]
        if len(fitting) == 1:
            return fitting[0]
        shown = re.sub(r"[^\x20-\x7e]", "?", identifier)[:80]
        raise NotFoundError(
            f"{len(fitting)} runs are called {shown!r}" if fitting else f"There is no run {shown!r}",
            remedy="layerwise runs lists them",
        )

    def course(self, run: Run) -> Course:
        """The course of a run. It is remembered, so that a second look reads only what is new."""
        return self._courses.of(run.id, run.event_log)

    def delete(self, identifier: str) -> None:
        """Delete a run with everything in its folder.

        Raises:
            RunError: It is running, or its version is in use.
        """
        from layerwise.versions import VersionStore

        run = self.get(identifier)
        if run.is_active:
            raise RunError(f"The run {run.id} is {run.state}", remedy="stop it first")
        if VersionStore(self.home).is_promoted(run):
            raise RunError(
                f"The version made by {run.id} is in use", remedy=f"layerwise rollback {run.name}:{run.variant} first"
            )
        self._courses.forget(run.id)
        # Renamed first: a half-deleted folder must never look like a run.
        shutil.rmtree(run.folder.rename(run.folder.with_name(f".deleted-{run.id}")))
