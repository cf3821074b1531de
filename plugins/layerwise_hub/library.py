"""Published models looked at, added, brought up to date and removed: what the command line and the page do."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import variables
from layerwise.errors import DataError, MissingDependencyError, WeightsError, missing_extra
from layerwise.hub import WEIGHTS, Progress
from layerwise.published import read_json
from layerwise.quota import Quota, in_bytes
from layerwise_hub.hub_cache import cache_folder, forget, kept_folder
from layerwise_hub.hub_repository import explained, open_repository
from layerwise_hub.kinds import Kind
from layerwise_hub.manifest import Entry, KeptFile, Manifest
from layerwise_hub.recognition import about, licence_of, recognise
from layerwise_hub.repository import Repository, sha256_of, used_files, weights_of

if TYPE_CHECKING:
    from layerwise.tasks import Task

BUDGET = "LAYERWISE_HUB_BUDGET"
"""The most bytes that all downloaded models may have together: "20G"."""
LOCAL = "local-"
"""What names of models begin with that are folders of the user's own."""
USUAL_BUDGET = 20 * 2**30


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A published model as it was looked at, before anything large is downloaded.

    Args:
        repository: Where it is.
        kind: What it does.
        architecture: The class that computes it.
        task: Its task.
        licence: As its card tells it, empty where it does not.
        about: What its card says at its beginning.
    """

    repository: Repository
    kind: Kind
    architecture: str
    task: Task
    licence: str
    about: str

    @property
    def name(self) -> str:
        """Under which it is to be registered."""
        return name_of(self.repository, self.kind)

    @property
    def size(self) -> int:
        """How many bytes the files have that are used."""
        return sum(self.repository.files[name].size for name in used_files(self.repository))

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine."""
        return not self.repository.revision

    @property
    def is_gated(self) -> bool:
        """Whether it is given only to those who have accepted its terms."""
        return bool(getattr(self.repository, "is_gated", False))


def look(source: str, *, revision: str | None = None, task: str | None = None) -> Offer:
    """A published model, looked at.

    Args:
        source: The id of a repository at the hub, or a folder.
        revision: A branch, tag or commit; None is the main branch.
        task: What it is for, one of `layerwise_hub.kinds.KINDS`, where that is known better than its settings tell.

    Raises:
        LayerwiseError: It cannot be had, or not be used; the text says in a sentence why.
    """
    repository = open_repository(source.strip(), revision)
    weights_of(repository)
    kind, architecture, made = recognise(repository, task)
    return Offer(
        repository=repository,
        kind=kind,
        architecture=architecture,
        task=made,
        licence=licence_of(repository),
        about=about(repository),
    )


