"""Examples that were decoded once and are kept in the cache, so that looking at data, training on them, going on with
it and evaluating decode no file twice, and data may be larger than the memory.

    prepared/<source>-<state>/    what was made of a source in one state of it

An entry appears whole or not at all. Those of a former state, and of sources that are gone, are removed when a new
one is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import paths
from layerwise.errors import DataError
from layerwise.temporary import remove_folder, temporary_folder

if TYPE_CHECKING:
    import numpy as np

_INDEX = "index.json"


def prepared(
    source: Path, purpose: str, state: Iterable[str], prepare: Callable[[Path], dict[str, Any]]
) -> tuple[Path, dict[str, Any]]:
    """The folder with what was made of a source, and what is known of it.

    Args:
        source: Where it is made from.
        purpose: What it is made for, with all parameters; other purposes have entries of their own.
        state: Everything from which a change of the source is seen: the names, sizes and times of its files.
        prepare: Writes into an empty folder, and returns what is known, as JSON can hold it.

    Raises:
        DataError: The cache cannot be written to.
    """
    identity = hashlib.sha256(f"{source}\0{purpose}".encode()).hexdigest()[:16]
    digest = hashlib.sha256()
    for item in state:
        digest.update(f"{item}\0".encode("utf-8", "surrogateescape"))
    folder = paths.cache() / "prepared"
    entry = folder / f"{identity}-{digest.hexdigest()[:16]}"
    known = _read(entry)
    if known is not None:
        return entry, known["known"]
    try:
        with temporary_folder(folder) as temporary:
            found = prepare(temporary)
            record = {"source": str(source), "known": found}
            (temporary / _INDEX).write_text(json.dumps(record), encoding="utf-8")
            _remove_outdated(folder, identity)
            with contextlib.suppress(OSError):  # another process was faster: its entry is as good
                temporary.rename(entry)
    except OSError as error:
        raise DataError(
            "The cache cannot be written to",
            received=f"{folder}: {error.strerror or error}",
            remedy="name another folder: LAYERWISE_CACHE",
        ) from None
    return entry, found


def _read(entry: Path) -> dict[str, Any] | None:
    try:
        return json.loads((entry / _INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _remove_outdated(folder: Path, identity: str) -> None:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        known = _read(entry)
        if known is None or entry.name.startswith(identity) or not Path(known["source"]).exists():
            with contextlib.suppress(OSError):
                remove_folder(entry)


def memory_mapped(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array in a file, read from it where and when it is needed. No file can be mapped that is empty."""
    import numpy as np

    if 0 in shape:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", shape=shape)
