"""How the server is: whether it takes requests, and for whom there is room."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import CapacityLimiter

from layerwise.errors import LayerwiseError
from layerwise.quota import RESERVE_BYTES, in_bytes
from layerwise.versions import Reference

if TYPE_CHECKING:
    from layerwise.workspace import Workspace

THREADS_A_MODEL = 160
"""How many requests to a model have a thread: those that the predictor answers at a time, those that wait for it, and
some that it sends away."""
LOOK_SECONDS = 2.0
"""For how long a look at the disk and at the models counts."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether requests can be answered.

    Args:
        reasons: Why not, a sentence each; empty when they can.
        warnings: What whoever runs the server should know all the same: which models cannot answer.
    """

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return not self.reasons


class Operation:
    """One server while it runs.

    Args:
        workspace: What it answers from.
        snapshot_number: The number of the snapshot that the pages show; None before there are any.

    Attributes:
        is_closing: Whether it has been asked to end.
        limiters: The threads that may answer for a model at a time. A number for each model, so that those who wait for
            one that hangs leave room for those who ask another.
    """

    def __init__(self, workspace: Workspace, snapshot_number: Callable[[], int | None]) -> None:
        self.workspace, self.snapshot_number = workspace, snapshot_number
        self.is_closing = False
        self.limiters: defaultdict[str, CapacityLimiter] = defaultdict(lambda: CapacityLimiter(THREADS_A_MODEL))
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen = Readiness()

    def readiness(self) -> Readiness:
        """Whether requests can be answered now. Cheap, however often it is asked."""
        if self.is_closing:
            return Readiness(reasons=("The server is shutting down.",))
        if self.snapshot_number() is None:
            return Readiness(reasons=("The pages are being drawn.",))
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._seen, self._looked = self._look(), time.monotonic()
            return self._seen

    def _look(self) -> Readiness:
        reasons = [reason for reason in (self._disk(), self._writing()) if reason]
        broken, num_usable = [], 0
        for spec in self.workspace.registry.snapshot().models.values():
            for variant in spec.variants:
                if variant.weights is None and variant.published is not None:
                    continue  # nobody has fetched them yet, which is no fault
                try:
                    self.workspace.predictor.version(Reference(spec.name, variant.name))
                    num_usable += 1
                except LayerwiseError as error:
                    if variant.weights is not None:
                        broken.append(f"{spec.name}:{variant.name} cannot be loaded. {error}")
        if not num_usable:
            reasons.append("No model can be loaded.")
        return Readiness(reasons=tuple(reasons), warnings=tuple(broken))

    def _disk(self) -> str:
        try:
            free = disk_free(self.workspace.home)
        except OSError as error:
            return f"The disk of the runs cannot be read ({error.strerror})."
        if free >= RESERVE_BYTES:
            return ""
        return f"The disk is full: {in_bytes(free)} are free, {in_bytes(RESERVE_BYTES)} are needed."

    def _writing(self) -> str:
        folder = _existing(self.workspace.home)
        return "" if os.access(folder, os.W_OK) else "The folder of the runs cannot be written to."


def disk_free(folder: Path) -> int:
    """How many bytes are free where a folder is, or will be."""
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
