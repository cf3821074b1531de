"""A watch over answers in this process: whoever waits for one that does not come to an end is told so.

A thread cannot be ended from outside. So what may take for ever runs in a thread beside the one that waits; when it is
late, the waiting ends and the thread is left to itself: it is told that nobody waits (`cancelled`), and what it uses is
let go when it comes to an end after all.

    LAYERWISE_ANSWER_SECONDS   for an answer, or for each part of one that comes in parts: 300. In the processes of
                                   strangers' models, where an end can be made of it, 120 (`layerwise.workers.limits`)
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import queue
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from layerwise.errors import LateError
from layerwise.variables import seconds

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 300.0
MOST_LATE = 4
"""While so many answers of a model go on that nobody waits for any more, it is not asked for further ones, each of
which would take time from all others."""
MOST_IDLE = 32
"""So many threads are kept for the next answers."""


def answer_seconds() -> float:
    """How long an answer in this process may take, by the environment."""
    return seconds("LAYERWISE_ANSWER_SECONDS", ANSWER_SECONDS)


class Watchdog:
    """Calls functions that may take for ever.

    Args:
        seconds: How long each may take; None is what the environment says.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = answer_seconds() if seconds is None else seconds
        self._lock = threading.Lock()
        self._idle: list[_Helper] = []
        self._num_late: Counter[str] = Counter()

    @contextlib.contextmanager
    def watching(
        self, name: str, cancelled: threading.Event, ended: Callable[[], None]
    ) -> Iterator[Callable[..., Any]]:
        """A function that calls another one, always in the same thread, and waits no longer than it may take.

        Args:
            name: What is asked, for messages.
            cancelled: Set when a call is late.
            ended: Called once when nothing goes on any more: at the end of the context, or later by what was late.

        Raises:
            LateError: A call is late, or too many before it were and still go on.
        """
        late: list[Future[Any]] = []
        with self._lock:
            is_refused = self._num_late[name] >= MOST_LATE
            helper = None if is_refused else self._idle.pop() if self._idle else _Helper()
        if helper is None:
            ended()
            raise LateError(
                f"{name} is not asked any more: {MOST_LATE} answers did not come to an end and still go on",
                remedy="report it to the author of its plugin; a restart of the server ends them",
            )

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            future = helper.begin(function, *arguments)
            try:
                return future.result(self.seconds)
            except BaseException as error:  # what the function raised, that it is late, or Ctrl-C
                if future.done():
                    raise
                late.append(future)
                cancelled.set()
                if not isinstance(error, TimeoutError):
                    raise
                raise self._late(name, helper) from None

        try:
            yield call
        finally:
            if late:
                self._leave(name, helper, late[0], ended)
            else:
                self._keep(helper)
                ended()

    def num_late(self, name: str) -> int:
        """How many answers of that name go on although nobody waits for them any more."""
        return self._num_late[name]

    def _late(self, name: str, helper: _Helper) -> LateError:
        logger.error("%s did not answer within %g s. It is here:\n%s", name, self.seconds, helper.stack())
        return LateError(
            f"{name} could not answer: it did not come to an end within {self.seconds:g} s",
            remedy="give it less to do; whoever runs the server may allow more with LAYERWISE_ANSWER_SECONDS",
        )

    def _leave(self, name: str, helper: _Helper, late: Future[Any], ended: Callable[[], None]) -> None:
        with self._lock:
            self._num_late[name] += 1

        def forget(_: Future[Any]) -> None:
            with self._lock:
                self._num_late[name] -= 1
            ended()

        late.add_done_callback(forget)
        helper.end()

    def _keep(self, helper: _Helper) -> None:
        with self._lock:
            is_kept = len(self._idle) < MOST_IDLE
            if is_kept:
                self._idle.append(helper)
        if not is_kept:
            helper.end()


class _Helper:
    """A thread that calls functions, one after the other."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="answer", daemon=True)
        self._thread.start()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function, in the context of the thread that asks for it."""
        future: Future[Any] = Future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                value = context.run(function, *arguments)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(value)

        self._calls.put(work)
        return future

    def end(self) -> None:
        """Call no more after what goes on."""
        self._calls.put(None)

    def stack(self) -> str:
        """Where it is."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "" if frame is None else "".join(traceback.format_stack(frame))

    def _work(self) -> None:
        while (work := self._calls.get()) is not None:
            work()
            del work  # with all that it holds, until there is another one
