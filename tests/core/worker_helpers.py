"""What the tests of workers share: a workspace with two plugins of strangers, one of them faulty; who is left over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerwise import open_workspace
from layerwise.workers.guardian import VARIABLE
from layerwise.workspace import Workspace

FAULTS = Path(__file__).parents[1] / "plugins_sample" / "faults"


@contextlib.contextmanager
def opened(home: Path, **variables: str) -> Iterator[Workspace]:
    """A workspace whose strangers' models answer in processes of their own, with these variables of the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"HOME": str(home), "PLUGINS": str(FAULTS), **variables}.items():
            patch.setenv(f"LAYERWISE_{name}", value)
        with open_workspace(home) as workspace:
            yield workspace


def marked(mark: str) -> list[int]:
    """The processes whose environment has a worker's token that begins with `mark`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{VARIABLE}={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def left_over(home: Path) -> list[bytes]:
    """What the processes that still work in a home were started with."""
    found: list[bytes] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"LAYERWISE_HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes())
    return found


def mark_of(workspace: Workspace) -> str:
    """What the tokens of all workers of a workspace begin with."""
    assert workspace.predictor._workers is not None
    return workspace.predictor._workers._guard._token


def wait_until(holds, seconds: float = 20.0):
    """What `holds` gives, as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found
