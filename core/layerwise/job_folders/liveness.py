"""Whether a process is there, by the lock that it holds; and why it ended without a word: what the system tells
afterwards, compared with what it told at the start."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from layerwise.paths import write_atomically


def is_held(lock: FileLock) -> bool:
    """Whether a process holds the lock. The system frees the lock of a process that dies."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def sign_in(path: Path) -> None:
    """Write down which process this is, and what the system says at its start."""
    write_atomically(path, json.dumps({"pid": os.getpid(), **_system()}) + "\n")


def reason_of_death(path: Path) -> str:
    """Why the process that signed in at `path` is gone, as far as can be known."""
    try:
        former = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "Its process ended without a word: it was killed, or the machine was restarted."
    now = _system()
    if now["boot"] != former.get("boot"):
        return "The machine was restarted while it ran. It can be resumed."
    if now["killed_for_memory"] > former.get("killed_for_memory", 0):
        return (
            "Its process was killed, most likely since the machine's memory ran out. "
            "What to do: use a smaller batch_size or network, or make room and resume it."
        )
    return "Its process was killed. It can be resumed."


def _system() -> dict[str, Any]:
    """Which start of the machine this is, and how many processes it has killed since for want of memory. Empty and 0
    where the system does not say."""
    boot, killed = "", 0
    with contextlib.suppress(OSError, ValueError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        counters = dict(line.split() for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines())
        killed = int(counters.get("oom_kill", 0))
    return {"boot": boot, "killed_for_memory": killed}
