"""An app in a process of its own, for the benchmarks."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

START_SECONDS = 60.0


@dataclass(frozen=True)
class Served:
    """A running app.

    Args:
        address: "http://127.0.0.1:PORT".
        seconds: How long it took from the command to the first byte of the first page.
    """

    address: str
    seconds: float


@contextlib.contextmanager
def served(*, kill: bool = False) -> Iterator[Served]:
    """Start `layerwise serve`, and end it afterwards.

    Args:
        kill: End it by SIGKILL, without a word.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "layerwise_app.cli", "serve", "--port", str(port), "--no-browser"]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for_first_byte(process, port, begin + START_SECONDS)
        yield Served(f"http://127.0.0.1:{port}", time.perf_counter() - begin)
    finally:
        (process.kill if kill else process.terminate)()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for_first_byte(process: subprocess.Popen, port: int, deadline: float) -> None:
    while process.poll() is None and time.perf_counter() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(ConnectionError):
            connection.request("GET", "/")
            response = connection.getresponse()
            if response.status == http.HTTPStatus.OK and response.read(1):
                return
        time.sleep(0.01)
    raise SystemExit("The app did not start")
