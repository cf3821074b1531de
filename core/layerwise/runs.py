"""The run store: a folder for each training run, and nothing else.

    runs/<id>/run.json        what was asked for: model, variant, config, data, and where it ran
              events.jsonl    what happened, one JSON object a line, appended while it runs
              metrics.csv     a row for each epoch
              log.txt         everything that its process printed
              version/        weights and record: what `promote` puts in use
              checkpoints/    what a resume goes on from
              lock            held by the process that trains; free means that no process does
              process.json    which process that is, to say afterwards why it ended without a word
              starting        the lock that this process was started with
              stop            there when somebody asked it to stop

The folder is the only channel between the process that trains and those that watch, so a restarted server, a
second browser and the command line all see the same.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import RunError
from layerwise.job_folders.checkpoints import CheckpointFolder
from layerwise.job_folders.course import Course, Courses
from layerwise.job_folders.events import course
from layerwise.job_folders.job import Job
from layerwise.job_folders.job_store import JobStore
from layerwise.weights import RECORD_FILE

if TYPE_CHECKING:
    from layerwise.config import TrainingConfig
    from layerwise.specs import ModelSpec


class Run(Job):
    """A training run, seen through its folder. Cheap to make; every property reads what is there now."""

    KIND, PLURAL, MODULE = "run", "runs", "layerwise.jobs"

    @property
    def config(self) -> dict[str, Any]:
        """Its config as plain values."""
        return self.request["config"]

    @property
    def by(self) -> str | None:
        """Who has started it: an account of the server; None where nobody had to sign in."""
        return self.request.get("by")

    @property
    def cluster(self) -> str | None:
        """The address of the cluster that it trains on, None for this machine."""
        return self.request.get("cluster")

    @property
    def start_from(self) -> str | None:
        """The id of the version whose weights it begins with, None for random ones."""
        return self.request.get("start_from")

    @property
    def workers(self) -> int:
        """How many processes of its cluster share the batches."""
        return self.request.get("workers") or 1

    def history(self) -> list[dict[str, Any]]:
        """The "epoch" events: one mapping of metrics for each finished epoch."""
        return [event for event in course(self.events()) if event["event"] == "epoch"]

    @property
    def version_folder(self) -> Path | None:
        """The folder of the version that it made, None as long as there is none."""
        folder = self.folder / "version"
        return folder if (folder / RECORD_FILE).is_file() else None

    @property
    def checkpoints(self) -> CheckpointFolder:
        """What a resume goes on from."""
        return CheckpointFolder(self.folder / "checkpoints")

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Add a row to `metrics.csv`, with the names as its first line. What a row does not have is left empty."""
        path = self.folder / "metrics.csv"
        names, rows = list(row), []
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                former = next(csv.reader(file), [])
                if new := [name for name in row if name not in former]:
                    rows = [dict(zip(former, values, strict=False)) for values in csv.reader(file)]
            names = [*former, *new]
        else:
            new = names
        with path.open("w" if new else "a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=names)
            if new:
                writer.writeheader()
                writer.writerows(rows)
            writer.writerow(row)

    def rewrite_metrics(self) -> None:
        """Write `metrics.csv` anew from the history, which a resume has shortened."""
        (self.folder / "metrics.csv").unlink(missing_ok=True)
        for event in self.history():
            self.append_metrics({name: value for name, value in event.items() if name not in ("time", "event")})


class RunStore(JobStore[Run]):
    """All runs below one home folder."""

    kind = Run

    def __init__(self, home: Path | None = None) -> None:
        super().__init__(home)
        self._courses = Courses()

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
            device: Where it shall train (`layerwise.hardware.slots`).
            more: What else `run.json` shall hold.

        Raises:
            NotFoundError: The model has no such variant.
            OSError: It cannot be written, since the disk is full; nothing of it is left.
        """
        from layerwise.hardware.environment import environment, git_revision

        chosen = spec.variant(variant)
        application = spec.name.partition("/")[2]
        request = {
            "name": spec.name,
            "variant": chosen.name,
            "config": asdict(config),
            "data": str(Path(data).resolve()) if data is not None else None,
            "device": device,
            **more,
            "git": git_revision(),
            "environment": environment(),
        }
        return Run.create(self.folder, f"{application}-{chosen.name}", request)

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
        if not run.is_active and VersionStore(self.home).is_promoted(run):
            raise RunError(
                f"The version made by {run.id} is in use", remedy=f"layerwise rollback {run.name}:{run.variant} first"
            )
        self._courses.forget(run.id)
        super().delete(run.id)
