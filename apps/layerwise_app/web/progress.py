"""What a run is doing, in words and as a bar."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layerwise.events import metrics_of
from layerwise_app.web.figures import format_metric, words
from layerwise_app.web.markup import badge

if TYPE_CHECKING:
    from layerwise.runs import Run


def progress_html(run: Run, state: str, events: Sequence[dict[str, Any]]) -> str:
    """A bar, the state, and the last figures.

    Args:
        state: The state of the run when `events` were read.
    """
    last = next((event for event in reversed(events) if event["event"] in ("progress", "epoch")), None)
    total = num_epochs_of(run, events)
    done = _epochs_done(last)
    bar = f'<progress max="{total}" value="{done:.3f}" aria-label="Progress of the training"></progress>'
    facts = [_where(state, last, total)]
    if last:
        facts += [f"{html.escape(words(name))} <b>{format_metric(name, value)}</b>" for name, value in _figures(last)]
        if "samples_per_second" in last:
            facts.append(f"<b>{last['samples_per_second']:,.0f}</b> examples per second")
    started = next((event for event in events if event["event"] == "started"), None)
    if started and state == "running":
        facts.append(f"on {html.escape(str(started['device']))}")
    said = " &middot; ".join(fact for fact in facts if fact)
    name = html.escape(f"{run.name}:{run.variant}")
    return (
        f'<div class="lw-progress"><p class="lw-run"><strong>{name}</strong> {badge(state)}</p>{bar}<p>{said}</p></div>'
    )


def num_epochs_of(run: Run, events: Sequence[dict[str, Any]]) -> int:
    """How many epochs a run was asked for."""
    started = next((event for event in events if event["event"] == "started"), None)
    return started["num_epochs"] if started else run.config.get("num_epochs", 1)


def _epochs_done(last: dict[str, Any] | None) -> float:
    if last is None:
        return 0.0
    if last["event"] == "epoch":
        return float(last["epoch"])
    return last["epoch"] - 1 + last["step"] / max(last["steps"], 1)


def _where(state: str, last: dict[str, Any] | None, total: int) -> str:
    if state == "queued":
        return "its process is starting"
    if last is None:
        return "the data are read and the network is compiled" if state == "running" else ""
    return f"epoch <b>{last['epoch']}</b> of {total}"


def _figures(last: dict[str, Any]) -> list[tuple[str, int | float]]:
    return [(name, value) for name, value in metrics_of(last).items() if isinstance(value, int | float)]
