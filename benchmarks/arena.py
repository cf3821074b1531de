"""How smoothly an agent is seen: pictures a second that a server sends to viewers who watch at the same time.

    python benchmarks/arena.py [rl/cartpole] [--viewers 2] [--seconds 10]

The server runs in a process of its own, the viewers are web sockets of this one; drawing in a browser is not counted.
The exit status says whether every viewer gets at least 20 pictures a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

BAR = 20.0
SERVE = "from layerwise_app.web.server import serve; serve(port=0, open_browser=False, home={home!r})"


def pictures_of(address: str, seconds: float) -> float:
    """Pictures a second that one viewer gets, once the first has come."""
    from websockets.sync.client import connect

    with connect(address, max_size=None) as socket:
        socket.recv()
        while not _has_picture(socket.recv()):
            pass
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            count += _has_picture(socket.recv())
        return count / (time.perf_counter() - begin)


def _has_picture(message: Any) -> bool:
    return len(message) > 4 + int.from_bytes(message[:4], "little")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", default="rl/cartpole")
    parser.add_argument("--viewers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-c", SERVE.format(home=home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1].replace("http://", "ws://")
            address = f"{address}/api/v1/play/{arguments.model}"
            pictures_of(address, 2.0)  # loads the agent
            rates: list[float] = []
            viewers = [
                threading.Thread(target=lambda: rates.append(pictures_of(address, arguments.seconds)))
                for _ in range(arguments.viewers)
            ]
            for viewer in viewers:
                viewer.start()
            for viewer in viewers:
                viewer.join()
        finally:
            process.terminate()
            process.wait()
    shown = ", ".join(f"{rate:.1f}" for rate in rates)
    print(f"{arguments.model}, {arguments.viewers} viewers: {shown} pictures a second each (bar {BAR:.0f})")
    return 0 if len(rates) == arguments.viewers and min(rates) >= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
