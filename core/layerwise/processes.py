"""Processes of Layerwise's own: `python -m MODULE`, for a home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import lock_descriptor

_OF_THIS_PYTHON = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")
"""What says where a Python finds its modules, which is nothing to another one."""


def start(
    module: str,
    *arguments: str,
    home: Path | str,
    environment: Mapping[str, str] | None = None,
    python: str | None = None,
    **options: Any,
) -> subprocess.Popen[Any]:
    """Start `python -m MODULE ARGUMENTS`, as `subprocess.Popen` does with these options.

    Args:
        home: The home folder that it works in.
        environment: What it shall have in its environment beside what this process has.
        python: Another Python than that of this process, with modules of its own.
    """
    ours = {name: value for name, value in os.environ.items() if python is None or name not in _OF_THIS_PYTHON}
    return subprocess.Popen(
        [python or sys.executable, "-m", module, *arguments],
        env={**ours, "LAYERWISE_HOME": str(home), "PYTHONUNBUFFERED": "1", **(environment or {})},
        **options,
    )


def start_detached(
    module: str, *arguments: str, home: Path, log: Path, held: Path | None = None, python: str | None = None
) -> None:
    """Start a process that goes on when the terminal or the server that started it is gone, and return at once.

    Args:
        log: The file to which everything that it prints is added.
        held: A lock file that is held as long as the process is there, from before this returns; it need do nothing
            for that. On Windows, where no process inherits a lock, there will be no such file.
        python: As for `start`.
    """
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "start_new_session": True}
    with log.open("ab") as file:
        if held is None or sys.platform == "win32":
            start(module, *arguments, home=home, python=python, stdout=file, **options)
            return
        # It gets its name when it is locked, so that nobody ever sees it free before.
        nameless = held.with_name(f".{held.name}")
        descriptor = os.open(nameless, os.O_RDWR | os.O_CREAT)
        try:
            lock_descriptor(descriptor)
            nameless.replace(held)
            start(module, *arguments, home=home, python=python, stdout=file, pass_fds=(descriptor,), **options)
        finally:
            # The lock is the descriptor's, which the process has too.
            os.close(descriptor)
