"""What this process runs in: versions, processor, memory, GPUs, revision. Found without any heavy import, so that
`layerwise doctor` works where TensorFlow does not.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    "layerwise",
    "tensorflow",
    "keras",
    "numpy",
    "gradio",
    "pluggy",
    "typer",
    "rich",
    "pillow",
    "pooch",
    "safetensors",
    "jax",
    "torch",
    "transformers",
    "ray",
    "keras-tuner",
    "mlflow-skinny",
    "pyarrow",
    "soundfile",
    "tensorboard",
)
"""Distributions whose versions a run folder keeps and `layerwise doctor` shows, those of extras included."""


def environment() -> dict[str, Any]:
    """What this process runs in, found without importing any of it: plain values for `run.json` and
    `layerwise doctor`.

    Returns:
        python, system, machine, cpu, cores (that this process may use), memory (bytes, or None), gpus (NVIDIA
        GPUs of the machine, whether or not the backend can use them: name, memory in bytes), backend, and
        packages: the version of each of `PACKAGES`, None for one that is not installed.
    """
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_name(),
        "cores": cores(),
        "memory": memory(),
        "gpus": nvidia_gpus(),
        "backend": backend_name(),
        "packages": {name: package_version(name) for name in PACKAGES},
    }


def package_version(name: str) -> str | None:
    """The version of an installed distribution, None when it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def cores() -> int:
    """The number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_seconds() -> float:
    """The processor time that this process has used, and those of its own that have ended."""
    return sum(os.times()[:4])


def thread_variables(count: int) -> dict[str, str]:
    """The environment variables with which a new process computes on a processor with so many threads."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {name: str(count) for name in names}


def memory() -> int | None:
    """The memory that this process may use, in bytes: that of the machine or, when less, of its container."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    with contextlib.suppress(OSError, ValueError):  # no limit is written as the word "max"
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return total


@functools.cache
def cpu_name() -> str:
    """The processor as its maker writes it, or its architecture where the system does not tell."""
    with contextlib.suppress(OSError):
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            return match[1].strip()
    return platform.processor() or platform.machine() or "CPU"


@functools.cache
def cpu_flags() -> frozenset[str]:
    """What the processor can do, as Linux names it ("avx2", "amx_bf16" ...); empty where the system does not tell."""
    with contextlib.suppress(OSError):
        match = re.search(r"^flags\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            return frozenset(match[1].split())
    return frozenset()


def nvidia_gpus() -> list[dict[str, Any]]:
    """The NVIDIA GPUs of this machine as its driver lists them: name, memory in bytes (None when unknown)."""
    listing = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
    rows = csv.reader((listing or "").splitlines(), skipinitialspace=True)
    return [
        {"name": row[0], "memory": int(row[1]) * 2**20 if row[1].isdigit() else None} for row in rows if len(row) == 2
    ]


def git_revision() -> str | None:
    """The commit of the checkout that this code runs from, with "-dirty" behind it when files were changed
    since; None when it runs from an installed package."""
    folder = str(Path(__file__).parent)
    # An installed package may lie below somebody else's checkout: only a tracked file tells.
    if _output("git", "-C", folder, "ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    return _output("git", "-C", folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def backend_name() -> str:
    """The backend that Keras runs on or will run on, by the rules of Keras."""
    with contextlib.suppress(KeyError, AttributeError):  # not imported, or being imported just now
        return sys.modules["keras"].backend.backend()
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"]
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return json.loads((folder / "keras.json").read_text(encoding="utf-8")).get("backend", "tensorflow")
    return "tensorflow"
