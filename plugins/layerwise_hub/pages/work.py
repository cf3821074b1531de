"""What a page waits for: work in a thread of its own, which goes on when the visitor leaves."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

from layerwise.hub import Progress
from layerwise.quota import in_bytes

SECONDS_BETWEEN = 0.5
"""How often a page says how much is here."""


class Work:
    """Something that takes long and tells how far it is.

    Args:
        function: Does it, given a `Progress`.
        said: What is said of it before there is news.
    """

    def __init__(self, function: Callable[[Progress], Any], said: str) -> None:
        self.result: Future[Any] = Future()
        self.html = status_html(said)
        self._said = said
        threading.Thread(target=self._run, args=(function,), name="hub", daemon=True).start()

    def steps(self) -> Iterator[str]:
        """How far it is as HTML, again and again until it is done; raises what the function raised."""
        yield self.html
        while not wait([self.result], SECONDS_BETWEEN).done:
            yield self.html
        self.result.result()

    def _run(self, function: Callable[[Progress], Any]) -> None:
        try:
            self.result.set_result(function(self._tell))
        except BaseException as error:
            self.result.set_exception(error)

    def _tell(self, file: str, done: int, total: int) -> None:
        bar = f'<progress max="{total}" value="{done}" aria-label="{html.escape(self._said)}"></progress>' * bool(total)
        of = f" of {in_bytes(total)}" if total else ""
        self.html = f"{bar}{status_html(f'{file}: {in_bytes(done)}{of}')}"


class Works:
    """What is being done just now, by name: whoever wants the same waits for the same. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Work] = {}

    def begin(self, name: str, function: Callable[[Progress], Any], said: str) -> Work:
        """The work of that name, begun unless it is going on."""
        with self._lock:
            work = self._running.get(name)
            if work is None or work.result.done():
                work = self._running[name] = Work(function, said)
            return work


def status_html(text: str) -> str:
    """A line that says what is going on."""
    return f'<div class="lw-status" role="status"><i class="lw-pulse"></i>{html.escape(text)}</div>'
