"""Sessions: which model a visitor has begun with, for those that remember what they were told. It stays the same one,
in memory, until the session ends, also when another version is promoted meanwhile."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable

from layerwise.serving.loading import Loaded, Runners
from layerwise.versions import Reference

logger = logging.getLogger(__name__)

SESSION_SECONDS = 3600.0
"""A session of which nothing was heard for so long is ended: most visitors leave without a word."""


class Sessions:
    """The sessions of all models. Each holds its runner.

    Args:
        runners: What is in memory.
    """

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._lock = threading.Lock()
        # By the time of their last request, the oldest first.
        self._begun: OrderedDict[tuple[str, Reference], tuple[Loaded, float]] = OrderedDict()

    def hold(self, session: str, reference: Reference) -> Loaded | None:
        """What a session has begun with, held once more for a request; None for one that has not begun."""
        self._end_idle()
        key = session, reference
        with self._lock:
            loaded, _ = self._begun.get(key, (None, 0.0))
            if loaded is None or not self._runners.hold(loaded):
                return None
            self._begun[key] = loaded, time.monotonic()
            self._begun.move_to_end(key)
            return loaded

    def begin(self, session: str, reference: Reference, loaded: Loaded) -> None:
        """Let a session go on with what it was answered by, where that remembers anything."""
        if not loaded.runner.stateful:
            return
        with self._lock:
            if (session, reference) not in self._begun and self._runners.hold(loaded):
                self._begun[session, reference] = loaded, time.monotonic()

    def end(self, session: str) -> None:
        """Forget what any model remembers of a session."""
        with self._lock:
            held = [self._begun.pop(key)[0] for key in list(self._begun) if key[0] == session]
        for loaded in {*held, *self._runners.all()}:
            _tell(loaded, session)
        self._release(held)

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            held = [loaded for loaded, _ in self._begun.values()]
            self._begun.clear()
        self._release(held)

    def _end_idle(self) -> None:
        oldest = time.monotonic() - SESSION_SECONDS
        with self._lock:
            idle = list(itertools.takewhile(lambda item: item[1][1] < oldest, self._begun.items()))
            for key, _ in idle:
                del self._begun[key]
        for (session, _), (loaded, _) in idle:
            _tell(loaded, session)
        self._release(loaded for _, (loaded, _) in idle)

    def _release(self, held: Iterable[Loaded]) -> None:
        for loaded in held:
            self._runners.release(loaded)


def _tell(loaded: Loaded, session: str) -> None:
    try:
        loaded.runner.end_session(session)
    except Exception:  # whoever left cannot be told
        logger.exception("%s did not end the session", loaded.version.reference)
