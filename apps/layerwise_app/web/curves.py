"""A run's events as curves: points, and the HTML that draws them.

The lines are an SVG that is stretched to whatever width there is; everything with a shape or letters lies above it as
HTML, so that neither is distorted. A chart library would be a megabyte and would draw anew at each look.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.events import metrics_of

MAX_POINTS = 300
"""More points than a curve has pixels only make the page slow."""
NUM_TICKS = 4
Points = list[tuple[float, float]]
"""Epoch, a fraction within an epoch, and value."""


def metric_of(events: Sequence[Mapping[str, Any]]) -> str | None:
    """The first metric besides the loss that the events hold, without "val_"."""
    for event in reversed(events):
        if event["event"] in ("epoch", "progress"):
            return next((name for name in map(_bare, metrics_of(event)) if name != "loss"), None)
    return None


def _bare(name: str) -> str:
    return name.removeprefix("val_")


def curve(events: Sequence[Mapping[str, Any]], metric: str) -> dict[str, Points]:
    """The course of a metric: "training", the mean since the epoch began, and "validation". What is no number any
    more, since a training diverged, is left out."""
    found: dict[str, Points] = {"training": [], "validation": []}
    for event in events:
        if event["event"] == "progress" and metric in event:
            found["training"].append((event["epoch"] - 1 + event["step"] / max(event["steps"], 1), event[metric]))
        elif event["event"] == "epoch":
            for data, name in (("training", metric), ("validation", f"val_{metric}")):
                if name in event:
                    found[data].append((float(event["epoch"]), event[name]))
    return {data: _thinned([point for point in points if math.isfinite(point[1])]) for data, points in found.items()}


def _thinned(points: Points) -> Points:
    stride = -(-len(points) // MAX_POINTS) or 1
    # The last point always: it is where the eye is.
    return [point for index, point in enumerate(points) if index % stride == 0 or index == len(points) - 1]


def curve_html(title: str, curves: Mapping[str, Points], num_epochs: float) -> str:
    """A chart of curves, its width that of the longest run so far.

    Args:
        title: What is drawn.
        curves: The points of each, in the order of the legend.
        num_epochs: Where the axis ends, at least.
    """
    drawn = {data: points for data, points in curves.items() if points}
    values = [value for points in drawn.values() for _, value in points]
    if not values:
        return (
            '<figure class="lw-curve" data-points="0">'
            f"<figcaption><strong>{html.escape(title)}</strong></figcaption>"
            '<div class="lw-plot"><p class="lw-waiting">The curve begins with the first steps.</p></div></figure>'
        )
    ticks = nice_ticks(min(values), max(values))
    right = max(num_epochs, *(points[-1][0] for points in drawn.values()))
    scale = _Scale(right, ticks[0], ticks[-1])
    legend = "".join(
        f'<span class="lw-{data}">{data} <b>{points[-1][1]:.4g}</b></span>' for data, points in drawn.items()
    )
    rules = "".join(f'<i class="lw-rule" style="top: {scale.top(tick):.2f}%"></i>' for tick in ticks)
    labels = "".join(f'<span class="lw-y" style="top: {scale.top(tick):.2f}%">{tick:g}</span>' for tick in ticks)
    lines = "".join(_line(data, points, scale) for data, points in drawn.items())
    ends = "".join(_end(data, points[-1], scale) for data, points in drawn.items())
    epochs = "".join(
        f'<span class="lw-x" style="left: {scale.left(tick):.2f}%">{tick:g}</span>' for tick in epoch_ticks(right)
    )
    count = sum(map(len, drawn.values()))
    return (
        f'<figure class="lw-curve" data-points="{count}" role="img" '
        f'aria-label="{html.escape(_in_words(title, drawn))}">'
        f"<figcaption><strong>{html.escape(title)}</strong>{legend}</figcaption>"
        f'<div class="lw-plot">{rules}<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'{lines}</svg>{ends}{labels}{epochs}</div><p class="lw-axis">epoch</p></figure>'
    )


class _Scale:
    """Values to percent of the plot's width and height."""

    def __init__(self, right: float, low: float, high: float) -> None:
        self.right, self.low, self.high = right or 1.0, low, high

    def left(self, epoch: float) -> float:
        return 100 * epoch / self.right

    def top(self, value: float) -> float:
        return 100 * (self.high - value) / (self.high - self.low)


def _line(data: str, points: Points, scale: _Scale) -> str:
    path = " ".join(f"{scale.left(epoch):.2f},{scale.top(value):.2f}" for epoch, value in points)
    return f'<polyline class="lw-{data}" points="{path}" vector-effect="non-scaling-stroke" fill="none"/>'


def _end(data: str, point: tuple[float, float], scale: _Scale) -> str:
    place = f"left: {scale.left(point[0]):.2f}%; top: {scale.top(point[1]):.2f}%"
    return f'<i class="lw-end lw-{data}" style="{place}"></i>'


def _in_words(title: str, drawn: Mapping[str, Points]) -> str:
    parts = [f"{data} {points[-1][1]:.4g} after {points[-1][0]:.3g} epochs" for data, points in drawn.items()]
    return f"{title}: {', '.join(parts)}"


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose a range, about NUM_TICKS of them.

    Example:
        >>> nice_ticks(0.13, 0.92)
        [0.0, 0.5, 1.0]
    """
    if high <= low:
        margin = abs(low) / 10 or 0.5
        low, high = low - margin, high + margin
    step = _nice_step((high - low) / NUM_TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Rounded, since 3 * 0.1 is not 0.3.
    return [float(f"{index * step:.10g}") for index in range(first, last + 1)]


def _nice_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 ... and their fractions that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def epoch_ticks(right: float) -> list[float]:
    """Whole epochs for the axis, from 0 to at most `right`."""
    step = max(1.0, _nice_step(right / 6))
    return [index * step for index in range(int(right / step + 1e-9) + 1)]
