"""How much memory a process and those that it has started use."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def memory_of(pid: int) -> int:
    """The bytes that a process and its descendants have in memory, as far as the system tells: 0 for a process that is
    gone. Where there is no /proc, the package psutil is asked; without it, the answer is 0."""
    if sys.platform != "linux":
        return _by_psutil(pid)
    found, waiting = 0, [pid]
    while waiting:
        folder = Path("/proc") / str(waiting.pop())
        try:
            # The second number is that of resident pages.
            found += int((folder / "statm").read_bytes().split()[1]) * _PAGE
            for thread in (folder / "task").iterdir():
                waiting += [int(child) for child in (thread / "children").read_bytes().split()]
        except (OSError, ValueError):
            continue  # it has just ended
    return found


def own_memory() -> int:
    """The bytes that this process has in memory, without those that it has started; 0 where the system does not
    tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, ValueError):
        return 0


def give_back() -> None:
    """Let the system have the memory that this process uses no more, where the allocator can be asked to."""
    gc.collect()
    trim()


def trim() -> None:
    """Let the system have the pages between what is allocated, which the allocator of glibc keeps: a hundred megabytes
    of a busy server. The tenth of a second that it takes is for every thread that wants memory meanwhile."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # not the allocator of glibc
            ctypes.CDLL(None).malloc_trim(0)


def _by_psutil(pid: int) -> int:
    try:
        import psutil  # pyright: ignore[reportMissingModuleSource,reportMissingImports] (not a dependency)
    except ImportError:
        return 0
    try:
        process = psutil.Process(pid)
        return sum(part.memory_info().rss for part in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0
