"""A run's events as curves and words."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.runs import Run

MAX_POINTS = 400
"""More points than a curve has pixels only make the page slow."""
_NOT_METRICS = frozenset(
    ("time", "event", "epoch", "step", "steps", "samples_per_second", "learning_rate", "seconds", "loss", "val_loss")
)


def metric_of(events: list[dict[str, Any]]) -> str | None:
    """The first metric besides the loss that the events hold, without "val_"."""
    for event in reversed(events):
        if event["event"] in ("epoch", "progress"):
            return next((name.removeprefix("val_") for name in event if name not in _NOT_METRICS), None)
    return None


def curve(events: list[dict[str, Any]], metric: str) -> pd.DataFrame:
    """The course of a metric: columns epoch (a fraction within an epoch), value, and data ("training", the mean
    since the epoch began, or "validation")."""
    import pandas as pd

    rows: list[tuple[float, float, str]] = []
    for event in events:
        if event["event"] == "progress" and metric in event:
            epoch = event["epoch"] - 1 + event["step"] / max(event["steps"], 1)
            rows.append((epoch, event[metric], "training"))
        elif event["event"] == "epoch":
            names = (("training", metric), ("validation", f"val_{metric}"))
            rows += [(float(event["epoch"]), event[name], data) for data, name in names if name in event]
    return pd.DataFrame(_thinned(rows), columns=["epoch", "value", "data"])


def _thinned(rows: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    stride = -(-len(rows) // MAX_POINTS) or 1
    # All of validation, which has one point an epoch; and the last point, which is where the eye is.
    return [row for index, row in enumerate(rows) if index % stride == 0 or row[2] == "validation" or row is rows[-1]]


def progress_html(run: Run, state: str, events: list[dict[str, Any]]) -> str:
    """What a run is doing, in words and as a bar."""
    started = next((event for event in events if event["event"] == "started"), None)
    last = next((event for event in reversed(events) if event["event"] in ("progress", "epoch")), None)
    total = started["num_epochs"] if started else run.config.get("num_epochs", 1)
    done = _epochs_done(last)
    bar = f'<progress max="{total}" value="{done:.3f}" aria-label="Progress of the training"></progress>'
    facts = [f'<span class="lw-state lw-{html.escape(state)}">{html.escape(state)}</span>', _where(state, last, total)]
    if last:
        facts += [f"{html.escape(name.replace('_', ' '))} {value:.4g}" for name, value in _figures(last)]
    if started and state == "running":
        facts.append(f"on {html.escape(str(started['device']))}")
    return f'<div class="lw-progress">{bar}<p>{" &middot; ".join(fact for fact in facts if fact)}</p></div>'


def _epochs_done(last: dict[str, Any] | None) -> float:
    if last is None:
        return 0.0
    return (
        float(last["epoch"]) if last["event"] == "epoch" else last["epoch"] - 1 + last["step"] / max(last["steps"], 1)
    )


def _where(state: str, last: dict[str, Any] | None, total: int) -> str:
    if state == "queued":
        return "its process is starting"
    if last is None:
        return "the data are read and the network is compiled" if state == "running" else ""
    return f"epoch {last['epoch']} of {total}"


def _figures(last: dict[str, Any]) -> list[tuple[str, float]]:
    skipped = ("time", "epoch", "step", "steps", "learning_rate", "seconds", "samples_per_second")
    figures = [(name, value) for name, value in last.items() if name not in skipped and isinstance(value, int | float)]
    if "samples_per_second" in last:
        figures.append(("examples per second", round(last["samples_per_second"])))
    return figures
