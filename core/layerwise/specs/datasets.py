"""A data set, where its records can be had, and the files that hold them, as they are handed to the core."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import SpecError
from layerwise.specs.checks import check_name, check_text
from layerwise.specs.references import check_reference

if TYPE_CHECKING:
    from layerwise.data import Split

_BELOW = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")
"""Paths that lead nowhere else, as nearly all do."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a data source.

    Args:
        name: Its path below the data set's folder.
        url: Where it is downloaded from, https; empty for a file that a person has to put there.
        sha256: Its SHA-256, 64 lower-case hexadecimal digits.
        size: Its length in bytes.
    """

    name: str
    url: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        check_text("File", name=self.name)
        # A data set may have thousands of files, and a Path of each takes a tenth of the loading of all plugins.
        path = None if _BELOW.fullmatch(self.name) else Path(self.name)
        if path is not None and (path.is_absolute() or ".." in path.parts):
            raise SpecError("A File must stay below its data set's folder", received=repr(self.name))
        if not (isinstance(self.sha256, str) and _SHA256.fullmatch(self.sha256)):
            raise SpecError(
                f"The File {self.name!r} has no usable checksum",
                expected="a SHA-256 in hex",
                received=repr(self.sha256),
            )


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place from which a data set's records can be had.

    Args:
        name: One word: "canonical".
        read: `(paths) -> {split name: Split}`, given the path of each file by its name. A generated data set
            has no files and is given an empty mapping; one that is made of what is registered takes
            `(paths, snapshot)`.
        licence: The licence of the data, as an SPDX identifier.
        files: The files, or none for generated data.
        homepage: Where a person reads about it.
    """

    name: str
    read: Callable[..., Mapping[str, Split]] | str
    licence: str
    files: tuple[File, ...] = ()
    homepage: str = ""

    def __post_init__(self) -> None:
        check_name("Source", self.name)
        check_reference(f"Source {self.name}", "read", self.read)
        check_text(f"Source {self.name}", licence=self.licence)
        object.__setattr__(self, "files", tuple(self.files))


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A data set. All its sources give the same records; the first whose files are at hand is used.

    Args:
        name: One word: "fashion-mnist". Also the name of its folder below `LAYERWISE_DATA` and in the cache,
            where an underscore may stand for a hyphen.
        title: A few words.
        sources: In the order of preference, at least one.
        folder: The name of that folder where it is another one, which several data sets may share.
        summary: One sentence: what it holds.
        splits: The names of its splits; "train" is trained on, "test" is evaluated on.
    """

    name: str
    title: str
    sources: tuple[Source, ...]
    folder: str = ""
    summary: str = ""
    splits: tuple[str, ...] = ("train", "test")

    def __post_init__(self) -> None:
        check_name("DatasetSpec", self.name)
        if self.folder:
            check_name(f"DatasetSpec {self.name}: folder", self.folder)
        check_text(f"DatasetSpec {self.name}", title=self.title)
        object.__setattr__(self, "sources", tuple(self.sources))
        if not self.sources or not all(isinstance(source, Source) for source in self.sources):
            raise SpecError(f"DatasetSpec {self.name} needs at least one Source", received=repr(self.sources))

    @property
    def folder_name(self) -> str:
        """The name of its folder below `LAYERWISE_DATA` and in the cache."""
        return self.folder or self.name
