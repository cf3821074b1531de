"""Data sets: found on this machine or downloaded, verified, read.

The files of a DatasetSpec are looked for in the folders of `LAYERWISE_DATA`, then in the cache, and then its
sources are asked, in their order. Nothing is read before its SHA-256 is right.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from layerwise import paths
from layerwise.downloads import Progress, download_source
from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source, resolve
from layerwise.splits import Split, hold_out

__all__ = ["Dataset", "Split", "hold_out", "load"]


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


def load(spec: DatasetSpec, *, progress: Progress | None = None, offline: bool = False) -> Dataset:
    """Find, verify and read a data set, and download it into the cache first when it is not on this machine.

    Args:
        spec: The data set.
        progress: Called during a download with a file's name, the bytes of it that are here, and its size.
        offline: Never download.

    Raises:
        DataError: The files are not here and cannot be had, or they are not what they should be.
    """
    at_hand = _find(spec)
    if at_hand is None:
        at_hand = _download(spec, progress, offline)
    source, files = at_hand
    return Dataset(spec, source, _read(spec, source, files))


def _find(spec: DatasetSpec) -> tuple[Source, dict[str, Path]] | None:
    """The first source whose files are here, and where each is."""
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
        raise DataError(
            f"{spec.title}: {corrupted[0]} is not the file it should be; its SHA-256 is another one",
            remedy="delete it or put the right one there, or take its folder out of LAYERWISE_DATA to download it",
        )
    return None


def _folders(spec: DatasetSpec, source: Source) -> Iterator[Path]:
    for folder in paths.data_folders():
        for name in dict.fromkeys((spec.name, spec.name.replace("-", "_"))):
            yield folder / name
    yield cache_folder(spec, source)


def cache_folder(spec: DatasetSpec, source: Source) -> Path:
    """Where the downloaded files of a source are kept."""
    return paths.cache() / "datasets" / spec.name / source.name


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
    sources = [source for source in spec.sources if all(file.url for file in source.files)]
    reasons = ["it was asked for without the network"] if offline else []
    for source in sources if not offline else []:
        folder = cache_folder(spec, source)
        try:
            download_source(source, folder, progress)
        except DataError as error:
            reasons.append(f"{source.name}: {error.what}")
            continue
        return source, {file.name: folder / file.name for file in source.files}
    wanted = (sources or spec.sources)[0]
    names = ", ".join(file.name for file in wanted.files)
    origin = next((file.url.rpartition("/")[0] for file in wanted.files if file.url), wanted.homepage)
    raise DataError(
        f"{spec.title} is not on this machine and was not downloaded ({'; '.join(reasons) or 'it has no address'})",
        remedy=f"try again with a connection to the internet; or put the files {names} (from {origin}) "
        f"into FOLDER/{spec.name}, a folder of your choice, and set LAYERWISE_DATA=FOLDER",
    )


def _read(spec: DatasetSpec, source: Source, files: Mapping[str, Path]) -> Mapping[str, Split]:
    try:
        splits = resolve(source.read)(files)
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
