"""Data that users brought: a folder each below the home folder, where a run, its version and a later evaluation find
them again.

    data/<name>-<digest>/               the files: what a zip archive held, or the files as they came
    data/<name>-<digest>/.upload.json   what came and when

A folder appears whole or not at all. Its name has a digest of what came, so the same data are there once.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from layerwise.datasets.archives import CHUNK_BYTES, safe_name, unpack
from layerwise.errors import DataError, NotFoundError, RunError
from layerwise.paths import home as default_home
from layerwise.paths import write_atomically
from layerwise.quota import Quota
from layerwise.temporary import remove_folder, temporary_folder

LARGEST_UPLOAD = 4 * 2**30
"""The most bytes that are taken at once."""
SUFFIXES = (".csv", ".parquet", ".tsv", ".txt", ".zip")
"""How the files that are taken end."""
_RECORD = ".upload.json"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Data that somebody brought.

    Args:
        id: The name of its folder.
        folder: Where the files are.
        files: The names of the files that came.
        num_bytes: How large they were.
        created: When they came, ISO 8601 in UTC.
        left_out: The archives in the archive, which were not unpacked.
    """

    id: str
    folder: Path
    files: tuple[str, ...]
    num_bytes: int
    created: str
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The upload as JSON can hold it."""
        return {**asdict(self), "folder": str(self.folder)}


class UploadStore:
    """All uploads below one home folder."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()

    @property
    def folder(self) -> Path:
        """Where the folders of the uploads are."""
        return self.home / "data"

    def add(self, files: Sequence[Path], *, name: str | None = None) -> Upload:
        """Take a zip archive, which is unpacked, or one or more tables or texts, which are copied.

        Args:
            files: Where they are; they stay there.
            name: What it is called; None takes the name of the first file.

        Returns:
            The new upload, or the one that came from the same files before.

        Raises:
            DataError: A file cannot be used, is too large or does not fit on the disk.
        """
        names = self._checked(files)
        with temporary_folder(self.folder) as content:
            named, left_out = dict(zip(names, files, strict=True)), ()
            if names[0].lower().endswith(".zip"):
                digest, num_bytes = _read_through(named, content, keep=False)
                left_out = unpack(files[0], content)
            else:
                digest, num_bytes = _read_through(named, content, keep=True)
            upload = Upload(
                id=f"{_plain(name or Path(names[0]).stem)}-{digest[:8]}",
                folder=content,
                files=tuple(names),
                num_bytes=num_bytes,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                left_out=left_out[:100],
            )
            record = {key: value for key, value in upload.as_json().items() if key not in ("id", "folder")}
            write_atomically(content / _RECORD, json.dumps(record, indent=2) + "\n")
            if _read(self.folder / upload.id) is None:
                content.rename(self.folder / upload.id)
        return self.get(upload.id)

    def _checked(self, files: Sequence[Path]) -> list[str]:
        """The names that the files get."""
        if not files:
            raise DataError("There is no file", remedy="choose a zip archive, or tables as CSV or Parquet")
        names = [safe_name(path.name, "The upload") for path in files]
        for name in names:
            if Path(name).suffix.lower() not in SUFFIXES or name.startswith("."):
                raise DataError(
                    f"{name} cannot be used",
                    expected=f"files that end in {', '.join(SUFFIXES)}",
                    remedy="put folders of pictures, sounds or texts into a zip archive",
                )
        if len(names) > 1 and any(name.lower().endswith(".zip") for name in names):
            raise DataError("A zip archive comes alone", received=", ".join(names), remedy="upload it by itself")
        if len({name.casefold() for name in names}) < len(names):
            raise DataError("Two files have the same name", received=", ".join(names))
        return names

    def list(self) -> list[Upload]:
        """All uploads, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [_read(folder) for folder in self.folder.iterdir() if not folder.name.startswith(".")]
        return sorted((upload for upload in found if upload), key=lambda item: (item.created, item.id), reverse=True)

    def get(self, identifier: str) -> Upload:
        """The upload with that id.

        Raises:
            NotFoundError: There is none.
        """
        # An id comes from users: it must name a folder of the store and nothing else.
        known = re.fullmatch(r"[\w][\w.-]*", identifier) and _read(self.folder / identifier)
        if not known:
            raise NotFoundError(f"There is no upload {identifier[:80]!r}", remedy="layerwise uploads lists them")
        return known

    def delete(self, identifier: str) -> None:
        """Delete an upload with its files.

        Raises:
            NotFoundError: There is none of that id.
            RunError: A run that is queued or running trains on it.
        """
        from layerwise.runs import RunStore

        folder = self.get(identifier).folder
        for run in RunStore(self.home).list():
            if run.data and Path(run.data) == folder.resolve() and run.is_active:
                raise RunError(f"The run {run.id} trains on these data", remedy="stop it first")
        remove_folder(folder)

    def locate(self, data: Path | str) -> Path:
        """Where data are that a user names: a path, the id of an upload, or a zip archive, which becomes an upload.
        What is not there is returned as it is.

        Raises:
            DataError: The archive cannot be used.
        """
        path = Path(data).expanduser()
        if path.is_file() and path.suffix.lower() == ".zip":
            return self.add([path]).folder
        if path.exists():
            return path
        try:
            return self.get(str(data)).folder
        except NotFoundError:
            return path


def _read(folder: Path) -> Upload | None:
    try:
        record: dict[str, Any] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        return Upload(
            id=folder.name,
            folder=folder,
            files=tuple(record["files"]),
            num_bytes=int(record["num_bytes"]),
            created=str(record["created"]),
            left_out=tuple(record["left_out"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a folder that somebody else put there


def _read_through(files: Mapping[str, Path], folder: Path, *, keep: bool) -> tuple[str, int]:
    """The digest of the names and contents of files, and how many bytes they are.

    Args:
        files: Where they are, by the names that they get.
        folder: Where they are copied to, if they are to be kept.
    """
    quota, digest = Quota(folder, LARGEST_UPLOAD, "The upload"), hashlib.sha256()
    for name, path in sorted(files.items()):
        try:
            if not path.is_file():  # a device or a pipe could be read for ever
                raise DataError("There is no such file", received=repr(str(path)))
            quota.expect(path.stat().st_size)
            with path.open("rb") as source, (folder / name if keep else Path(os.devnull)).open("wb") as target:
                digest.update(f"{name}\0".encode())
                while chunk := source.read(CHUNK_BYTES):
                    quota.take(len(chunk))
                    digest.update(chunk)
                    target.write(chunk)
        except OSError as error:
            raise DataError(f"{name} cannot be read", received=error.strerror or str(error)) from None
    return digest.hexdigest(), quota.used


def _plain(name: str) -> str:
    """A name as the name of a folder that can be typed everywhere."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "data"
