"""Where things are on this machine: the user's runs and versions, the cache, the data folders.

LAYERWISE_HOME    runs, promoted versions, settings, plugins of one file; by default the system's place for user data
LAYERWISE_CACHE   what can be downloaded again; by default the system's cache
LAYERWISE_DATA    folders with data sets that are there already, separated as in PATH
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import platformdirs

REGISTERED = "registered"
"""The folder below the home with JSON files that plugins register from. When one of them changes, whoever shows what is
registered asks the plugins again."""
_home: ContextVar[Path | None] = ContextVar("home", default=None)


def home() -> Path:
    """The folder of the user's runs, promoted versions and settings. It need not exist yet."""
    named = _home.get() or _folder("LAYERWISE_HOME")
    return named or platformdirs.user_data_path("layerwise", appauthor=False)


@contextlib.contextmanager
def home_is(folder: Path) -> Iterator[None]:
    """Let `home` give this folder to what is called meanwhile: plugins that are asked what they register."""
    token = _home.set(folder)
    try:
        yield
    finally:
        _home.reset(token)


def cache() -> Path:
    """The folder of what can be downloaded again. It need not exist yet."""
    return _folder("LAYERWISE_CACHE") or platformdirs.user_cache_path("layerwise", appauthor=False)


def data_folders() -> list[Path]:
    """The folders that `LAYERWISE_DATA` names, in its order."""
    names = os.environ.get("LAYERWISE_DATA", "").split(os.pathsep)
    return [Path(name).expanduser().absolute() for name in names if name.strip()]


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser().absolute() if value else None


def remove_temporary(folder: Path) -> None:
    """Remove what a process left in `folder` that died while it wrote there. Only for a folder to which nobody else
    writes just now."""
    for path in folder.glob(f".*.{'[0-9a-f]' * 16}"):
        path.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes | str, *, mode: int = 0o666) -> None:
    """Write a file so that a reader, or a crash at any moment, sees all of the old or all of the new.

    Args:
        path: The file; its folder is made if it is missing.
        data: Its whole contents; text is written as UTF-8.
        mode: Who may read it, before the system's umask: 0o600 for secrets.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; the old file is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = data.encode() if isinstance(data, str) else data
    # In the same folder, since a rename is atomic only within a file system.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        # Never for a moment readable by others than it is to be.
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_new_or_empty(folder: Path) -> bool:
    """Whether there is nothing at that path yet, or a folder with nothing in it."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


@contextlib.contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A folder to write into, beside one that is new or empty, whose contents it becomes when nothing was raised.

    Raises:
        OSError: It cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, since a rename is atomic only within a file system.
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    try:
        temporary.mkdir()
        yield temporary
        if folder.is_dir():
            # An empty one stays: somebody may have opened it, or stand in it.
            for path in temporary.iterdir():
                path.rename(folder / path.name)
        else:
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
