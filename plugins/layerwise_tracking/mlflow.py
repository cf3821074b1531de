"""Runs in MLflow: the config as parameters, the metrics of each epoch, tags that lead back to the run, and on request
the version that it made.

    MLFLOW_TRACKING_URI           where: without it nothing is tracked
    MLFLOW_EXPERIMENT_NAME        in which experiment; by default the name of the model
    LAYERWISE_MLFLOW_ARTIFACTS=1  the version (weights and record) is stored too

A thread of its own talks to the server, so that a training never waits for it. A server that is slow or gone costs what
it was to be told: after the first error the rest is dropped, which the run's log says once.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from layerwise.paths import write_atomically

if TYPE_CHECKING:
    import keras

    from layerwise.runs import Run

logger = logging.getLogger(__name__)

LAST_SECONDS = 10.0
"""How long the process of a training waits at its very end, after the run has ended, for what is still to be told."""
RUN_FILE = "mlflow.txt"
"""In the run's folder: the id of its run in MLflow, with which a resume goes on."""
MAX_VALUE = 500
"""MLflow takes parameters of up to 6,000 characters, older servers of 500."""


def tracker(run: Run) -> keras.callbacks.Callback:
    """The callback that follows a run."""
    import keras

    # MLflow's own limits are minutes, which is for batch jobs.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    sender = Sender(run)

    class Tracker(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            sender.tell_metrics(epoch + 1, dict(logs or {}))

        def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
            sender.tell_end("KILLED" if run.stop_requested else "FINISHED")

    return Tracker()


class Sender:
    """Tells MLflow about one run, in a thread of its own. No method waits or raises."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._waiting: queue.SimpleQueue[Callable[[Any, str], None] | None] = queue.SimpleQueue()
        self._has_ended = False
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()
        # At the end of the process rather than of the training: the run has ended by then, and its device is free.
        atexit.register(self.close)

    def tell_metrics(self, epoch: int, metrics: dict[str, Any]) -> None:
        """Tell the metrics of an epoch (from 1)."""
        now = _milliseconds()
        numbers = {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}

        def send(client: Any, identifier: str) -> None:
            from mlflow.entities import Metric

            metrics = [Metric(name, value, now, epoch) for name, value in numbers.items()]
            client.log_batch(identifier, metrics=metrics)

        self._waiting.put(send)

    def tell_end(self, status: str) -> None:
        """Tell how the run ended: FINISHED, KILLED or FAILED."""
        self._has_ended = True

        def send(client: Any, identifier: str) -> None:
            folder = self.run.version_folder
            if folder is not None and os.environ.get("LAYERWISE_MLFLOW_ARTIFACTS") == "1":
                for path in sorted(folder.iterdir()):
                    client.log_artifact(identifier, str(path), "version")
            client.set_terminated(identifier, status)

        self._waiting.put(send)

    def close(self, seconds: float = LAST_SECONDS) -> None:
        """Wait until everything is told, at most so long."""
        if not self._has_ended:
            self.tell_end("FAILED")  # nobody came to say how it ended
        self._waiting.put(None)
        self._thread.join(seconds)
        atexit.unregister(self.close)

    def _work(self) -> None:
        try:
            client, identifier = self._begin()
            while (send := self._waiting.get()) is not None:
                send(client, identifier)
        except Exception as error:  # whatever is wrong there is nothing that a training should end for
            logger.warning("MLflow is told nothing more of this run: %s", str(error)[:500])

    def _begin(self) -> tuple[Any, str]:
        """The client, and the run in MLflow: that of the former process when this one resumes it."""
        from mlflow.tracking import MlflowClient

        client, path = MlflowClient(), self.run.folder / RUN_FILE
        if path.exists():
            identifier = path.read_text(encoding="ascii")
            client.update_run(identifier, status="RUNNING")
            return client, identifier
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or self.run.name
        found = client.get_experiment_by_name(name)
        experiment = found.experiment_id if found else client.create_experiment(name)
        created = client.create_run(experiment, tags=_tags(self.run), run_name=self.run.id)
        identifier = created.info.run_id
        write_atomically(path, identifier)
        from mlflow.entities import Param

        parameters = [Param(name, str(value)[:MAX_VALUE]) for name, value in self.run.config.items()]
        client.log_batch(identifier, params=parameters)
        return client, identifier


def _tags(run: Run) -> dict[str, str]:
    """What leads from MLflow back to the run. Its version has the id of the run."""
    request = run.request
    found = {
        "layerwise.run": run.id,
        "layerwise.model": run.name,
        "layerwise.variant": run.variant,
        "layerwise.version": run.id,
        "layerwise.data": run.data,
        "layerwise.study": request.get("study"),
        "mlflow.source.git.commit": request.get("git"),
    }
    return {name: value for name, value in found.items() if value}


def _milliseconds() -> int:
    return int(time.time() * 1000)
