"""Figures of a server for Prometheus. The labels are bounded: the names of routes and of registered models, never what
somebody sent."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from layerwise_app.web.operation import Operation, disk_free

if TYPE_CHECKING:
    from layerwise.versions import Reference

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""The upper ends of the buckets of durations."""
JOB_STATES = ("queued", "running", "finished", "stopped", "failed")
JOBS_SECONDS = 15.0
"""For how long the states of the runs count: each is read from its folder, and there may be thousands."""


class Metrics:
    """The figures of one server.

    Args:
        operation: The server.
    """

    def __init__(self, operation: Operation) -> None:
        disable_created_metrics()  # of each series when it began, which nobody asks for
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        own: dict[str, Any] = {"registry": self.registry, "namespace": "layerwise"}
        self.requests = Counter("requests", "Requests that were answered.", ("route", "method", "status"), **own)
        self.request_seconds = Histogram(
            "request_seconds", "From the request to the end of its answer.", ("route",), buckets=SECONDS, **own
        )
        self.in_progress = Gauge("requests_in_progress", "Requests that are being answered.", **own)
        self.answers = Counter(
            "answers", "Answers of models, from pages too; outcome is ok or the kind of the error.",
            ("model", "variant", "outcome"), **own,
        )  # fmt: skip
        self.answer_seconds = Histogram(
            "answer_seconds", "How long a model took, with waiting for it and loading it.", ("model", "variant"),
            buckets=SECONDS, **own,
        )  # fmt: skip
        self.registry.register(_States(operation))
        operation.workspace.predictor.listeners.append(self.answered)

    def answered(self, reference: Reference, seconds: float, error: BaseException | None) -> None:
        """Count a request to a model."""
        outcome = "ok" if error is None else type(error).__name__
        self.answers.labels(reference.name, reference.variant, outcome).inc()
        self.answer_seconds.labels(reference.name, reference.variant).observe(seconds)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self.registry)


class _States:
    """What is looked at only when somebody asks."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._looked = float("-inf")
        self._jobs: dict[str, Tally[str]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        operation, workspace = self.operation, self.operation.workspace
        ready = operation.readiness().is_ready
        yield GaugeMetricFamily("layerwise_ready", "Whether requests can be answered.", value=float(ready))
        try:
            free = float(disk_free(workspace.home))
        except OSError:
            free = float("nan")
        yield GaugeMetricFamily("layerwise_disk_free_bytes", "Of the disk of the runs.", value=free)
        states = Tally(workspace.predictor.states().values())
        yield _gauge("layerwise_models", "Networks by whether they are in memory.", "state", states)
        loads = workspace.predictor.loads()
        inside, waiting = ({name: load[place] for name, load in loads.items()} for place in (0, 1))
        yield _gauge("layerwise_answering_requests", "Requests that a model is answering.", "model", inside)
        yield _gauge("layerwise_waiting_requests", "Requests that wait for a model.", "model", waiting)
        for kind, tally in self._states_of_jobs().items():
            counts = {state: tally[state] for state in JOB_STATES}
            yield _gauge(f"layerwise_{kind}", f"All {kind} by their state.", "state", counts)

    def _states_of_jobs(self) -> dict[str, Tally[str]]:
        if time.monotonic() - self._looked >= JOBS_SECONDS:
            workspace = self.operation.workspace
            self._jobs = {
                "runs": Tally(run.state for run in workspace.runs.list()),
                "studies": Tally(study.state for study in workspace.studies.list()),
            }
            self._looked = time.monotonic()
        return self._jobs


def _gauge(name: str, meaning: str, label: str, values: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family
