"""A runner whose work is done in a process of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.runner import Batch, Runner
from layerwise.tasks.base import Answer
from layerwise.workers.worker import Call, DiedError, Worker

if TYPE_CHECKING:
    from layerwise.plugins.loading import PluginReport
    from layerwise.workers.pool import Workers

logger = logging.getLogger(__name__)


class WorkerRunner(Runner):
    """Answers as the runner of a version does, which is in another process. When that has died, the next request
    starts it again; what it remembered of sessions is then gone.

    There is one process for each version that is used: it lives as long as its runner, and what it does to itself
    harms no other model, nor another version of the same. It shows no network to those who look inside (`model`).

    Args:
        workers: Start processes, and note how they end.
        plugin: What is known of the plugin.
        reference: The version in full: "vision/pets:small@RUN".
        python: The path of the plugin's own Python, if it has one.

    Raises:
        LayerwiseError: It cannot be loaded.
    """

    is_bounded = True

    def __init__(self, workers: Workers, plugin: PluginReport, reference: str, python: str | None = None) -> None:
        self.plugin, self.reference, self.python = plugin, reference, python
        self._workers = workers
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._is_closed = False
        self._alive("be loaded")

    def run(
        self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event
    ) -> Answer | Iterator[Answer]:
        call = self._ask("run", dict(inputs), session)
        try:
            kind, *values = self._reply(call, cancelled)
        except BaseException:
            call.finish()
            raise
        if kind == "parts":
            return self._parts(call, cancelled)
        call.finish()
        return values[0]

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        return self._answer("run_batch", [dict(inputs) for inputs in batch])

    def outputs(self, batch: Batch) -> Any:
        return self._answer("outputs", batch)

    def memory(self) -> int:
        worker = self._worker
        return 0 if worker is None or worker.is_gone else worker.memory()

    def end_session(self, session: str) -> None:
        """Tell the process, if there is one, without waiting for it."""
        worker = self._worker
        if worker is not None and not worker.is_gone:
            try:
                worker.begin("end_session", session).finish()
            except DiedError:
                return

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed, worker, self._worker = True, self._worker, None
        if worker is not None:
            worker.close()

    def _answer(self, kind: str, *arguments: Any) -> Any:
        call = self._ask(kind, *arguments)
        try:
            return self._reply(call)[1]
        finally:
            call.finish()

    def _parts(self, call: Call, cancelled: threading.Event) -> Iterator[Answer]:
        limit = call.worker.limits.whole_seconds
        end = time.monotonic() + limit
        try:
            while True:
                if time.monotonic() > end:
                    self._stop(call, cancelled)
                    raise self._workers.endless(self, limit)
                if cancelled.is_set():
                    call.cancel()
                call.say("next")
                kind, *values = self._reply(call, cancelled)
                if kind == "end":
                    return
                try:
                    yield values[0]
                except GeneratorExit:
                    self._stop(call, cancelled)
                    raise
        except KeyboardInterrupt:
            call.say("stop")
            raise
        finally:
            call.finish()

    def _stop(self, call: Call, cancelled: threading.Event) -> None:
        """Let the runner leave off, and wait until it has: what it does then, such as remembering what it said, is
        done before the next request."""
        if cancelled.is_set():
            call.cancel()
        call.say("stop")
        try:
            self._reply(call)
        except LayerwiseError as error:  # whoever left cannot be told
            logger.warning("%s", error)

    def _ask(self, *message: Any) -> Call:
        while True:
            try:
                return self._alive("answer").begin(*message)
            except DiedError:
                continue  # before it was asked, so it is started again for this request

    def _reply(self, call: Call, cancelled: threading.Event | None = None) -> tuple[Any, ...]:
        try:
            reply = call.reply(call.worker.limits.answer_seconds, "did not answer", cancelled)
        except DiedError as error:
            raise self._workers.error(self, error.death, "answer") from None
        except LayerwiseError:
            self._workers.note_answer(self)
            raise
        if reply[0] in ("answer", "end"):
            self._workers.note_answer(self)
        return reply

    def _alive(self, doing: str) -> Worker:
        """The process, started if there is none; those who come meanwhile wait for the same."""
        with self._lock:
            if self._is_closed:
                raise LayerwiseError("The predictor has been closed", remedy="open the workspace again")
            if self._worker is None or self._worker.is_gone:
                self._worker = None
                self._worker = self._started(doing)
            return self._worker

    def _started(self, doing: str) -> Worker:
        worker = self._workers.start(self)
        try:
            self.stateful = worker.loaded()
        except DiedError as error:
            raise self._workers.error(self, error.death, doing) from None
        except BaseException:
            worker.close()
            raise
        return worker
