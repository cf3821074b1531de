"""Several files as one input, each with a name."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

from layerwise.errors import InputError
from layerwise.tasks.fields import MOST_FILES

LARGEST_TOGETHER = 500 * 2**20
"""The most bytes that they may have together."""
_LONGEST_NAME = 100


def named_files(value: Any) -> list[tuple[str, Any]]:
    """What is given for an input of the kind "files": the name of each file, without its folder, and what is read of
    it, a path or bytes. Nothing is opened here.

    Args:
        value: None for none; a list of paths, of bytes and of mappings with "name" and "content", which are bytes; or
            one of these alone. Whatever else is in the list is left to what reads it.

    Raises:
        InputError: They are too many, or too large together.

    Example:
        >>> named_files(["photos/cat.png", {"name": "dog.png", "content": b"..."}, b"..."])
        [('cat.png', 'photos/cat.png'), ('dog.png', b'...'), ('file 3', b'...')]
    """
    items = [] if value is None else [*value] if isinstance(value, list | tuple) else [value]
    check_number(items)
    found = [_named(item, number) for number, item in enumerate(items, start=1)]
    total = sum(_size(item) for _, item in found)
    if total > LARGEST_TOGETHER:
        raise InputError(
            "The files are too large together",
            expected=f"at most {LARGEST_TOGETHER // 2**20} MiB",
            received=f"{total / 2**20:.0f} MiB",
            remedy="give fewer, or smaller ones",
        )
    return found


def check_number(files: Sized, name: str = "") -> None:
    """For those who read files before a task is given them: not one is read of too many.

    Args:
        name: Of the input, where the message is to tell it from others.

    Raises:
        InputError: They are more than an input may have.
    """
    if len(files) > MOST_FILES:
        what = f"{name} has too many files" if name else "There are too many files"
        raise InputError(what, expected=f"at most {MOST_FILES}", received=f"{len(files):,}")


def _named(item: Any, number: int) -> tuple[str, Any]:
    name, content = "", item
    if isinstance(item, Mapping) and "content" in item:
        name, content = str(item.get("name") or ""), item["content"]
    elif isinstance(item, str | Path):
        name = str(item)
    # Browsers of other systems tell a path with backslashes.
    name = name.replace("\\", "/").rpartition("/")[2][-_LONGEST_NAME:]
    shown = "".join(letter if letter.isprintable() else "_" for letter in name)
    return shown or f"file {number}", content


def _size(item: Any) -> int:
    if isinstance(item, bytes | bytearray):
        return len(item)
    try:
        return Path(item).stat().st_size if isinstance(item, str | Path) else 0
    except (OSError, ValueError):
        return 0  # what reads it says what is wrong with it
