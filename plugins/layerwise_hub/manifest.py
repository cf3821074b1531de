"""Which published models were added: a JSON file in the home, and what was written down of each when it came.

    registered/hub.json

It is replaced as a whole, and only by somebody who holds its lock, so that every process reads all of the former or all
of the new one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from layerwise.errors import WeightsError
from layerwise.paths import REGISTERED, write_atomically
from layerwise.paths import home as default_home
from layerwise.snapshot import named

FORMAT = 1
FILE = "hub.json"


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """A file of a model as it was when the model was added.

    Args:
        sha256: 64 hexadecimal digits.
        size: Its length in bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A published model that was added.

    Args:
        name: Under which it is registered: "vision/google-vit-base-patch16-224".
        source: The id of its repository at the hub, or the path of its folder on this machine.
        revision: The commit of the repository; empty for a folder.
        asked: The branch, tag or commit that was asked for, which an update looks at again.
        kind: What it does, one of `layerwise_hub.kinds.KINDS`.
        architecture: The class of transformers that computes it: "ViTForImageClassification".
        task: The parameters of its task.
        licence: As its card tells it, empty where it does not.
        about: What its card says, in short and without markup.
        num_parameters: How many numbers its weights are.
        files: The files that are used, by their names.
        added: When, ISO 8601 in UTC.
    """

    name: str
    source: str
    revision: str
    asked: str
    kind: str
    architecture: str
    task: Mapping[str, Any]
    licence: str
    about: str
    num_parameters: int
    files: Mapping[str, KeptFile] = field(default_factory=dict)
    added: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine."""
        return not self.revision

    @property
    def size(self) -> int:
        """How many bytes its files have."""
        return sum(file.size for file in self.files.values())


class Manifest:
    """The published models of one home.

    Args:
        home: None is the user's own.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.path = (home or default_home()) / REGISTERED / FILE

    def entries(self) -> dict[str, Entry]:
        """All of them by name, in the order in which they were added.

        Raises:
            WeightsError: The file cannot be read.
        """
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            if told["format"] != FORMAT:
                raise ValueError(f"format {told['format']!r}")
            return {item["name"]: _restored(item) for item in told["models"]}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise WeightsError(
                f"The list of published models {self.path} cannot be read",
                expected=f"JSON of format {FORMAT}",
                received=f"{type(error).__name__}: {error}",
                remedy="update Layerwise; or move the file away, and add the models again: layerwise hub add",
            ) from error

    def entry(self, name: str) -> Entry:
        """The model of that name.

        Raises:
            NotFoundError: It was not added.
            WeightsError: The file cannot be read.
        """
        return named(self.entries(), name, "published model", "layerwise hub list names those that were added")

    def put(self, entry: Entry) -> None:
        """Add a model, or replace the one of the same name.

        Raises:
            WeightsError: The file cannot be read.
            OSError: It cannot be written.
        """
        with self._locked():
            self._write({**self.entries(), entry.name: entry})

    def remove(self, name: str) -> Entry:
        """Take a model away.

        Raises:
            NotFoundError: It was not added.
            WeightsError: The file cannot be read.
            OSError: It cannot be written.
        """
        with self._locked():
            entry = self.entry(name)
            self._write({key: item for key, item in self.entries().items() if key != name})
        return entry

    def _locked(self) -> FileLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_suffix(".lock"))

    def _write(self, entries: Mapping[str, Entry]) -> None:
        models = [dataclasses.asdict(entry) for entry in entries.values()]
        write_atomically(self.path, json.dumps({"format": FORMAT, "models": models}, indent=2) + "\n")


def _restored(item: Mapping[str, Any]) -> Entry:
    files = {name: KeptFile(**kept) for name, kept in item["files"].items()}
    return Entry(**{**item, "files": files})
