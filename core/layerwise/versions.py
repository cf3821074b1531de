"""Versions: trained results that can be used, and which of them is in use.

A version is a folder with weights and a record (`layerwise.weights`). The ones that come with a plugin are
called "shipped", published ones that were fetched (`layerwise.fetching`) "fetched"; the others are named after
the run that made them. Which one is in use for a model and variant is said by one small pointer file, replaced
atomically, so that every process sees either the former or the new version and never a mixture.

    promoted/<name>/<variant>.json       the pointer
    fetched/<name>/<variant>/<number>/   fetched weights; the folder of the largest number counts
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from layerwise.config import TrainingConfig, config_from
from layerwise.errors import NotFoundError, RunError, SpecError, WeightsError
from layerwise.paths import home as default_home
from layerwise.paths import write_atomically
from layerwise.quota import in_bytes
from layerwise.weights import read_record

if TYPE_CHECKING:
    from layerwise.runs import Run
    from layerwise.specs import ModelSpec, Variant
    from layerwise.tasks.base import Task

SHIPPED = "shipped"
FETCHED = "fetched"
GIVEN = (SHIPPED, FETCHED)
"""The ids of the versions that no run has made. A variant has one of them at most."""
MILESTONES = "milestones"
"""The folder below a version's with what its network was on the way, each by the number of its epoch."""
_REFERENCE = re.compile(r"(?P<name>[^:@\s]+)(?::(?P<variant>[^:@\s]+))?(?:@(?P<version>[^:@\s]+))?")


@dataclass(frozen=True)
class Reference:
    """A model as a person names it: `name[:variant][@version]`; what is left out is the default."""

    name: str
    variant: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        variant = f":{self.variant}" if self.variant else ""
        return f"{self.name}{variant}{f'@{self.version}' if self.version else ''}"


def parse_reference(text: str | Reference) -> Reference:
    """The Reference that `text` writes.

    Raises:
        NotFoundError: It is not of that form.

    Example:
        >>> parse_reference("vision/fashion:dense")
        Reference(name='vision/fashion', variant='dense', version=None)
    """
    if isinstance(text, Reference):
        return text
    match = _REFERENCE.fullmatch(text.strip())
    if not match:
        raise NotFoundError(
            "The name of the model cannot be read",
            expected="domain/application[:variant][@version]",
            received=repr(text),
        )
    return Reference(**match.groupdict())


