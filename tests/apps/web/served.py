"""Apps and servers that answer on this machine while a test asks them."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLUGIN = Path(__file__).with_name("sample_plugin")


@contextlib.contextmanager
def running(app: Any, port: int = 0) -> Iterator[str]:
    """Serve an app on this machine meanwhile; its address."""
    import uvicorn

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "it does not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@dataclass
class Served:
    """A server in a process of its own.

    Args:
        process: The process.
        address: Where it answers.
        lines: What it has printed.
    """

    process: subprocess.Popen[str]
    address: str = ""
    lines: list[str] = field(default_factory=list)
    _ready: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        """Keep what it prints, until it has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"http://127[.]0[.]0[.]1:\d+", line):
                self.address = found.group()
                self._ready.set()
        self._ready.set()

    def wait_until_ready(self) -> None:
        """Until it answers."""
        assert self._ready.wait(240), self.lines
        assert self.address, self.lines


@contextlib.contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[Served]:
    """`layerwise serve` with the demo plugin. Killed at the end if it is still there."""
    path = os.pathsep.join(filter(None, (str(PLUGIN), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-m", "layerwise_app.cli", "serve", "--port", "0", "--no-browser", *options],
        env={**os.environ, "LAYERWISE_HOME": str(home), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    served = Served(process)
    reader = threading.Thread(target=served.read, daemon=True)
    reader.start()
    try:
        served.wait_until_ready()
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join(10)
