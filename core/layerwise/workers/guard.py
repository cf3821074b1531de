"""The guardian of this process's workers, started with the first of them (`layerwise.workers.guardian`)."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from layerwise.workers import guardian

CLOSE_SECONDS = 5.0


@contextlib.contextmanager
def nothing_left_over() -> Iterator[None]:
    """End what this process starts meanwhile, when that is over, or when this process is gone, however that came. To be
    used in one that leads a process group of its own."""
    guard, former = Guard(), os.environ.get(guardian.VARIABLE)
    token = os.environ[guardian.VARIABLE] = guard.new_token()
    guard.watch(os.getpid())
    try:
        yield
    finally:
        guard.forget(os.getpid())
        guard.close()
        guardian.end_marked(token)
        if former is None:
            del os.environ[guardian.VARIABLE]
        else:
            os.environ[guardian.VARIABLE] = former


class Guard:
    """Ends workers when this process is gone, however that came."""

    def __init__(self) -> None:
        # Below that of a worker which itself asks strangers' models: all are ended with it.
        self._token = f"{os.environ.get(guardian.VARIABLE, '')}{secrets.token_hex(8)}/"
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pids: set[int] = set()
        self._process: subprocess.Popen[str] | None = None

    def new_token(self) -> str:
        """What marks a worker and everything that it starts."""
        return f"{self._token}{next(self._numbers)}/"

    def watch(self, pid: int) -> None:
        """End the worker with this number, and what it has started, when this process is gone."""
        with self._lock:
            self._pids.add(pid)
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
                self._say(*(f"+{pid}" for pid in self._pids))
            else:
                self._say(f"+{pid}")

    def forget(self, pid: int) -> None:
        """The worker has ended."""
        with self._lock:
            self._pids.discard(pid)
            self._say(f"-{pid}")

    def close(self) -> None:
        """There will be no more workers."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def _say(self, *lines: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        # A guardian that somebody has ended is missed when the next worker is started.
        with contextlib.suppress(OSError):
            self._process.stdin.writelines(f"{line}\n" for line in lines)
            self._process.stdin.flush()

    def _start(self) -> subprocess.Popen[str]:
        # Not by its name as a module, which would import all of what its package needs.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guardian.__file__)), self._token],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
