"""Published weights: got once from where somebody has published them, and kept as a version of the user's own home.

What reads them is the plugin's (`layerwise.specs.PublishedWeights.read`); here the result is written so that it is
there whole or not at all, whoever else fetches the same, and whatever happens meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from layerwise import weights
from layerwise.config import TrainingConfig
from layerwise.context import num_trainable_parameters
from layerwise.devices import environment, git_revision, quiet_import
from layerwise.errors import NotFoundError, SpecError, WeightsError
from layerwise.serving.loading import explained
from layerwise.specs import resolve
from layerwise.tasks.base import Task
from layerwise.temporary import remove_folder, temporary_folder
from layerwise.versions import FETCHED, read_version

if TYPE_CHECKING:
    import keras

    from layerwise.specs import ModelSpec, PublishedWeights, Variant
    from layerwise.versions import Version, VersionStore

Progress = Callable[[str, int, int], None]
"""`(file, bytes of it that are here, its size in bytes)`; a size of 0 is unknown."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What published weights were read as.

    Args:
        model: The network that the model's `build` makes of `config` and `task`, with these weights.
        task: The model's task as these weights need it (labels, tokenizer).
        config: The config that the network was built with.
    """

    model: keras.Model
    task: Task
    config: TrainingConfig


def fetch(
    versions: VersionStore,
    spec: ModelSpec,
    variant: str | None = None,
    source: str | None = None,
    progress: Progress | None = None,
) -> Version:
    """Get the published weights of a variant, in the place of those that were fetched before. Who asks for the same
    while they are being fetched waits and is given the same.

    Args:
        source: Where they are; None is where the plugin says.
        progress: Told how much of each file is here.

    Raises:
        NotFoundError: The variant is unknown or has no published weights.
        WeightsError: They cannot be had or written; those that were fetched before are still there.
        LayerwiseError: What the plugin says that went wrong.
    """
    chosen = spec.variant(variant)
    published = _published(spec, chosen)
    source = source or published.source
    what = f"The weights of {spec.name}:{chosen.name}"
    folder, former = versions.fetched(spec.name, chosen.name), versions.last_fetched(spec.name, chosen.name)
    with explained(f"{spec.name}:{chosen.name}", "be fetched"):
        with _in_words(f"{what} cannot be written to {folder}", "see that it can be written to"):
            folder.parent.mkdir(parents=True, exist_ok=True)
            turn = FileLock(folder.with_suffix(".lock")).acquire()
        with turn:
            if versions.last_fetched(spec.name, chosen.name) not in (None, former):
                version = versions.get(spec, chosen.name, FETCHED)
                if version.record.get("source") == source:
                    return version
            with _in_words(f"{what} cannot be had from {source}", "try again later, or name another place with --from"):
                fetched = _read(spec, chosen, published, source, progress)
            record = _record(spec, chosen, published, source, fetched)
            with _in_words(f"{what} cannot be written to {folder}", "see that it can be written to"):
                _keep(versions, spec, chosen, fetched, record)
            return versions.get(spec, chosen.name, FETCHED)


def _published(spec: ModelSpec, variant: Variant) -> PublishedWeights:
    if variant.published is None:
        others = [f"{spec.name}:{item.name}" for item in spec.variants if item.published is not None]
        raise NotFoundError(
            f"{spec.name}:{variant.name} has no published weights",
            remedy=f"choose one of {', '.join(others)}" if others else f"layerwise show {spec.name} says what it has",
        )
    return variant.published


def _read(
    spec: ModelSpec, variant: Variant, published: PublishedWeights, source: str, progress: Progress | None
) -> Fetched:
    quiet_import()
    fetched = resolve(published.read)(source, spec.task, variant.config, progress or _say_nothing)
    if not isinstance(fetched, Fetched):
        raise SpecError(
            f"What reads the weights of {spec.name}:{variant.name} is unusable",
            expected="a layerwise.fetching.Fetched",
            received=type(fetched).__name__,
        )
    return fetched


def _say_nothing(file: str, done: int, total: int) -> None:
    pass


def _record(
    spec: ModelSpec, variant: Variant, published: PublishedWeights, source: str, fetched: Fetched
) -> dict[str, Any]:
    """What is known of the version, for its `version.json`."""
    return {
        "name": spec.name,
        "variant": variant.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source,
        "licence": published.licence,
        "task": fetched.task.parameters(),
        "config": asdict(fetched.config),
        "data": {},
        "metrics": {},
        "num_parameters": num_trainable_parameters(fetched.model),
        "git": git_revision(),
        "environment": environment(),
    }


def _keep(versions: VersionStore, spec: ModelSpec, variant: Variant, fetched: Fetched, record: dict[str, Any]) -> None:
    """Write the version. A new folder for each time, since a task's files have the same names as the former ones."""
    folder, former = versions.fetched(spec.name, variant.name), versions.last_fetched(spec.name, variant.name)
    arrays = weights.arrays_of(weights.named_variables(fetched.model))
    with temporary_folder(folder) as temporary:
        weights.save_arrays(arrays, temporary, record, fetched.task.files())
        # What cannot be read again must not take the place of what can.
        read_version(spec, variant.name, FETCHED, temporary)
        kept = temporary.rename(folder / str(int(former.name) + 1 if former else 1))
    for outdated in folder.glob("[0-9]*"):
        if outdated != kept:
            with contextlib.suppress(OSError):  # somebody reads it: it is removed next time
                remove_folder(outdated)


@contextlib.contextmanager
def _in_words(what: str, remedy: str) -> Iterator[None]:
    """Turn an error of the disk or of the network into one that a user can read."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WeightsError(what, received="a full disk", remedy="make room") from error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise WeightsError(what, received=lines[0][:300], remedy=remedy) from error
