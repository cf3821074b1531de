"""Processes of Layerwise's own: `python -m MODULE`, for a home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import lock_descriptor


def start(
    module: str, *arguments: str, home: Path | str, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[Any]:
    """Start `python -m MODULE ARGUMENTS`, as `subprocess.Popen` does with these options.

    Args:
        home: The home folder that it works in.
        environment: What it shall have in its environment beside what this process has.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "LAYERWISE_HOME": str(home), "PYTHONUNBUFFERED": "1", **(environment or {})},
        **options,
    )


def start_detached(module: str, *arguments: str, home: Path, log: Path, held: Path | None = None) -> None:
    """Start a process that goes on when the terminal or the server that started it is gone, and return at once.

    Args:
        log: The file to which everything that it prints is added.
        held: A lock file that is held as long as the process is there, from before this returns; it need do nothing
            for that. On Windows, where no process inherits a lock, there will be no such file.
    """
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "start_new_session": True}
    with log.open("ab") as file:
        if held is None or sys.platform == "win32":
            start(module, *arguments, home=home, stdout=file, **options)
            return
        # It gets its name when it is locked, so that nobody ever sees it free before.
        nameless = held.with_name(f".{held.name}")
        descriptor = os.open(nameless, os.O_RDWR | os.O_CREAT)
        try:
            lock_descriptor(descriptor)
            nameless.replace(held)
            start(module, *arguments, home=home, stdout=file, pass_fds=(descriptor,), **options)
        finally:
            # The lock is the descriptor's, which the process has too.
            os.close(descriptor)
