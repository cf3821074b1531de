"""What a process does that it should not: connections to other machines, files written outside its folders.

The interpreter tells it by its audit events (PEP 578): Python code cannot help being seen, extension modules can.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATH_EVENTS = ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.symlink", "os.link", "os.rename")
_HARMLESS = ("/dev/", "/proc/")


class Watch:
    """What was seen since `begin`. There is one for a process: it cannot be taken away again.

    Args:
        folders: Below which may be written.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [os.path.realpath(folder) for folder in folders]
        self.written: list[str] = []
        self.connected: list[str] = []
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        """Forget what was seen."""
        self.written.clear()
        self.connected.clear()

    @property
    def seen(self) -> str:
        """What it was, in a sentence; empty for nothing."""
        sentences = []
        if self.written:
            sentences.append(f"It wrote outside its folders: {', '.join(dict.fromkeys(self.written))}.")
        if self.connected:
            sentences.append(f"It asked for other machines: {', '.join(dict.fromkeys(self.connected))}.")
        return " ".join(sentences)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, str | bytes) and (_writes(mode) or _has_writing(flags)):
                self._note(os.fsdecode(path))
        elif event in _PATH_EVENTS:
            # The last path is the one that is made, of a rename the new name; after it comes the folder that it is
            # relative to, where that was opened before, as `shutil.rmtree` does.
            paths = [os.fsdecode(item) for item in arguments[:2] if isinstance(item, str | bytes)]
            opened = arguments[-1] if isinstance(arguments[-1], int) else -1
            if paths and (opened < 0 or Path(paths[-1]).is_absolute()):
                self._note(paths[-1])
        elif event in ("socket.connect", "socket.getaddrinfo"):
            self._meet(event, arguments)

    def _note(self, path: str) -> None:
        place = os.path.realpath(path)
        is_allowed = place.startswith(_HARMLESS) or "__pycache__" in place
        if not is_allowed and not any(place == folder or place.startswith(folder + os.sep) for folder in self._folders):
            self.written.append(place)

    def _meet(self, event: str, arguments: tuple[Any, ...]) -> None:
        address = arguments[1] if event == "socket.connect" else arguments[0]
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(address, str) and event == "socket.connect":
            return  # a socket of this machine's
        name = os.fsdecode(host) if isinstance(host, str | bytes) else str(host)
        if name not in ("localhost", "::1", "None", "") and not name.startswith("127."):
            self.connected.append(name)
            raise OSError(f"a check allows no network, and {name} was asked for")


def _writes(mode: Any) -> bool:
    return isinstance(mode, str) and bool(set(mode) & set("wax+"))


def _has_writing(flags: Any) -> bool:
    return isinstance(flags, int) and bool(flags & _WRITING)
