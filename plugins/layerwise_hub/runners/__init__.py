"""What answers for published models, through transformers."""

from __future__ import annotations

from layerwise.runner import Runner
from layerwise.specs import resolve
from layerwise.versions import Version
from layerwise_hub.kinds import kind_of
from layerwise_hub.library import folder_of, require_framework
from layerwise_hub.manifest import Manifest


def runner(version: Version) -> Runner:
    """The runner of a published model, its files checked.

    Raises:
        NotFoundError: It was removed.
        MissingDependencyError: torch or transformers is not installed.
        WeightsError: Its files are missing or have changed, or transformers cannot load them.
    """
    entry = Manifest().entry(version.name)
    require_framework()
    return resolve(kind_of(entry.kind).runner)(entry, folder_of(entry), version.task)