def add(offer: Offer, progress: Progress, manifest: Manifest | None = None, *, called: str = "") -> Entry:
    """Download what is not here yet, and register the model. It replaces one of the same name and source.

    Args:
        offer: What `look` gave.
        progress: `(file, bytes that are here, its size)`.
        manifest: Where it is written down; None is that of the user's home.
        called: What a folder is called whose own name says little.

    Raises:
        MissingDependencyError: torch or transformers is not installed.
        DataError: There is no room for it.
        WeightsError: It cannot be had, or is not what the hub says.
    """
    require_framework()
    manifest = manifest or Manifest()
    if not offer.is_local:
        check_room(offer, manifest)
    folder = offer.repository.fetch(progress)
    files = {name: _kept(folder / name) for name in used_files(offer.repository)}
    for name, kept in files.items():
        told = offer.repository.files[name].sha256
        if told is not None and told != kept.sha256:
            raise WeightsError(
                f"{name} of {offer.repository.source} is not what the hub says",
                expected=f"SHA-256 {told[:12]}…",
                received=f"{kept.sha256[:12]}…",
                remedy="remove it, and add it again: layerwise hub remove NAME --files",
            )
    entry = Entry(
        name=_free_name(offer, manifest, called),
        source=offer.repository.source,
        revision=offer.repository.revision,
        asked=offer.repository.asked,
        kind=offer.kind.name,
        architecture=offer.architecture,
        task=offer.task.parameters(),
        licence=offer.licence,
        about=offer.about,
        num_parameters=count_parameters(folder, files),
        files=files,
        added=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _keep(manifest, entry)
    return entry


def update(name: str, progress: Progress, manifest: Manifest | None = None) -> tuple[Entry, bool]:
    """Look again at the branch or folder that a model was added from, and take what is there now.

    Returns:
        The model, and whether anything has changed.

    Raises:
        LayerwiseError: As for `look` and `add`; the model stays as it is then.
    """
    manifest = manifest or Manifest()
    former = manifest.entry(name)
    offer = look(former.source, revision=former.asked or None, task=former.kind)
    if offer.repository.revision and offer.repository.revision == former.revision:
        return former, False
    fresh = add(offer, progress, manifest, called=former.name.partition("/")[2].removeprefix(LOCAL))
    return fresh, fresh.files != former.files


def remove(name: str, *, files: bool = False, manifest: Manifest | None = None) -> tuple[Entry, int]:
    """Take a model away.

    Args:
        files: Whether what was downloaded is deleted too. A folder of the user's own never is.

    Returns:
        What it was, and how many bytes became free.

    Raises:
        NotFoundError: It was not added.
    """
    manifest = manifest or Manifest()
    entry = manifest.remove(name)
    if (
        not files
        or entry.is_local
        or any(
            (other.source, other.revision) == (entry.source, entry.revision) for other in manifest.entries().values()
        )
    ):
        return entry, 0
    return entry, forget(entry.source, entry.revision)


def folder_of(entry: Entry) -> Path:
    """Where the files of a model are, each as it was when the model was added.

    Raises:
        WeightsError: One is missing or has changed.
    """
    folder = Path(entry.source) if entry.is_local else kept_folder(entry.source, entry.revision)
    for name, kept in entry.files.items():
        path = folder / name
        remedy = f"layerwise hub update {entry.name}" if entry.is_local else f"layerwise hub add {entry.source}"
        if not path.is_file():
            raise WeightsError(f"{name} of {entry.name} is not in {folder} any more", remedy=remedy)
        if path.stat().st_size != kept.size or _kept(path) != kept:
            raise WeightsError(f"{name} of {entry.name} is not what it was when the model was added", remedy=remedy)
    return folder


def require_framework(*more: str) -> None:
    """See that what computes published models is installed, without importing it.

    Args:
        more: Further packages that are needed.

    Raises:
        MissingDependencyError: It is not; the text has the command.
    """
    error = missing_framework(*more)
    if error is not None:
        raise error


def missing_framework(*more: str) -> MissingDependencyError | None:
    """What is not installed of what computes published models."""
    for package in ("torch", "transformers", *more):
        if importlib.util.find_spec(package) is None:
            purpose = "A published model that learns" if package in more else "A published model"
            return missing_extra(package, "hub", purpose)
    return None


def check_room(offer: Offer, manifest: Manifest) -> None:
    """See that a model fits on the disk and into the budget.

    Raises:
        DataError: It does not.
    """
    kept = {(entry.source, entry.revision): entry.size for entry in manifest.entries().values() if not entry.is_local}
    kept.pop((offer.repository.source, offer.repository.revision), None)
    budget, used = variables.size(BUDGET, USUAL_BUDGET) or USUAL_BUDGET, sum(kept.values())
    if used + offer.size > budget:
        raise DataError(
            f"{offer.repository.source} is more than the room for published models",
            expected=f"at most {in_bytes(budget)} together, of which {in_bytes(used)} are taken",
            received=in_bytes(offer.size),
            remedy=f"layerwise hub remove NAME --files makes room; {BUDGET}=50G allows more",
        )
    folder = cache_folder()
    here = sum(
        offer.repository.files[name].size
        for name in used_files(offer.repository)
        if (kept_folder(offer.repository.source, offer.repository.revision) / name).exists()
    )
    with explained(offer.repository.source):
        folder.mkdir(parents=True, exist_ok=True)
    Quota(folder, budget, offer.repository.source).expect(offer.size - here)


def name_of(repository: Repository, kind: Kind, called: str = "") -> str:
    """Under which name a model is registered: of `google/vit-base` it is `vision/google-vit-base`, of a folder
    `vision/local-folder`, so that names of models that are trained here stay free.

    Args:
        called: What a folder is called in place of its name.
    """
    is_local = not repository.revision
    text = LOCAL + (called or Path(repository.source).name) if is_local else repository.source
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{kind.domain}/{slug}"


def _free_name(offer: Offer, manifest: Manifest, called: str) -> str:
    """The name of an offer, with a number where another model has it."""
    wanted = name_of(offer.repository, offer.kind, called)
    entries, name, number = manifest.entries(), wanted, 1
    while name in entries and entries[name].source != offer.repository.source:
        number += 1
        name = f"{wanted}-{number}"
    return name


def count_parameters(folder: Path, files: Mapping[str, Any]) -> int:
    """How many numbers the weights of a model are, from the headers of its files.

    Raises:
        WeightsError: A file cannot be read, or one of several is missing.
    """
    from math import prod

    from safetensors import SafetensorError, safe_open

    index = folder / WEIGHTS[2]
    if index.is_file():
        wanted = set(read_json(index).get("weight_map", {}).values())
        missing = sorted(str(name) for name in wanted if name not in files)
        if missing:
            raise WeightsError(f"{len(missing)} files of weights are missing in {folder}", expected=missing[0])
    total = 0
    for name in files:
        if not name.endswith(".safetensors"):
            continue
        try:
            with safe_open(folder / name, framework="numpy") as opened:
                slices = [opened.get_slice(key) for key in opened.keys()]  # noqa: SIM118 (it is no dict)
                # Whole numbers are tables, such as the places of tokens.
                total += sum(prod(part.get_shape()) for part in slices if "F" in part.get_dtype())
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{folder / name} is no safetensors file", received=str(error)) from error
    return total


def _kept(path: Path) -> KeptFile:
    try:
        return KeptFile(sha256=sha256_of(path), size=path.stat().st_size)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read", received=str(error)) from error


def _keep(manifest: Manifest, entry: Entry) -> None:
    try:
        manifest.put(entry)
    except OSError as error:
        raise WeightsError(
            f"{entry.name} cannot be written down in {manifest.path}", received=str(error), remedy="make room"
        ) from error
