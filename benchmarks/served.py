"""An app in a process of its own, for the benchmarks."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 180.0


@dataclass(frozen=True)
class Served:
    """A running app.

    Args:
        address: "http://127.0.0.1:PORT".
        seconds: How long it took from the command to the first byte of the first page.
        pid: Its process.
    """

    address: str
    seconds: float
    pid: int


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(port: int, **variables: str) -> subprocess.Popen[bytes]:
    """The process of `layerwise serve`, with further environment variables."""
    command = [sys.executable, "-m", "layerwise_app.cli", "serve", "--port", str(port), "--no-browser"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **variables})


@contextlib.contextmanager
def served(*, kill: bool = False, home: Path | None = None, **variables: str) -> Iterator[Served]:
    """Start `layerwise serve`, and end it afterwards.

    Args:
        kill: End it by SIGKILL, without a word.
        home: Its home folder; None is the user's own.
        variables: Further environment variables.
    """
    port = free_port()
    begin = time.perf_counter()
    process = start(port, **variables, **({"LAYERWISE_HOME": str(home)} if home else {}))
    try:
        wait_for_first_byte(process, port, begin + START_SECONDS)
        yield Served(f"http://127.0.0.1:{port}", time.perf_counter() - begin, process.pid)
    finally:
        (process.kill if kill else process.terminate)()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for_first_byte(process: subprocess.Popen[bytes], port: int, deadline: float) -> None:
    """Wait until the app answers.

    Raises:
        SystemExit: It does not, before the deadline by `time.perf_counter`.
    """
    while process.poll() is None and time.perf_counter() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(ConnectionError):
            connection.request("GET", "/")
            response = connection.getresponse()
            if response.status == http.HTTPStatus.OK and response.read(1):
                return
        time.sleep(0.01)
    raise SystemExit("The app did not start")
