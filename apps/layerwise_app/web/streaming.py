"""Answers that grow, drawn no more often than somebody could see."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

SECONDS_BETWEEN = 0.08
"""An answer that grows is drawn at most so often: each time the whole of it is sent."""
PartT = TypeVar("PartT")


def thinned(parts: Iterable[PartT], seconds: float = SECONDS_BETWEEN) -> Iterator[PartT]:
    """The first part, the last, and of those between as many as there is time for."""
    given = 0.0
    waiting: list[PartT] = []
    for part in parts:
        waiting = [part]
        if time.monotonic() - given >= seconds:
            yield part
            given, waiting = time.monotonic(), []
    yield from waiting
