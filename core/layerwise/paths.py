"""Where things are on this machine: the user's runs and versions, the cache, the data folders.

LAYERWISE_HOME    runs, promoted versions, settings; by default the system's place for user data
LAYERWISE_CACHE   what can be downloaded again; by default the system's cache
LAYERWISE_DATA    folders with data sets that are there already, separated as in PATH
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder of the user's runs, promoted versions and settings. It need not exist yet."""
    return _folder("LAYERWISE_HOME") or platformdirs.user_data_path("layerwise", appauthor=False)


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


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader, or a crash at any moment, sees all of the old or all of the new.

    Args:
        path: The file; its folder is made if it is missing.
        data: Its whole contents; text is written as UTF-8.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; the old file is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = data.encode() if isinstance(data, str) else data
    # In the same folder, since a rename is atomic only within a file system.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
