"""Which plugin was loading when a start died.

    LAYERWISE_HOME/loading/*.json     one for each process that loads plugins just now: the name of the plugin

A process that is killed while a plugin loads leaves its file in `loading/` behind, and the next start finds whom to
quarantine. Each file has a lock beside it, which the system frees when its process is gone, so the file of a
process that is still loading is never taken for that of a dead one.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0
"""Ctrl-C before that is a change of mind; after it, the plugin that was loading is what was waited for."""


class Journal:
    """Says which plugin this process is loading, for the case that it does not survive it.

    A home that cannot be written to has no journal: plugins load all the same.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "loading"
        self._path = self.folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        self._lock = FileLock(self._path.with_suffix(".lock"), is_singleton=False)
        self._works = False
        self._since = 0.0

    def __enter__(self) -> Journal:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
            self._works = True
        except OSError as error:
            logger.warning("no start-up journal in %s: %s", self.folder, error)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._works:
            return
        is_interrupted = kind is not None and not issubclass(kind, Exception)
        # The name of a plugin that somebody gave up waiting for stays.
        if not (is_interrupted and time.monotonic() - self._since > PATIENCE_SECONDS):
            self.loaded()
        self._lock.release()
        if not self._path.exists():
            with suppress(OSError):
                self._path.with_suffix(".lock").unlink(missing_ok=True)

    def loading(self, name: str) -> None:
        """Say that the plugin of this name is loaded next."""
        self._since = time.monotonic()
        if self._works:
            with suppress(OSError):
                self._path.write_text(json.dumps({"plugin": name}), encoding="utf-8")

    def loaded(self) -> None:
        """Say that it is: what happens from now on is not its doing."""
        if self._works:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def left_behind(home: Path) -> list[str]:
    """The plugins that were loading in processes which are gone; their files are removed."""
    found = []
    for path in sorted((home / "loading").glob("*.json")):
        lock = FileLock(path.with_suffix(".lock"), is_singleton=False)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            name = json.loads(path.read_text(encoding="utf-8"))["plugin"]
            if isinstance(name, str):
                found.append(name)
        lock.release()
        for file in (path, path.with_suffix(".lock")):
            with suppress(OSError):
                file.unlink(missing_ok=True)
    return found
