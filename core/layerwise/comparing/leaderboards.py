"""Leaderboards that are kept: a folder for each, measured by a process of its own.

    leaderboards/<id>/leaderboard.json   what was asked for: the versions, the data, the metric
                      measured/<n>.json  what was measured of the n-th model, or why it could not be
                      board.json         the leaderboard of what has been measured so far
                      progress.json      how many examples of the present model are done
                      events.jsonl, log.txt, lock, ...   as of every job (`layerwise.job_folders.job`)

A leaderboard that was stopped or killed and goes on measures only what is missing. `python -m
layerwise.comparing.leaderboards FOLDER` is the process of one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from layerwise import jobs
from layerwise.errors import LayerwiseError
from layerwise.job_folders.job import Job
from layerwise.job_folders.job_store import JobStore
from layerwise.paths import write_atomically

if TYPE_CHECKING:
    from layerwise.comparing.benchmark import Benchmark
    from layerwise.leaderboard import Board
    from layerwise.serving.loading import Runners
    from layerwise.snapshot import Snapshot
    from layerwise.versions import Reference
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

SECONDS_PER_NOTE = 0.3


class Leaderboard(Job):
    """A leaderboard, seen through its folder."""

    KIND, PLURAL, MODULE = "leaderboard", "leaderboards", "layerwise.comparing.leaderboards"

    @property
    def models(self) -> list[str]:
        """The versions that are measured, in full."""
        return self.request["models"]

    @property
    def benchmark(self) -> Benchmark:
        """What they are measured on."""
        from layerwise.comparing.benchmark import Benchmark

        return Benchmark(**self.request["benchmark"])

    @property
    def board(self) -> Board:
        """What is known by now, as from `layerwise.leaderboard.leaderboard`. Models that are still to be measured have
        neither a place nor an error."""
        return _read(self.folder / "board.json") or self._assembled()

    @property
    def progress(self) -> tuple[str, int, int] | None:
        """The model that is being measured, how many examples are done, and of how many (0 before that is known); None
        when none is."""
        found = _read(self.folder / "progress.json")
        return (found["model"], found["done"], found["total"]) if found and self.is_active else None

    def measured(self, place: int) -> dict[str, Any] | None:
        """What was measured of a model, or its `error`; None when that is not known yet."""
        return _read(self.folder / "measured" / f"{place}.json")

    def keep(self, place: int, result: dict[str, Any]) -> None:
        """Keep what was measured of a model, and the leaderboard with it."""
        write_atomically(self.folder / "measured" / f"{place}.json", json.dumps(result))
        write_atomically(self.folder / "board.json", json.dumps(self._assembled()))

    def note(self, model: str, done: int, total: int) -> None:
        """Say how far it is."""
        write_atomically(self.folder / "progress.json", json.dumps({"model": model, "done": done, "total": total}))

    def _assembled(self) -> Board:
        from layerwise.leaderboard import assemble

        found = [self.measured(place) for place in range(len(self.models))]
        missing = [
            result or {"reference": reference}
            for reference, result in zip(self.models, found, strict=True)
            if result is None or "error" in result
        ]
        measured = [result for result in found if result is not None and "error" not in result]
        return assemble(self.benchmark, self.request["metric"], measured, missing)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class LeaderboardStore(JobStore[Leaderboard]):
    """All leaderboards below one home folder."""

    kind = Leaderboard

    def create(self, models: Sequence[str], benchmark: Benchmark, metric: str) -> Leaderboard:
        """A new leaderboard, queued. `start` calls this and starts its process.

        Args:
            models: The versions in full.
            metric: By which they are ranked; empty for the first that all of them have.
        """
        request = {"models": list(models), "benchmark": vars(benchmark), "metric": metric}
        return Leaderboard.create(self.folder, "leaderboard", request)


def start(
    workspace: Workspace,
    models: Sequence[str | Reference],
    *,
    data: Path | str | None = None,
    split: str = "test",
    limit: int | None = None,
    metric: str | None = None,
) -> Leaderboard:
    """Measure models in a process of its own, and return at once. The arguments, and what is raised, are those of
    `layerwise.leaderboard.leaderboard`."""
    from layerwise.comparing.benchmark import find_benchmark
    from layerwise.leaderboard import find_versions, metric_of

    versions = find_versions(workspace, models)
    benchmark = find_benchmark(workspace, versions, data, split=split, limit=limit)
    # By their ids, so that it is the same leaderboard whatever is promoted meanwhile.
    references = [version.reference for version in versions]
    chosen = metric_of([version.task for version in versions], metric)
    found = workspace.leaderboards.create(references, benchmark, chosen)
    jobs.launch(found)
    return found


class _Stopped(BaseException):
    """Somebody asked for a stop. No Exception, so that nobody takes it for a mistake of a model."""


def fill(board: Leaderboard) -> None:
    """Measure the models that are missing, until all are measured or somebody asks for a stop."""
    from layerwise.leaderboard import make_runners
    from layerwise.workspace import open_workspace

    try:
        with _turn(board), open_workspace(board.folder.parent.parent) as workspace:
            snapshot = workspace.registry.snapshot()
            runners, workers = make_runners(workspace)
            try:
                for place, reference in enumerate(board.models):
                    _fill_one(board, place, workspace, snapshot, runners)
                    board.append("measured", model=reference)
            finally:
                if workers is not None:
                    workers.close()
    except _Stopped:
        board.append("stopped", reason=jobs.ASKED)
    else:
        board.append("finished")


@contextlib.contextmanager
def _turn(board: Leaderboard) -> Iterator[None]:
    """Wait until no other leaderboard is being measured. The system frees the lock of a process that dies."""
    lock, is_waiting = FileLock(board.folder.parent / ".turn", is_singleton=False), False
    while not lock.is_locked:
        if board.stop_requested:
            raise _Stopped
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if not is_waiting:
                board.append("waiting", reason="It waits for another leaderboard, or the times of both would be wrong.")
            is_waiting = True
            time.sleep(SECONDS_PER_NOTE)
    try:
        board.append("preparing")
        yield
    finally:
        lock.release()


def _fill_one(board: Leaderboard, place: int, workspace: Workspace, snapshot: Snapshot, runners: Runners) -> None:
    from layerwise.leaderboard import measure

    reference, noted = board.models[place], 0.0

    def progress(done: int, total: int) -> None:
        nonlocal noted
        if board.stop_requested:
            raise _Stopped
        if time.monotonic() - noted >= SECONDS_PER_NOTE:
            noted = time.monotonic()
            board.note(reference, done, total)

    progress(0, 0)
    try:
        version = workspace.predictor.version(reference)
        known = board.measured(place)
        # A run that still trains may have made better weights since.
        if known is not None and known.get("sha256") == version.record.get("sha256") and "error" not in known:
            return
        result = measure(snapshot, runners, version, board.benchmark, progress)
    except LayerwiseError as error:
        logger.exception("%s could not be measured", reference)
        result = {"reference": reference, "error": str(error)}
    board.keep(place, result)


def main(folder: str) -> int:
    """The process of one leaderboard. Returns the exit status."""
    board = Leaderboard(Path(folder))
    return jobs.conduct(board, lambda: fill(board))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
