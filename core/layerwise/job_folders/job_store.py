"""All jobs of one kind below one home folder: `RunStore`, `StudyStore`, `LeaderboardStore`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from layerwise.errors import NotFoundError, RunError
from layerwise.job_folders.job import Job
from layerwise.paths import home as default_home

JobT = TypeVar("JobT", bound=Job)


class JobStore(Generic[JobT]):
    """All jobs of one kind below one home folder. Subclasses say of which kind, and make new ones.

    Args:
        home: None is the user's own.
    """

    kind: ClassVar[type[Any]]
    """The class of the jobs."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()

    @property
    def folder(self) -> Path:
        """Where the folders of the jobs are."""
        return self.home / self.kind.PLURAL

    def list(self) -> list[JobT]:
        """All of them, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [folder for folder in self.folder.iterdir() if not folder.name.startswith(".")]
        asked = f"{self.kind.KIND}.json"
        return [self.kind(folder) for folder in sorted(found, reverse=True) if (folder / asked).is_file()]

    def get(self, identifier: str) -> JobT:
        """The one with that id, or the only one whose id begins or ends so.

        Raises:
            NotFoundError: There is none, or several fit.
        """
        known = {job.id: job for job in self.list()}
        fitting = [name for name in known if identifier and (name.startswith(identifier) or name.endswith(identifier))]
        if identifier in known or len(fitting) == 1:
            return known[identifier if identifier in known else fitting[0]]
        shown = re.sub(r"[^\x20-\x7e]", "?", identifier)[:80]
        kind = self.kind
        raise NotFoundError(
            f"{len(fitting)} {kind.PLURAL} are called {shown!r}" if fitting else f"There is no {kind.KIND} {shown!r}",
            remedy=f"layerwise {kind.PLURAL} lists them",
        )

    def delete(self, identifier: str) -> None:
        """Delete one with everything in its folder.

        Raises:
            NotFoundError: There is none, or several fit.
            RunError: It is going on.
        """
        job = self.get(identifier)
        if job.is_active:
            raise RunError(f"The {self.kind.KIND} {job.id} is {job.state}", remedy="stop it first")
        # Renamed first: a half-deleted folder must never look like a job.
        shutil.rmtree(job.folder.rename(job.folder.with_name(f".deleted-{job.id}")))
