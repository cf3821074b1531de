"""The workspace: what is registered, what was trained, and what answers, below one home folder.

import layerwise

with layerwise.open_workspace() as workspace:
    print(workspace.predictor.predict("vision/fashion", "shoe.png"))
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from layerwise.comparing.leaderboards import LeaderboardStore
from layerwise.datasets.uploads import UploadStore
from layerwise.hyperparameters.studies import StudyStore
from layerwise.paths import home as default_home
from layerwise.predictor import Predictor
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.versions import VersionStore
from layerwise.workers.limits import is_isolating
from layerwise.workers.pool import Workers


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What the command line, the web app and Python users share.

    Args:
        home: The folder of the runs, the promoted versions and the settings.
        registry: Models, tasks, data sets and pages, as the plugins gave them.
        runs: The training runs.
        studies: The searches for hyperparameters.
        leaderboards: What models were measured beside each other.
        versions: The trained versions, and which of them are in use.
        uploads: The data that users brought.
        predictor: Answers with the versions in use.
    """

    home: Path
    registry: Registry
    runs: RunStore
    studies: StudyStore
    leaderboards: LeaderboardStore
    versions: VersionStore
    uploads: UploadStore
    predictor: Predictor

    def close(self) -> None:
        """Let go of the models in memory."""
        self.predictor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_workspace(home: Path | str | None = None) -> Workspace:
    """Open the workspace below `home`. Models, and what they are computed with, are loaded at their first use.

    Args:
        home: A folder; None is the user's own (`LAYERWISE_HOME`, or the system's place for user data). It is
            made when something is first written to it.
    """
    folder = Path(home).expanduser().absolute() if home is not None else default_home()
    registry, versions = Registry(folder), VersionStore(folder)
    predictor = Predictor(registry, versions, Workers(folder, registry.snapshot) if is_isolating() else None)
    registry.subscribe(predictor.keep_only)
    return Workspace(
        home=folder,
        registry=registry,
        runs=RunStore(folder),
        studies=StudyStore(folder),
        leaderboards=LeaderboardStore(folder),
        versions=versions,
        uploads=UploadStore(folder),
        predictor=predictor,
    )
