"""Data sets: found on this machine or downloaded, verified, read.

The files of a DatasetSpec are looked for in the folders of `LAYERWISE_DATA`, then in the cache, and then its
sources are asked, in their order. Nothing is read before its SHA-256 is right.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import paths
from layerwise.datasets.downloads import Progress, download
from layerwise.errors import DataError, MissingDataError
from layerwise.specs import DatasetSpec, File, Source, call
from layerwise.splits import Split, hold_out

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot

__all__ = ["Dataset", "Split", "find_files", "hold_out", "load", "without_downloads"]

_may_download: ContextVar[bool] = ContextVar("may_download", default=True)


@dataclass(frozen=True)
class Dataset:
    """A data set that was read.

    Args:
        spec: What was asked for.
        source: Which of its sources gave it.
        splits: The examples by the name of their split.
    """

    spec: DatasetSpec
    source: Source
    splits: Mapping[str, Split]


def load(
    spec: DatasetSpec, snapshot: Snapshot | None = None, *, progress: Progress | None = None, offline: bool = False
) -> Dataset:
    """Find, verify and read a data set, and download it into the cache first when it is not on this machine.

    Args:
        spec: The data set.
        snapshot: What is registered, for a data set that is made of it.
        progress: Called during a download with a file's name, the bytes of it that are here, and its size.
        offline: Never download.

    Raises:
        MissingDataError: The files are not here and cannot be had, or they are not what they should be.
        DataError: They cannot be read.
    """
    at_hand = find_files(spec)
    if at_hand is None:
        at_hand = _download(spec, progress, offline or not _may_download.get())
    source, files = at_hand
    return Dataset(spec, source, _read(spec, source, files, snapshot))


@contextlib.contextmanager
def without_downloads() -> Iterator[None]:
    """Let nothing be downloaded meanwhile, whoever asks for a data set: readers ask for what theirs is made of."""
    token = _may_download.set(False)
    try:
        yield
    finally:
        _may_download.reset(token)


def find_files(spec: DatasetSpec) -> tuple[Source, dict[str, Path]] | None:
    """The first source whose files are on this machine, and where each is; None when none is.

    Raises:
        MissingDataError: What lies in a folder of the user's own is not what it should be.
    """
    corrupted: list[Path] = []
    for source in spec.sources:
        for folder in _folders(spec, source):
            files = {file.name: folder / file.name for file in source.files}
            if not all(_has_size(files[file.name], file) for file in source.files):
                continue
            wrong = [files[file.name] for file in source.files if not is_intact(files[file.name], file)]
            if not wrong:
                return source, files
            # What is wrong in the cache is downloaded again; a folder of the user's own is for them to put right.
            if folder != cache_folder(spec, source):
                corrupted += wrong
    if corrupted:
        raise MissingDataError(
            f"{spec.title}: {corrupted[0]} is not the file it should be; its SHA-256 is another one",
            remedy="delete it or put the right one there, or take its folder out of LAYERWISE_DATA to download it",
        )
    return None


def _folders(spec: DatasetSpec, source: Source) -> Iterator[Path]:
    yield from _own_folders(spec)
    yield cache_folder(spec, source)


def _own_folders(spec: DatasetSpec) -> Iterator[Path]:
    for folder in paths.data_folders():
        for name in dict.fromkeys((spec.folder_name, spec.folder_name.replace("-", "_"))):
            yield folder / name


def cache_folder(spec: DatasetSpec, source: Source) -> Path:
    """Where the downloaded files of a source are kept."""
    return paths.cache() / "datasets" / spec.folder_name / source.name


def _has_size(path: Path, file: File) -> bool:
    return path.is_file() and path.stat().st_size == file.size


def is_intact(path: Path, file: File) -> bool:
    """Whether the file at `path` is there and has the SHA-256 that `file` names."""
    if not _has_size(path, file):
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _download(spec: DatasetSpec, progress: Progress | None, offline: bool) -> tuple[Source, dict[str, Path]]:
    """The files of the first source that can be downloaded."""
    reasons: list[str] = ["the network was not to be used"] if offline else []
    for source in () if offline else _downloadable(spec):
        folder = cache_folder(spec, source)
        try:
            download(source, folder, progress)
        except DataError as error:
            reasons.append(error.what)
        except OSError as error:
            raise _storage_error(error, spec, source) from error
        else:
            return source, {file.name: folder / file.name for file in source.files}
    raise _not_at_hand(spec, reasons)


def _downloadable(spec: DatasetSpec) -> list[Source]:
    return [source for source in spec.sources if all(file.url for file in source.files)]


def _not_at_hand(spec: DatasetSpec, reasons: list[str]) -> MissingDataError:
    wanted = (_downloadable(spec) or spec.sources)[0]
    names = ", ".join(file.name for file in wanted.files)
    addresses = dict.fromkeys(file.url.removesuffix(file.name) + "NAME" for file in wanted.files if file.url)
    origin = " or ".join(addresses) or wanted.homepage
    why = "; ".join([*_defects(spec), *reasons]) or "it has no address to download it from"
    again = "try again with a connection to the internet, or " if _downloadable(spec) else ""
    return MissingDataError(
        f"{spec.title} is not on this machine and was not downloaded: {why}",
        remedy=f"{again}put the files {names} (from {origin}) into FOLDER/{spec.folder_name}, a folder of your choice, "
        "and set LAYERWISE_DATA=FOLDER",
    )


def _defects(spec: DatasetSpec) -> list[str]:
    """What keeps the user's own folders of this data set from being used."""
    found = []
    for folder in _own_folders(spec):
        if not folder.is_dir():
            continue
        nearest = max(spec.sources, key=lambda s: sum(_has_size(folder / file.name, file) for file in s.files))
        for file in nearest.files:
            path = folder / file.name
            if not path.is_file():
                found.append(f"{folder} has no {file.name}")
            elif not _has_size(path, file):
                found.append(f"{path} has {path.stat().st_size} bytes instead of {file.size}")
    return found


def _storage_error(error: OSError, spec: DatasetSpec, source: Source) -> DataError:
    folder = cache_folder(spec, source)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        size = sum(file.size for file in source.files) / 1e6
        return DataError(
            f"The disk is full: {spec.title} needs {size:.0f} MB in {folder}",
            remedy="make room, or set LAYERWISE_CACHE to a folder on another disk; what arrived is kept",
        )
    return DataError(
        f"{spec.title} cannot be downloaded into {folder}",
        received=error.strerror or str(error),
        remedy="set LAYERWISE_CACHE to a folder that you may write to",
    )


def _read(
    spec: DatasetSpec, source: Source, files: Mapping[str, Path], snapshot: Snapshot | None
) -> Mapping[str, Split]:
    try:
        splits = call(source.read, files, snapshot)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{spec.title} ({source.name}) cannot be read", received=str(error)) from error
    missing = [name for name in spec.splits if not isinstance(splits.get(name), Split)]
    if missing:
        raise DataError(
            f"The reader of {spec.title} ({source.name}) did not give all its splits",
            expected=", ".join(spec.splits),
            received=", ".join(splits) or "none",
        )
    return splits
