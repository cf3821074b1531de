"""A published model as the files that it is made of: which of them are used, and a folder of them on this machine.

Only data is ever read: JSON, tokenizers, and weights as safetensors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Protocol

from layerwise.errors import WeightsError
from layerwise.hub import WEIGHTS, Progress
from layerwise.published import CODE_FILES

USED = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "normalizer.json",
    "source.spm",
    "target.spm",
    "spiece.model",
    "modules.json",
    "sentence_bert_config.json",
    "*_Pooling/config.json",
    *WEIGHTS,
)
"""The names of the files that are used of a model, or patterns of them."""
CARD = "README.md"
LARGEST_SETTINGS = 64 * 2**20
"""No file of settings is larger; a tokenizer of a quarter of a million tokens has 17 MB."""


@dataclass(frozen=True)
class Offered:
    """A file of a repository.

    Args:
        size: Its length in bytes.
        sha256: Where the hub tells it.
    """

    size: int
    sha256: str | None = None


class Repository(Protocol):
    """Files by their names, and what is said of them."""

    source: str
    revision: str
    asked: str
    files: Mapping[str, Offered]
    tags: tuple[str, ...]

    def read(self, name: str) -> str | None:
        """The text of a file of settings, None when there is none.

        Raises:
            WeightsError: It cannot be had.
        """
        ...

    def fetch(self, progress: Progress) -> Path:
        """The folder that holds all files that are used, once they are on this machine.

        Raises:
            WeightsError: They cannot be had.
        """
        ...


class Folder:
    """A folder on this machine.

    Args:
        path: The folder.
        source, revision, asked: Of a repository whose files are in it; None for what is just a folder.
    """

    def __init__(self, path: Path, source: str | None = None, revision: str = "", asked: str = "") -> None:
        self.path = path.expanduser().absolute()
        if not self.path.is_dir():
            raise WeightsError(f"There is no folder {self.path}", remedy="give the one with the model's config.json")
        self.source, self.revision, self.asked = source or str(self.path), revision, asked
        self.tags: tuple[str, ...] = ()
        # Not all of what is below: a folder may be anything.
        found = sorted([*self.path.glob("*"), *self.path.glob("*_Pooling/config.json")])
        names = (file.relative_to(self.path).as_posix() for file in found if file.is_file())
        self.files: Mapping[str, Offered] = {name: Offered((self.path / name).stat().st_size) for name in names}

    def read(self, name: str) -> str | None:
        """See `Repository.read`."""
        if name not in self.files or self.files[name].size > LARGEST_SETTINGS:
            return None
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise WeightsError(f"{self.path / name} cannot be read", received=str(error)) from error

    def fetch(self, progress: Progress) -> Path:
        """See `Repository.fetch`."""
        return self.path


def sha256_of(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def used_files(repository: Repository) -> list[str]:
    """The names of the files that are used of a model."""
    return [name for name in repository.files if any(fnmatch(name, pattern) for pattern in USED)]


def weights_of(repository: Repository) -> list[str]:
    """The names of the files with its weights.

    Raises:
        WeightsError: It has none that are data only.
    """
    found = [name for name in repository.files if any(fnmatch(name, pattern) for pattern in WEIGHTS[:2])]
    if not found:
        refused = [name for name in repository.files if name.endswith(CODE_FILES)]
        pickle = f"{refused[0]}, a pickle, which can execute code when it is loaded" if refused else None
        raise WeightsError(
            f"{repository.source} has no weights that are data only",
            expected="model.safetensors",
            received=pickle or ", ".join(list(repository.files)[:5]) or "no files",
            remedy="choose another model, or a revision that has them: layerwise hub add ID --revision refs/pr/1",
        )
    return found


def read_settings(repository: Repository, name: str) -> dict[str, Any]:
    """A JSON file of a model, empty where there is none.

    Raises:
        WeightsError: It cannot be had, or is no JSON object.
    """
    text = repository.read(name)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} of {repository.source} cannot be read", received=str(error)) from error
    if not isinstance(found, dict):
        raise WeightsError(f"{name} of {repository.source} cannot be used", expected="a JSON object")
    return found
