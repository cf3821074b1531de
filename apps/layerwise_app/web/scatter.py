"""What the trials of a study reached, over each field that was searched, drawn as the curves are."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise_app.web.curves import chart_html, score_axis
from layerwise_app.web.plots.axes import frame_html

if TYPE_CHECKING:
    from layerwise.hyperparameters.search_space import Range
    from layerwise.hyperparameters.studies import Trial


def scatter_html(item: Range, objective: str, ranked: Sequence[Trial]) -> str:
    """A chart of one field: a dot for each trial with a score, the best one marked.

    Args:
        item: The field and its range, which is the horizontal axis.
        objective: What the vertical axis is.
        ranked: The trials with a score, the best first, at least one.
    """
    scores = [trial.score for trial in ranked if trial.score is not None]
    y = score_axis(scores)
    tops = 100 - y.place(np.minimum(scores, y.high))
    dots = ""
    # The best is drawn last, above the others.
    for rank in reversed(range(len(scores))):
        value = ranked[rank].values[item.name]
        kind = "lw-dot" if rank else "lw-dot lw-best-dot"
        text = html.escape(f"{item.name} {value_text(value)}: {objective} {scores[rank]:.4g}")
        dots += f'<i class="{kind}" style="left: {place(item, value):.2f}%; top: {tops[rank]:.2f}%" title="{text}"></i>'
    words = f"best {scores[0]:.4g} at {value_text(ranked[0].values[item.name])}"
    body = frame_html(axis_of(item), y.numbers, dots)
    return chart_html(item.name, f"{objective} over {item.name}: {words}", body, count=len(scores))


def place(item: Range, value: Any) -> float:
    """Where a value stands on the axis of its field, in percent."""
    if item.low is None or item.high is None:
        position = item.choices.index(value_text(value)) if value_text(value) in item.choices else 0
        return 100 * (position + 0.5) / len(item.choices)
    if item.log:
        return 100 * math.log(value / item.low) / math.log(item.high / item.low)
    return 100 * (value - item.low) / (item.high - item.low)


def axis_of(item: Range) -> list[tuple[float, str]]:
    """The places on the axis of a field, in percent, and what is written there."""
    if item.low is None or item.high is None:
        return [(place(item, choice), choice) for choice in item.choices]
    middle = math.sqrt(item.low * item.high) if item.log else (item.low + item.high) / 2
    return [(place(item, value), f"{value:.3g}") for value in (item.low, middle, item.high)]


def value_text(value: Any) -> str:
    """A value of a field as its range writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
