"""Folders that appear whole or not at all: written under a hidden name, and renamed when they are complete.

A hidden folder is held by a lock, which the system frees when its process dies, so what dead processes left is known
and removed.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = ".temporary-"


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A hidden folder in `parent`, gone at the end unless it was renamed. What dead processes left there is removed.

    Args:
        parent: Made if it is missing.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(parent)
    folder = parent / f"{_PREFIX}{secrets.token_hex(4)}"
    try:
        with FileLock(_lock_of(folder)):
            folder.mkdir()
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _lock_of(folder).unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder. It is renamed first: half of it must never look like the whole."""
    shutil.rmtree(folder.rename(folder.with_name(f"{_PREFIX}{secrets.token_hex(4)}")), ignore_errors=True)


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        if not folder.is_dir():
            continue
        lock = FileLock(_lock_of(folder))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue  # somebody writes to it
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        _lock_of(folder).unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
