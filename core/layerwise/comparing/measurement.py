"""What the version of a run reaches on examples that it was not trained on: measured once, kept in the run's folder.

    runs/<id>/measurement/result.json     what `evaluate_version` said, and of which weights
                          progress.json   how many examples are done, while it is measured
                          lock            held by the process that measures
                          log.txt         what that process printed

`python -m layerwise.comparing.measurement FOLDER...` measures runs in a process of its own, so that a page that wants
figures goes on, and a measurement outlives it.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from layerwise.errors import LayerwiseError, RunError
from layerwise.job_folders.job import STARTING_SECONDS
from layerwise.job_folders.liveness import is_held
from layerwise.paths import write_atomically
from layerwise.processes import start_detached
from layerwise.runs import Run
from layerwise.versions import VersionStore
from layerwise.weights import read_record

if TYPE_CHECKING:
    from layerwise.evaluation import Progress
    from layerwise.registry import Snapshot

logger = logging.getLogger(__name__)

SPLITS = ("test", "validation")
"""The test split, or where the data have none what was held out."""
SECONDS_PER_NOTE = 0.5


class Measurement:
    """The figures of one run's version."""

    def __init__(self, run: Run) -> None:
        self.run, self.folder = run, run.folder / "measurement"

    @property
    def result(self) -> dict[str, Any] | None:
        """What `layerwise.evaluation.evaluate_version` said for comparing, None when that is not known yet or when the
        run has made better weights since."""
        found = self._read()
        return found if found is not None and "error" not in found else None

    @property
    def error(self) -> str:
        """Why it could not be measured; empty otherwise."""
        return (self._read() or {}).get("error", "")

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many examples are done, and of how many (0 before that is known), while it is measured; None when nobody
        measures it."""
        path = self.folder / "progress.json"
        try:
            noted, age = json.loads(path.read_text(encoding="utf-8")), time.time() - path.stat().st_mtime
        except (OSError, ValueError):
            return None
        # A new process needs time to take the lock.
        return (noted["done"], noted["total"]) if is_held(self.lock()) or age < STARTING_SECONDS else None

    def measure(self, snapshot: Snapshot, progress: Progress | None = None) -> dict[str, Any]:
        """The result, measured here and now unless it is known.

        Raises:
            RunError: The run has no version.
            LayerwiseError: It cannot be measured.
        """
        if self.run.version_folder is None:
            raise RunError(f"The run {self.run.id} has made no version that could be measured")
        with self.lock():
            return self.result or self._measure(snapshot, progress)

    def lock(self) -> FileLock:
        """The lock of the process that measures."""
        self.folder.mkdir(exist_ok=True)
        return FileLock(self.folder / "lock", is_singleton=False)

    def note(self, done: int, total: int) -> None:
        """Say how far it is."""
        write_atomically(self.folder / "progress.json", json.dumps({"done": done, "total": total}))

    def forget_progress(self) -> None:
        """Say that nobody measures it any more."""
        (self.folder / "progress.json").unlink(missing_ok=True)

    def keep_error(self, error: str) -> None:
        """Keep why it cannot be measured, for those who look."""
        self._keep({"error": error}, self._weights())

    def _measure(self, snapshot: Snapshot, progress: Progress | None) -> dict[str, Any]:
        from layerwise.evaluation import evaluate_version

        home = self.run.folder.parent.parent
        # Before the weights are read: those that a training writes meanwhile are others.
        weights = self._weights()
        version = VersionStore(home).get(snapshot.model(self.run.name), self.run.variant, self.run.id)
        result = evaluate_version(snapshot, version, split=SPLITS, progress=progress, for_comparing=True)
        # Seven digits: half the size of a file that is read at each look.
        result["resampled"] = {
            name: [float(f"{value:.7g}") for value in values] for name, values in result["resampled"].items()
        }
        return self._keep(result, weights)

    def _keep(self, result: dict[str, Any], weights: str | None) -> dict[str, Any]:
        kept = {"weights": weights, **result}
        write_atomically(self.folder / "result.json", json.dumps(kept))
        return kept

    def _read(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if found["weights"] == self._weights() else None

    def _weights(self) -> str | None:
        """The checksum of the weights that there are now."""
        try:
            return read_record(self.run.folder / "version").get("sha256")
        except LayerwiseError:
            return None


def start_measuring(runs: Iterable[Run]) -> list[Run]:
    """Measure those of `runs` that have a version and are not measured yet, in a process of its own, and return at
    once which these are."""
    wanted = [run for run in runs if run.version_folder is not None and Measurement(run).result is None]
    wanted = [run for run in wanted if Measurement(run).progress is None]
    if not wanted:
        return []
    for run in wanted:
        Measurement(run).note(0, 0)
    start_detached(
        "layerwise.comparing.measurement",
        *(str(run.folder) for run in wanted),
        home=wanted[0].folder.parent.parent,
        log=Measurement(wanted[0]).folder / "log.txt",
    )
    return wanted


def main(folders: Iterable[str]) -> None:
    """The process that measures runs, one after the other."""
    from layerwise.registry import Registry

    runs = [Run(Path(folder)) for folder in folders]
    with ExitStack() as waiting:
        # All locks at once, so that those that wait for their turn are seen to be in work; by name, so that two
        # processes never wait for each other.
        locks = {run.id: waiting.enter_context(Measurement(run).lock()) for run in sorted(runs, key=lambda run: run.id)}
        snapshot = Registry(runs[0].folder.parent.parent).snapshot()
        for run in runs:
            locks[run.id].release()
            _measure(run, snapshot)


def _measure(run: Run, snapshot: Snapshot) -> None:
    measurement, noted = Measurement(run), 0.0

    def progress(done: int, total: int) -> None:
        nonlocal noted
        if time.monotonic() - noted >= SECONDS_PER_NOTE:
            noted = time.monotonic()
            measurement.note(done, total)

    try:
        measurement.measure(snapshot, progress)
    except Exception as error:  # the last place where a reason can be kept
        logger.exception("%s could not be measured", run.id)
        measurement.keep_error(str(error) if isinstance(error, LayerwiseError) else f"An unexpected {error!r}")
    finally:
        measurement.forget_progress()


if __name__ == "__main__":
    main(sys.argv[1:])
