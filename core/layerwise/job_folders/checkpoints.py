"""Checkpoints: everything that a training needs in order to go on as if it had never been interrupted.

A checkpoint is one safetensors file: the arrays (weights, states of random generators, the optimizer's moments),
and in its header what is not an array, as JSON. It is written under another name and renamed when it is whole, and its
name ends with its SHA-256, so that one that is torn or altered is noticed and the one before it is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.paths import remove_temporary, write_atomically

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger(__name__)

KEPT = 2
"""How many are kept: the newest, and the one before it in case that the newest cannot be read."""
_NAME = re.compile(r"(?P<number>\d{6,})-(?P<sha256>[0-9a-f]{64})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """What was kept.

    Args:
        arrays: By name.
        state: What is not an array, as JSON gives it back.
    """

    arrays: dict[str, np.ndarray]
    state: dict[str, Any]


class CheckpointFolder:
    """The checkpoints of one training, in a folder that nobody else writes to. It need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
        """Keep a checkpoint, and of the older ones only the newest.

        Args:
            arrays: By name; of any shape and type that safetensors knows.
            state: What JSON can hold; infinities may be among the numbers.

        Raises:
            OSError: It cannot be written; those that were there still are.
        """
        from safetensors.numpy import save as to_bytes

        data = to_bytes({name: array.copy(order="C") for name, array in arrays.items()}, {"state": json.dumps(state)})
        found = self._files()
        number = int(found[0].name.partition("-")[0]) + 1 if found else 1
        write_atomically(self.folder / f"{number:06d}-{hashlib.sha256(data).hexdigest()}.safetensors", data)
        for old in found[KEPT - 1 :]:
            old.unlink(missing_ok=True)
        remove_temporary(self.folder)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole, None when there is none."""
        for path in self._files():
            try:
                return _read(path)
            except (OSError, ValueError) as error:
                logger.warning("The checkpoint %s is passed over: %s", path.name, error)
        return None

    @property
    def saved_at(self) -> float | None:
        """When the newest was written, in seconds since 1970; None when there is none."""
        for path in self._files():
            with contextlib.suppress(FileNotFoundError):  # a newer one has just taken its place
                return path.stat().st_mtime
        return None

    def _files(self) -> list[Path]:
        """The newest first."""
        if not self.folder.is_dir():
            return []
        return sorted((path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def _read(path: Path) -> Checkpoint:
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import load

    data = path.read_bytes()
    match = _NAME.fullmatch(path.name)
    if match is None or hashlib.sha256(data).hexdigest() != match["sha256"]:
        raise ValueError("its SHA-256 is not the one in its name")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
        return Checkpoint(load(data), json.loads(metadata["state"]))
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


class Cadence:
    """When something that takes time is due again: after an interval, and never so often that it takes more than two
    percent of the time.

    Args:
        seconds: The interval.
    """

    SHARE = 0.02

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._last, self._cost = time.monotonic(), 0.0

    def is_due(self, seconds: float | None = None) -> bool:
        """Whether the interval, or a shorter one, is over."""
        wait = self.seconds if seconds is None else min(seconds, self.seconds)
        return time.monotonic() - self._last >= max(wait, self._cost / self.SHARE)

    def did(self, begin: float) -> None:
        """It was done, and began at `begin` by `time.monotonic`."""
        self._last = time.monotonic()
        self._cost = self._last - begin
