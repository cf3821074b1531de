"""Ends processes, and all that they have started. Run as a script, it ends the workers of a process that is gone.

    python guardian.py TOKEN    reads "+PID" and "-PID" lines from its input until that ends

A worker notices by itself that its parent is gone, unless an endless loop of its plugin lets no other thread run.
The guardian is a process without plugins, so that it always notices. It imports nothing but the standard library,
and little of that, so that it is small.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

VARIABLE = "LAYERWISE_WORKER"
"""In the environment of a worker, and so of all that it starts: its token."""
ROUNDS, LOOK_SECONDS = 50, 0.01
"""How often it is looked again for processes that were started while others were ended, and how long it is waited for
those whose environment is not there yet."""


def end_tree(pid: int, token: str) -> None:
    """End a worker and what it has started. The caller knows that `pid` is still the worker's.

    Args:
        pid: The worker's, which leads a process group of its own.
        token: That of the worker.
    """
    _end_group(pid)
    end_marked(token)


def end_marked(token: str) -> None:
    """End all processes whose environment has that token, or one that begins with it: also those that have left the
    group and the session of their worker. On systems that do not show environments nothing happens."""
    mark = f"{VARIABLE}={token}".encode()
    for _ in range(ROUNDS):
        looks = {pid: _is_marked(pid, mark) for pid in _processes()}
        found = [pid for pid, is_marked in looks.items() if is_marked]
        for pid in found:
            _end(pid)
        if not found:
            if None not in looks.values():
                return
            time.sleep(LOOK_SECONDS)


def _end_group(pid: int) -> None:
    if not hasattr(os, "killpg"):
        _end(pid)
        return
    with contextlib.suppress(OSError):  # all of it has ended
        os.killpg(pid, signal.SIGKILL)


def _end(pid: int) -> None:
    with contextlib.suppress(OSError):
        # On Windows any signal ends a process.
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _processes() -> list[int]:
    try:
        names = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return []
    return [int(name) for name in names if int(name) != os.getpid()]


def _is_marked(pid: int, mark: bytes) -> bool | None:
    """Whether a process has that token; None where that cannot be known yet, since it is just becoming another
    program: then it has an executable, and neither arguments nor an environment."""
    process = Path(f"/proc/{pid}")
    try:
        environment = (process / "environ").read_bytes()
        if not environment and not (process / "cmdline").read_bytes():
            (process / "exe").readlink()  # the system's own processes, and those that have ended, have none
            return None
    except OSError:
        return False
    return any(entry.startswith(mark) for entry in environment.split(b"\0"))


def main(token: str) -> None:
    """Wait until the parent is gone, and end what it leaves behind."""
    pids = set()
    for line in sys.stdin:
        (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
    for pid in pids:
        _end_group(pid)
    end_marked(token)


if __name__ == "__main__":
    main(sys.argv[1])
