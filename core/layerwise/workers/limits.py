"""How long and how large a worker may be, by the environment.

    LAYERWISE_ISOLATION         off: strangers' models answer in the process that asks, without any of these limits
    LAYERWISE_ANSWER_SECONDS    for an answer, or for each part of one that comes in parts: 120;
                                    for all of its parts together 30 times as much
    LAYERWISE_LOADING_SECONDS   for starting, importing the plugin, building the network and reading its weights: 300
    LAYERWISE_WORKER_MEMORY     in bytes, or "4G", "800M": half of the machine's or the container's
    LAYERWISE_WORKER_THREADS    with how many threads each computes on a processor: half as many as there are cores, so
                                    that none takes the whole machine from the others and from this process, whose
                                    models share as many threads as there are cores

What cannot be read counts as left out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from layerwise.hardware.environment import cores, memory
from layerwise.variables import seconds, size, whole_number

ANSWER_SECONDS, LOADING_SECONDS = 120.0, 300.0
MOST_PARTS = 30
"""An answer that comes in parts may take so many times the seconds of one that does not."""
MEMORY_SHARE = 0.5
"""Of the memory that Layerwise may use, a worker may have at most this share."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a worker may take.

    Args:
        answer_seconds: For an answer, or until the next part of one.
        loading_seconds: From its start until it can be asked.
        memory: The most bytes that it and what it starts have in memory; None for no limit.
        threads: With how many threads it computes; None leaves that to the backend.
    """

    answer_seconds: float = ANSWER_SECONDS
    loading_seconds: float = LOADING_SECONDS
    memory: int | None = None
    threads: int | None = None

    @property
    def whole_seconds(self) -> float:
        """For all parts of an answer together."""
        return MOST_PARTS * self.answer_seconds


def limits() -> Limits:
    """What the environment says; the default for what is not there or cannot be read."""
    total = memory()
    return Limits(
        answer_seconds=seconds("LAYERWISE_ANSWER_SECONDS", ANSWER_SECONDS),
        loading_seconds=seconds("LAYERWISE_LOADING_SECONDS", LOADING_SECONDS),
        memory=size("LAYERWISE_WORKER_MEMORY", None if total is None else int(total * MEMORY_SHARE)),
        threads=whole_number("LAYERWISE_WORKER_THREADS", max(1, cores() // 2)) or None,
    )


def is_isolating() -> bool:
    """Whether strangers' models answer in processes of their own."""
    return os.environ.get("LAYERWISE_ISOLATION", "on").strip().lower() not in ("off", "0", "no", "false")
