"""The workers of one predictor: which models have them, how often they died, and the end of them all."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import LayerwiseError, NotFoundError, PluginError, WorkerError
from layerwise.plugins.failures import ANSWERS, Failure, FailureStore
from layerwise.plugins.switches import SwitchFile
from layerwise.specs import KERAS, ForeignSpec
from layerwise.workers.guard import Guard
from layerwise.workers.limits import limits
from layerwise.workers.runner import WorkerRunner
from layerwise.workers.worker import Death, Worker

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

logger = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""What is being answered when everything is closed may be finished within this time."""
MOST_DEATHS = 3
"""After so many deaths in a row, without an answer between them, the plugin is quarantined."""
KEEP_EVERY_SECONDS = 60.0
"""How often it is kept anew how a plugin's worker died: each time the pages of a server are drawn anew."""


class Workers:
    """Makes runners: those of strangers' models in processes of their own. Thread-safe.

    Args:
        home: The home folder.
        registered: What is registered whenever it is asked.
    """

    def __init__(self, home: Path, registered: Callable[[], Snapshot]) -> None:
        self.home, self._registered = home, registered
        self._switches, self._failures = SwitchFile(home), FailureStore(home=home)
        self._limits, self._guard = limits(), Guard()
        self._lock = threading.Lock()
        self._deaths: Counter[str] = Counter()
        self._kept: dict[str, float] = {}
        self._living: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._is_closed = False

    def isolates(self, spec: ModelSpec) -> bool:
        """Whether a model answers in a process of its own: its plugin is not built in, or it is computed with another
        framework than Keras, which shall not be loaded where Keras is."""
        if spec.framework != KERAS:
            return True
        report = self._registered().plugin_of(spec.name)
        return report is not None and not report.built_in

    def runner(self, spec: ModelSpec, version: Version) -> WorkerRunner:
        """The runner of a version of a model that is isolated.

        Raises:
            LayerwiseError: It cannot be loaded.
        """
        report = self._registered().plugin_of(spec.name)
        if report is None:
            raise NotFoundError(f"There is no model {spec.name!r} any more", remedy="layerwise plugins says why")
        python = spec.python if isinstance(spec, ForeignSpec) else None
        return WorkerRunner(self, report, version.reference, python)

    def start(self, runner: WorkerRunner) -> Worker:
        """A worker for a runner, which is being loaded.

        Raises:
            PluginError: The plugin is off.
        """
        name, switches = runner.plugin.name, self._switches.read()
        if name in switches.quarantined or name in switches.disabled:
            reason = switches.quarantined.get(name, "Somebody switched it off.")
            raise PluginError(f"The plugin {name} is off. {reason}", remedy=_remedy(name))
        with self._lock:
            if self._is_closed:
                raise LayerwiseError("The predictor has been closed", remedy="open the workspace again")
            worker = Worker(
                name,
                runner.reference,
                self.home,
                self._limits,
                self._guard,
                lambda death: self._note(runner, death),
                runner.python,
            )
            self._living.add(worker)
        return worker

    def note_answer(self, runner: WorkerRunner) -> None:
        """A runner has answered, if only that it cannot."""
        if self._deaths:
            with self._lock:
                self._deaths.pop(runner.reference, None)

    def error(self, runner: WorkerRunner, death: Death, doing: str) -> WorkerError:
        """What somebody is told whose request met a death.

        Args:
            doing: What could not be done: "answer".
        """
        if runner.plugin.name in self._switches.read().quarantined:
            remedy = _remedy(runner.plugin.name)
        else:
            remedy = "ask again, which starts it anew; layerwise plugins has the details for the author of its plugin"
        return WorkerError(f"{_model(runner)} could not {doing}: its process {death.what}", remedy=remedy)

    def endless(self, runner: WorkerRunner, seconds: float) -> WorkerError:
        """What somebody is told whose answer goes on for ever."""
        return WorkerError(
            f"{_model(runner)} could not answer: it did not come to an end within {seconds:g} s",
            remedy="report it to the author of its plugin",
        )

    def close(self) -> None:
        """End all processes; those that are answering are given a moment."""
        with self._lock:
            self._is_closed = True
            living = list(self._living)
        end = time.monotonic() + GRACE_SECONDS
        while any(worker.is_busy for worker in living) and time.monotonic() < end:
            time.sleep(0.02)
        closing = [threading.Thread(target=worker.close) for worker in living]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
        self._guard.close()

    def _note(self, runner: WorkerRunner, death: Death) -> None:
        name, version = runner.plugin.name, runner.plugin.version
        logger.warning("The process of %s %s", runner.reference, death.what)
        with self._lock:
            self._deaths[runner.reference] += 1
            is_last = self._deaths[runner.reference] >= MOST_DEATHS
            if is_last:
                del self._deaths[runner.reference]
            is_due = time.monotonic() - self._kept.get(name, -KEEP_EVERY_SECONDS) >= KEEP_EVERY_SECONDS
            if is_due:
                self._kept[name] = time.monotonic()
        if is_last or is_due or self._failures.find(name, ANSWERS, version) is None:
            failure = Failure(reason=f"The process of {_model(runner)} {death.what}.", traceback=death.stack)
            self._failures.put(name, ANSWERS, version, failure)
        if is_last:
            often = f"The process of {_model(runner)} died {MOST_DEATHS} times in a row"
            reason = f"{often}. The last time it {death.what}. What to do: {_remedy(name)}."
            try:
                self._switches.quarantine(name, reason)
            except OSError as error:
                logger.warning("The quarantine of %s is not remembered: %s", name, error)


def _model(runner: WorkerRunner) -> str:
    return runner.reference.partition("@")[0]


def _remedy(plugin: str) -> str:
    return f'press "Try again" on the page Plugins, or: layerwise plugins --enable {plugin}'
