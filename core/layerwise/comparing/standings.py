"""The runs of a model in the order of what they have reached: what a class looks at while everybody trains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from layerwise.hyperparameters.studies import direction_of
from layerwise.job_folders.events import main_metric, metrics_of
from layerwise.runs import Run


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A run among others.

    Args:
        run: It.
        place: From 1 on, of those that have reached the same the older one first. None without a finished epoch.
        epochs: How many are finished.
        metric: The name of what was measured, of the data that were held out where there are any: "val_accuracy".
        best: The best of all its epochs, None without a finished one.
        epoch: In which it was reached, 0 without a finished one.
    """

    run: Run
    place: int | None
    epochs: int
    metric: str
    best: float | None
    epoch: int


def standings(histories: Sequence[tuple[Run, Sequence[Mapping[str, Any]]]]) -> list[Standing]:
    """Runs of one model, the best first; those without a finished epoch come last, as they were given.

    Args:
        histories: Runs with their histories (`Run.history`). They are compared by the metric that the first of them
            with a finished epoch reports; those that do not report it count as without one.
    """
    metric = next((main_metric(metrics_of(history[-1])) for _, history in histories if history), None) or ""
    is_less_better = direction_of(metric) == "min"
    ranked, others = [], []
    for run, history in histories:
        best, epoch = _best(history, metric, is_less_better)
        found = Standing(run=run, place=None, epochs=len(history), metric=metric, best=best, epoch=epoch)
        (others if best is None else ranked).append(found)

    def order(item: Standing) -> tuple[float, str]:
        assert item.best is not None
        return (item.best if is_less_better else -item.best), item.run.created

    return [replace(item, place=place) for place, item in enumerate(sorted(ranked, key=order), 1)] + others


def _best(history: Iterable[Mapping[str, Any]], metric: str, is_less_better: bool) -> tuple[float | None, int]:
    """The best of a run, and its epoch. What is no number any more, since a training diverged, is left out."""
    values = [(event[metric], event["epoch"]) for event in history if math.isfinite(event.get(metric, math.nan))]
    if not values:
        return None, 0
    return (min if is_less_better else max)(values, key=lambda item: item[0])
