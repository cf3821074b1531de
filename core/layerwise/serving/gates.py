"""How many requests to a model are answered at a time, how many wait for it, and who is told that it is busy.

LAYERWISE_QUEUE   how many requests may wait for one model: 64
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from layerwise.errors import BusyError
from layerwise.hardware.environment import cores
from layerwise.variables import whole_number

if TYPE_CHECKING:
    from layerwise.runner import Runner

MOST_WAITING = 64
MOST_JOINED = 64
"""So many requests to a model that computes them together are answered at a time."""
MOST_ELSEWHERE = 8
"""So many requests to a model in a process of its own are answered at a time."""
LONGEST_RETRY = 60
"""Nobody is told to come back later than after so many seconds."""
_LOOK_SECONDS = 0.05
_OLD_SHARE = 0.8
"""Of the mean duration of an answer, when another one has ended."""


def most_waiting() -> int:
    """How many requests may wait for one model, by the environment."""
    return whole_number("LAYERWISE_QUEUE", MOST_WAITING)


def most_at_once(runner: Runner) -> int:
    """How many requests to a model are answered at a time.

    One that computes them together takes many. One that has a process of its own is limited by that. Each of the others
    takes the whole device: then there is one for each core, and two where there is but one, so that somebody who asks
    little need not wait for somebody who asks much.
    """
    if runner.joins:
        return MOST_JOINED
    return MOST_ELSEWHERE if runner.is_bounded else max(2, cores())


class Gate:
    """Lets so many in at a time; the others wait in the order in which they came, and too many are sent away.

    Args:
        name: What is behind it, for messages.
        most_inside: How many are let in.
        most_waiting: How many may wait.

    Example:
        >>> gate = Gate("vision/fashion", most_inside=1, most_waiting=0)
        >>> with gate.entered(), gate.entered():
        ...     pass
        Traceback (most recent call last):
        layerwise.errors.BusyError: vision/fashion is busy: ... you would be number 1 of those who wait. What to do: ...
    """

    def __init__(self, name: str, *, most_inside: int, most_waiting: int) -> None:
        self.name, self.most_waiting = name, most_waiting
        self._most_inside = most_inside
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._num_inside = 0
        self._mean_seconds = 1.0

    @property
    def num_inside(self) -> int:
        """How many are inside."""
        return self._num_inside

    @property
    def num_waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def position(self) -> int:
        """Which of those who wait somebody would be who came now; 0 for one who would be let in at once."""
        with self._lock:
            return len(self._waiting) + 1 if self._is_full else 0

    def set_most_inside(self, count: int) -> None:
        """Let so many in at a time from now on."""
        if count == self._most_inside:
            return
        with self._lock:
            self._most_inside = count
            self._let_in()

    @contextlib.contextmanager
    def entered(self, cancelled: threading.Event | None = None) -> Iterator[bool]:
        """Wait for a place, and keep it as long as the context lasts.

        Args:
            cancelled: Set when it is waited for no more.

        Returns:
            Whether there is a place; False when it was cancelled before.

        Raises:
            BusyError: Too many wait already.
        """
        is_inside = self._enter(cancelled)
        begin = time.monotonic()
        try:
            yield is_inside
        finally:
            if is_inside:
                self._leave(time.monotonic() - begin)

    def _enter(self, cancelled: threading.Event | None) -> bool:
        with self._lock:
            if not self._is_full:
                self._num_inside += 1
                return True
            if len(self._waiting) >= self.most_waiting:
                raise self._busy()
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            while not turn.wait(None if cancelled is None else _LOOK_SECONDS):
                if cancelled is not None and cancelled.is_set():
                    return not self._withdrawn(turn)
        except BaseException:  # Ctrl-C
            if not self._withdrawn(turn):
                self._leave(None)
            raise
        return True

    def _withdrawn(self, turn: threading.Event) -> bool:
        """Wait no more; False for one who has been let in meanwhile."""
        with self._lock:
            if turn.is_set():
                return False
            self._waiting.remove(turn)
            return True

    def _leave(self, seconds: float | None) -> None:
        with self._lock:
            if seconds is not None:
                self._mean_seconds = _OLD_SHARE * self._mean_seconds + (1 - _OLD_SHARE) * seconds
            self._num_inside -= 1
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._num_inside < self._most_inside:
            self._num_inside += 1
            self._waiting.popleft().set()

    @property
    def _is_full(self) -> bool:
        return self._num_inside >= self._most_inside

    def _busy(self) -> BusyError:
        position = len(self._waiting) + 1
        # Half of those before must be gone until there is room that others do not take at once.
        seconds = self._mean_seconds * position / max(1, self._most_inside) / 2
        retry_after = min(LONGEST_RETRY, max(1, math.ceil(seconds)))
        error = BusyError(
            f"{self.name} is busy: {self._num_inside} requests are being answered, and you would be number {position} "
            "of those who wait",
            remedy=f"ask again in {retry_after} s",
        )
        error.position, error.retry_after = position, retry_after
        return error
