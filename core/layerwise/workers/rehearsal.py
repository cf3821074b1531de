"""Strangers' plugins are loaded in a process of their own first, so that one that does not survive it, or does not let
go, is found there, and whoever loads it next knows not to.

A plugin that has survived is remembered by its files, in the cache: it is rehearsed again when one of them changes, or
when anything is installed beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import IO, Any

import layerwise
from layerwise import processes
from layerwise.paths import cache
from layerwise.plugins.files import PluginFile
from layerwise.quota import in_bytes
from layerwise.workers import stacks
from layerwise.workers.guard import Guard
from layerwise.workers.guardian import VARIABLE, end_tree
from layerwise.workers.limits import limits
from layerwise.workers.memory import memory_of
from layerwise.workers.worker import Death, ending

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often it is looked at how large the process is."""
GRACE_SECONDS = 2.0
"""By how much it may be later than the time limit that it keeps by itself."""
START_SECONDS = 60.0
MOST_FILES = 5_000
"""Of a plugin are looked at for changes."""
_ENDINGS = (".py", ".so", ".pyd")

Point = EntryPoint | PluginFile


def rehearse(plugins: Mapping[str, Point], home: Path, seconds: float) -> dict[str, Death]:
    """Load plugins in a process of their own, unless they have survived that before.

    Args:
        plugins: By their names.
        home: The home folder.
        seconds: For which each may load.

    Returns:
        How those ended that did not survive it, or did harm.
    """
    installed = _installed()
    prints = {name: fingerprint(point, installed) for name, point in plugins.items()}
    waiting = [name for name, text in prints.items() if not _is_known(text)]
    found: dict[str, Death] = {}
    if waiting:
        guard = Guard()
        try:
            while waiting:
                survived, deadly = _Round(waiting, home, seconds, guard).play()
                for name in survived:
                    _remember(prints[name])
                if deadly is not None:
                    found[deadly[0]] = deadly[1]
                elif not survived:
                    break  # no process could be started: they are loaded as if there were no rehearsal
                waiting = [name for name in waiting if name not in survived and name not in found]
        finally:
            guard.close()
    return found


class _Round:
    """A process that loads plugins until one of them ends it, or all are loaded."""

    def __init__(self, names: Sequence[str], home: Path, seconds: float, guard: Guard) -> None:
        self._names, self._seconds, self._guard = names, seconds, guard
        self._most = limits().memory
        self._token = guard.new_token()
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stacks = tempfile.TemporaryFile() if hasattr(signal, "SIGUSR1") else None  # noqa: SIM115
        options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        arguments = []
        if self._stacks is not None:
            arguments.append(str(self._stacks.fileno()))
            options |= {"start_new_session": True, "pass_fds": (self._stacks.fileno(),)}
        environment = {VARIABLE: self._token, "LAYERWISE_PLUGIN_TIMEOUT": f"{seconds:g}"}
        self._process = processes.start(
            "layerwise.workers.rehearsing", *arguments, home=home, environment=environment, **options
        )
        guard.watch(self._process.pid)
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    def play(self) -> tuple[set[str], tuple[str, Death] | None]:
        """Which plugins have survived; and which one has not, with what happened."""
        try:
            return self._follow()
        finally:
            end_tree(self._process.pid, self._token)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)
            self._guard.forget(self._process.pid)
            for file in (self._process.stdin, self._stacks):
                if file is not None:
                    with contextlib.suppress(OSError):
                        file.close()

    def _follow(self) -> tuple[set[str], tuple[str, Death] | None]:
        self._ask()
        survived: set[str] = set()
        name, end = "", time.monotonic() + START_SECONDS
        while True:
            try:
                line = self._lines.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if why := self._excess(end):
                    return survived, self._deadly(name, why, with_stack=True)
                continue
            if line is None:
                return survived, self._deadly(name, self._ending()) if name else None
            try:
                message = json.loads(line)
                if message.get("began"):
                    name, end = message["began"], time.monotonic() + self._seconds + GRACE_SECONDS
                elif message["harm"]:
                    return survived, (name, Death(message["harm"], message.get("stack", "")))
                else:
                    survived.add(message["ended"])
                    name = ""
            except (ValueError, KeyError, AttributeError, TypeError):
                return survived, self._deadly(name, "wrote into the connection of its process")

    def _ask(self) -> None:
        assert self._process.stdin is not None
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with contextlib.suppress(OSError):  # it has ended, which is heard where its lines are waited for
            self._process.stdin.write(json.dumps({"path": path, "names": list(self._names)}).encode() + b"\n")
            self._process.stdin.flush()

    def _listen(self, lines: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

    def _excess(self, end: float) -> str:
        """What the process takes too much of; empty for nothing."""
        if self._most is not None and memory_of(self._process.pid) > self._most:
            return f"used more than {in_bytes(self._most)} of memory"
        return "did not finish loading in time" if time.monotonic() > end else ""

    def _deadly(self, name: str, what: str, *, with_stack: bool = False) -> tuple[str, Death] | None:
        if not name:
            logger.warning("Plugins could not be tried in a process of their own: it %s", what)
            return None
        if self._stacks is None:
            return name, Death(what)
        if with_stack:
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, signal.SIGUSR1)
            stacks.wait_for(self._stacks)
        return name, Death(what, stacks.read(self._stacks))

    def _ending(self) -> str:
        try:
            return ending(self._process.wait(GRACE_SECONDS))
        except subprocess.TimeoutExpired:
            return "let go of its connection to Layerwise"


def fingerprint(point: Point, installed: str = "") -> str:
    """What changes when the files of a plugin do, or what is installed beside it; empty when that is not known.

    Args:
        installed: What is installed, in any form.
    """
    seen = []
    for path in _files_of(point):
        with contextlib.suppress(OSError):
            status = path.stat()
            seen.append((str(path), status.st_size, status.st_mtime_ns))
    if not seen:
        return ""
    content = [layerwise.__version__, sys.version, sys.prefix, installed, str(point), seen]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _files_of(point: Point) -> Iterable[Path]:
    if isinstance(point, PluginFile):
        return [point.path]
    if point.pattern.match(point.value) is None:  # what it says of its module is another error with each Python
        return []
    try:
        spec = importlib.util.find_spec(point.module.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    inside = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in _ENDINGS)[:MOST_FILES]
    return inside or ([Path(spec.origin)] if spec.origin else [])


def _installed() -> str:
    """The distributions on the path, by the names of their folders."""
    names = set()
    for entry in sys.path:
        with contextlib.suppress(OSError):
            names |= {path.name for path in Path(entry).iterdir() if path.suffix in (".dist-info", ".egg-info")}
    return "\n".join(sorted(names))


def _path(text: str) -> Path:
    return cache() / "rehearsed" / text


def _is_known(text: str) -> bool:
    return bool(text) and _path(text).exists()


def _remember(text: str) -> None:
    if text:
        with contextlib.suppress(OSError):  # then it is rehearsed at each start
            _path(text).parent.mkdir(parents=True, exist_ok=True)
            _path(text).touch()
