"""The run store: a folder for each training run, and nothing else.

    runs/<id>/run.json        what was asked for: model, variant, config, data, and where it ran
              events.jsonl    what happened, one JSON object a line, appended while it runs
              metrics.csv     a row for each epoch
              log.txt         everything that its process printed
              version/        weights and record: what `promote` puts in use
              lock            held by the process that trains; free means that no process does
              stop            there when somebody asked it to stop

The folder is the only channel between the process that trains and those that watch, so a restarted server, a
second browser and the command line all see the same.
"""

from __future__ import annotations

import csv
import json
import os
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

from layerwise.errors import NotFoundError, RunError
from layerwise.paths import home as default_home
from layerwise.paths import write_atomically
from layerwise.weights import RECORD_FILE

if TYPE_CHECKING:
    from layerwise.config import TrainingConfig
    from layerwise.specs import ModelSpec

ENDINGS = ("finished", "stopped", "failed")
BEFORE_START = ("queued", "download")
"""The events that may come before "started"."""
_NOT_MEASURED = frozenset(("time", "event", "epoch", "step", "steps", "learning_rate", "seconds", "samples_per_second"))
STARTING_SECONDS = 60.0
"""How long a run may be without a process before it counts as dead: a new process needs time to take the lock."""


def metrics_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a "progress" or "epoch" event says of the network: the loss and the metrics, without when and how fast."""
    return {name: value for name, value in event.items() if name not in _NOT_MEASURED}


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
    def created(self) -> str:
        """When it was asked for, ISO 8601 in UTC."""
        return self.request["created"]

    def events(self, start: int = 0) -> list[dict[str, Any]]:
        """What happened so far, from event number `start`."""
        return self.events_from(0)[0][start:]

    def events_from(self, position: int) -> tuple[list[dict[str, Any]], int]:
        """What happened since the file was `position` bytes long, and how long it is now: for one who follows a long
        run and would not read it all again and again. A line that is being written just now is left for the next
        look."""
        try:
            with (self.folder / "events.jsonl").open("rb") as file:
                file.seek(position)
                content = file.read()
        except FileNotFoundError:
            return [], position
        whole = content[: content.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines()], position + len(whole)

    @property
    def last_event(self) -> dict[str, Any] | None:
        """The newest event, read from the end of the file; None when nothing has happened yet."""
        try:
            file = (self.folder / "events.jsonl").open("rb")
        except FileNotFoundError:
            return None
        with file:
            size, length = file.seek(0, os.SEEK_END), 4096
            while True:
                start = max(size - length, 0)
                file.seek(start)
                # Behind the last newline is nothing, or a line that is being written just now.
                lines = file.read(size - start).split(b"\n")[:-1]
                # Unless it begins with the file, the first line may be the rest of one.
                if lines and (start == 0 or len(lines) > 1):
                    return json.loads(lines[-1])
                if start == 0:
                    return None
                length *= 16

    def history(self) -> list[dict[str, Any]]:
        """The "epoch" events: one mapping of metrics for each finished epoch."""
        return [event for event in self.events() if event["event"] == "epoch"]

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

    def _look(self) -> tuple[str, str]:
        # The process is looked at before the events: looked at after them, a run that ends in between would
        # seem to have died without a word.
        alive = self.is_alive
        last = self.last_event or {"event": "queued"}
        if last["event"] in ENDINGS:
            return last["event"], last.get("reason", "")
        started = last["event"] not in BEFORE_START
        if alive or (not started and time.time() - self._born() < STARTING_SECONDS):
            return ("running" if started else "queued"), ""
        return "failed", "Its process ended without a word: it was killed, or the machine was restarted."

    def _born(self) -> float:
        try:
            return (self.folder / "run.json").stat().st_mtime
        except OSError:
            return 0.0

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
        """Everything that its process printed."""
        try:
            return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def request_stop(self) -> None:
        """Ask it to stop after the current step and to keep what there is."""
        (self.folder / "stop").touch()

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "stop").exists()

    def append(self, event: str, **values: Any) -> None:
        """Add an event. Only the process that trains calls it, after `RunStore.create` added the first."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **values})
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Add a row to `metrics.csv`, with the names as its first line."""
        path = self.folder / "metrics.csv"
        is_new = not path.exists()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)


class RunStore:
    """All runs below one home folder."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()

    @property
    def folder(self) -> Path:
        """Where the folders of the runs are."""
        return self.home / "runs"

    def create(
        self, spec: ModelSpec, variant: str | None, config: TrainingConfig, *, data: Path | str | None = None
    ) -> Run:
        """A new run, queued. `jobs.start` calls this and starts its process.

        Args:
            data: A folder of the user's own data, or None for the model's data set.

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
        # Renamed first: a half-deleted folder must never look like a run.
        shutil.rmtree(run.folder.rename(run.folder.with_name(f".deleted-{run.id}")))