@dataclass(frozen=True)
class Milestone:
    """What a network was after some epochs of its training.

    Args:
        epoch: How many; 0 is before it.
        folder: Where its weights are.
        metrics: What was measured then.
    """

    epoch: int
    folder: Path
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A trained result.

    Args:
        name, variant: The model it belongs to.
        id: "shipped", "fetched", or the id of the run that made it.
        folder: Where its record and weights are.
        task: The model's task with this version's own parameters (labels, sizes).
        config: The config it was trained with.
        record: All that `version.json` holds.
    """

    name: str
    variant: str
    id: str
    folder: Path
    task: Task
    config: TrainingConfig
    record: dict[str, Any]

    @property
    def metrics(self) -> dict[str, float]:
        """What was measured at the end of its training."""
        return self.record.get("metrics", {})

    @property
    def num_parameters(self) -> int | None:
        """The number of trainable parameters of its network."""
        return self.record.get("num_parameters")

    @property
    def created(self) -> str:
        """When it was trained or fetched, ISO 8601 in UTC."""
        return self.record.get("created", "")

    @property
    def reference(self) -> str:
        """The name under which it can be asked for, whichever version is promoted."""
        return f"{self.name}:{self.variant}@{self.id}"

    @property
    def milestones(self) -> list[Milestone]:
        """What its training has kept on the way, the first first; those that cannot be read are left out."""
        found = []
        for folder in sorted((self.folder / MILESTONES).glob("[0-9]*")):
            with contextlib.suppress(WeightsError, KeyError):
                record = read_record(folder)
                found.append(Milestone(record["epoch"], folder, record["metrics"]))
        return found


def read_version(spec: ModelSpec, variant: str, identifier: str, folder: Path) -> Version:
    """The version in `folder`.

    Raises:
        WeightsError: Its record is missing, unreadable, or of another model.
    """
    record = read_record(folder)
    if record.get("name") != spec.name:
        raise WeightsError(
            f"The version in {folder} belongs to another model", expected=spec.name, received=repr(record.get("name"))
        )
    try:
        task = spec.task.with_parameters(record["task"], folder)
        config = config_from(spec.config, record["config"])
    except (KeyError, TypeError, AttributeError, SpecError) as error:
        raise WeightsError(
            f"The record of the version in {folder} does not fit the model any more",
            received=str(error),
            remedy=f"fetch it again: layerwise fetch {spec.name}:{variant}"
            if identifier == FETCHED
            else f"train again: layerwise train {spec.name}",
        ) from error
    return Version(
        name=spec.name, variant=variant, id=identifier, folder=folder, task=task, config=config, record=record
    )


def _given(variant: Variant) -> str:
    """The id of the version that is in use as long as none is promoted, whether or not it is there."""
    return SHIPPED if variant.published is None else FETCHED


def _before_promotion(variant: Variant) -> str | None:
    """The id of the version that the first promotion takes the place of. Published weights may still be fetched."""
    is_shipped = variant.weights is not None and Path(variant.weights).is_dir()
    return _given(variant) if is_shipped or variant.published is not None else None


def _not_there(name: str, variant: Variant, identifier: str) -> NotFoundError:
    reference = f"{name}:{variant.name}"
    if identifier != _given(variant):
        return NotFoundError(
            f"{reference} has no version {identifier!r}", remedy=f"choose one that layerwise show {name} lists"
        )
    if variant.published is None:
        remedy = f"layerwise train {reference} --promote"
    else:
        remedy = f"layerwise fetch {reference} (about {in_bytes(variant.published.size)})"
    return NotFoundError(f"{reference} has no weights yet", remedy=remedy)


class VersionStore:
    """The versions of all models below one home folder, and the pointers to those in use."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()

    def pointer(self, name: str, variant: str) -> Path:
        """The file that says which version is in use: `{"current": id, "history": [former ids]}`."""
        return self.home / "promoted" / name / f"{variant}.json"

    def fetched(self, name: str, variant: str) -> Path:
        """The folder of what was fetched: a version in a folder of its own for each time, named by a number. The former
        one is removed when the next is there."""
        return self.home / "fetched" / name / variant

    def last_fetched(self, name: str, variant: str) -> Path | None:
        """The folder of the fetched version, None when there is none."""
        found = [folder for folder in self.fetched(name, variant).glob("[0-9]*") if folder.name.isdigit()]
        return max(found, key=lambda folder: int(folder.name), default=None)

    def current(self, spec: ModelSpec, variant: str | None = None) -> Version:
        """The version in use: the promoted one, otherwise the shipped or fetched one.

        Raises:
            NotFoundError: The variant is unknown, or it has no weights yet.
            WeightsError: The record of the version is unreadable.
        """
        chosen = spec.variant(variant)
        promoted = self._read_pointer(spec.name, chosen.name)["current"]
        return self.get(spec, chosen.name, promoted or _given(chosen))

    def get(self, spec: ModelSpec, variant: str | None, identifier: str) -> Version:
        """The version with that id, or the only one whose id begins or ends so.

        Raises:
            NotFoundError: There is none, or several fit.
        """
        chosen = spec.variant(variant)
        folder = self._folder(spec.name, chosen, identifier)
        if folder is not None and not folder.is_dir() and len(fitting := self._fitting(identifier)) == 1:
            (folder,) = fitting
            identifier = folder.parent.name
        if folder is None or not folder.is_dir():
            raise _not_there(spec.name, chosen, identifier)
        version = read_version(spec, chosen.name, identifier, folder)
        if identifier != SHIPPED and version.record.get("variant") != chosen.name:
            raise NotFoundError(f"{identifier!r} is a version of {spec.name}:{version.record.get('variant')}")
        return version

    def list(self, spec: ModelSpec, variant: str | None = None) -> list[Version]:
        """All usable versions, the newest first and the shipped or fetched one last."""
        chosen, found = spec.variant(variant), []
        runs = [folder.parent.name for folder in sorted((self.home / "runs").glob("*/version"), reverse=True)]
        for identifier in [*runs, _given(chosen)]:
            try:
                found.append(self.get(spec, chosen.name, identifier))
            except (NotFoundError, WeightsError):
                continue  # of another model or variant, not there, or unreadable: not usable here
        return found

    def promote(self, spec: ModelSpec, run: Run) -> Version:
        """Put the result of `run` in use. The former version stays where it is, for `rollback`.

        Raises:
            RunError: The run is of another model, or has no weights.
        """
        if run.name != spec.name:
            raise RunError(f"The run {run.id} is of another model", expected=spec.name, received=run.name)
        if run.version_folder is None:
            raise RunError(
                f"The run {run.id} has no weights to promote",
                received=f"a run that is {run.state}",
                remedy="wait until it has finished an epoch",
            )
        version = self.get(spec, run.variant, run.id)
        with self._locked(spec.name, run.variant):
            pointer = self._read_pointer(spec.name, run.variant)
            if pointer["current"] != run.id:
                former = pointer["current"] or _before_promotion(spec.variant(run.variant))
                history = [*pointer["history"], *([former] if former else [])]
                self._write_pointer(spec.name, run.variant, run.id, history)
        return version

    def rollback(self, spec: ModelSpec, variant: str | None = None) -> Version:
        """Put the version in use that was in use before the last promotion.

        Raises:
            RunError: There is none that is still there.
        """
        chosen = spec.variant(variant)
        with self._locked(spec.name, chosen.name):
            history = list(self._read_pointer(spec.name, chosen.name)["history"])
            while history:
                former = history.pop()
                try:
                    version = self.get(spec, chosen.name, former)
                except (NotFoundError, WeightsError):
                    continue  # deleted since: go further back
                self._write_pointer(spec.name, chosen.name, None if former in GIVEN else former, history)
                return version
        raise RunError(
            f"{spec.name}:{chosen.name} has no former version to go back to",
            remedy="promote a run: layerwise promote RUN (layerwise runs lists them)",
        )

    def history(self, name: str, variant: str) -> list[str]:
        """The ids of the versions that were in use before the present one, the oldest first.

        Raises:
            WeightsError: The pointer cannot be read.
        """
        return list(self._read_pointer(name, variant)["history"])

    def is_promoted(self, run: Run) -> bool:
        """Whether the result of `run` is in use."""
        return self._read_pointer(run.name, run.variant)["current"] == run.id

    def _folder(self, name: str, variant: Variant, identifier: str) -> Path | None:
        if identifier == SHIPPED:
            return Path(variant.weights) if variant.weights is not None else None
        if identifier == FETCHED:
            return self.last_fetched(name, variant.name) if variant.published is not None else None
        # An id comes from users: it must name a folder of the store and nothing else.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", identifier):
            raise NotFoundError("This is no id of a version", received=repr(identifier))
        return self.home / "runs" / identifier / "version"

    def _fitting(self, identifier: str) -> list[Path]:
        found = {*self.home.glob(f"runs/*{identifier}/version"), *self.home.glob(f"runs/{identifier}*/version")}
        return [folder for folder in found if not folder.parent.name.startswith(".")]

    def _locked(self, name: str, variant: str) -> FileLock:
        path = self.pointer(name, variant)
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path.with_suffix(".lock"))

    def _read_pointer(self, name: str, variant: str) -> dict[str, Any]:
        path = self.pointer(name, variant)
        try:
            pointer = json.loads(path.read_text(encoding="utf-8"))
            return {"current": pointer["current"], "history": list(pointer["history"])}
        except FileNotFoundError:
            return {"current": None, "history": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"{path} cannot be read, so it is unknown which version is in use",
                received=str(error),
                remedy="delete the file to use the shipped or fetched version",
            ) from error

    def _write_pointer(self, name: str, variant: str, current: str | None, history: list[str]) -> None:
        text = json.dumps({"current": current, "history": history}, indent=2) + "\n"
        write_atomically(self.pointer(name, variant), text)
