"""What a run is doing, in words and as a bar."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layerwise.job_folders.events import BEFORE_START, metrics_of
from layerwise.tasks.metric_names import words
from layerwise_app.web.figures import format_metric
from layerwise_app.web.markup import badge, link
from layerwise_app.words import ago, went_on

if TYPE_CHECKING:
    from layerwise.runs import Run


def progress_html(run: Run, state: str, events: Sequence[dict[str, Any]]) -> str:
    """A bar, the state, and the last figures.

    Args:
        state: The state of the run when `events` were read.
        events: Those that count.
    """
    last = newest(events, "progress", "epoch")
    total = num_epochs_of(run, events)
    done = _epochs_done(last)
    bar = f'<progress max="{total}" value="{done:.3f}" aria-label="Progress of the training"></progress>'
    is_ready = state not in ("queued", "running") or (bool(events) and events[-1]["event"] not in BEFORE_START)
    waits = "" if is_ready else f"<p>{_before(run, events)}</p>"
    facts = [_where(state, last, total)] if is_ready or last else []
    if last:
        facts += [f"{html.escape(words(name))} <b>{format_metric(name, value)}</b>" for name, value in _figures(last)]
        if state != "queued" and "samples_per_second" in last:
            facts.append(f"<b>{last['samples_per_second']:,.0f}</b> examples per second")
    if state == "running":
        facts += _of_its_process(events)
    said = " &middot; ".join(fact for fact in facts if fact)
    name = html.escape(f"{run.name}:{run.variant}")
    return (
        f'<div class="lw-progress" data-run="{run.id}"><p class="lw-run"><strong>{name}</strong> {badge(state)}</p>'
        f"{bar}{waits}<p>{said}</p></div>"
    )


def newest(events: Sequence[dict[str, Any]], *kinds: str) -> dict[str, Any] | None:
    """The newest event of one of these kinds."""
    return next((event for event in reversed(events) if event["event"] in kinds), None)


def resumes_of(events: Sequence[dict[str, Any]]) -> list[float]:
    """After how many epochs a run went on after an interruption, a fraction within an epoch."""
    return [
        event["epoch"] - 1 + event["step"] / max(event.get("steps_per_epoch", 1), 1)
        for event in events
        if went_on(event)
    ]


def _before(run: Run, events: Sequence[dict[str, Any]]) -> str:
    """What a run does that does not train yet."""
    last: dict[str, Any] = events[-1] if events else {"event": "queued"}
    if last["event"] == "waiting":
        reason, other = html.escape(last["reason"]), str(last["run"])
        is_known = run.folder.with_name(other).is_dir()
        return reason.replace(other, link(f"./train?run={other}", other)) if is_known else reason
    if last["event"] == "download":
        share = f", {last['bytes'] / last['total_bytes']:.0%}" if last["total_bytes"] else ""
        return f"Downloading {html.escape(last['file'])}{share}."
    if last["event"] == "preparing" and "total" in last:
        return f"Preparing: {last['done']:,} of {last['total']:,} {html.escape(last['what'])}."
    if last["event"] == "preparing":
        return "The data are read and the network is built."
    return "It leaves the queue." if run.stop_requested else "Its process is starting."


def _of_its_process(events: Sequence[dict[str, Any]]) -> list[str]:
    """Where it trains, where it went on, and how old its checkpoint is."""
    started, kept = newest(events, "started"), newest(events, "checkpoint")
    facts = [f"on {html.escape(str(started['device']))}", html.escape(went_on(started))] if started else []
    return facts + ([f"checkpoint {ago(time.time() - kept['time'])}"] if kept else [])


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
    if last is None:
        return "the network is compiled" if state == "running" else ""
    return f"epoch <b>{last['epoch']}</b> of {total}"


def _figures(last: dict[str, Any]) -> list[tuple[str, int | float]]:
    return [(name, value) for name, value in metrics_of(last).items() if isinstance(value, int | float)]
