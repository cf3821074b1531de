"""The events of runs as curves: points, and the HTML that draws them.

The lines are an SVG that is stretched to whatever width there is; everything with a shape or letters lies above it as
HTML, so that neither is distorted. A chart library would be a megabyte and would draw anew at each look.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerwise.events import BEFORE_START, course, metrics_of

MAX_POINTS = 300
"""More points than a curve has pixels only make the page slow."""
NUM_TICKS = 4
LARGEST = 1e300
"""Beyond this, and closer together than its inverse, numbers cannot be told apart or subtracted."""
MARK_WIDTH, MARK_HEIGHT = 4.0, 11.0
"""What a number at the end of a line takes, in percent of the plot."""
_UNITS = (("hours", 3600.0, 7200.0), ("minutes", 60.0, 120.0), ("seconds", 1.0, 0.0))
"""Units of time, their seconds, and from how many seconds on they are used."""
Points = list[tuple[float, float]]
"""Epoch (a fraction within an epoch) or seconds, and value."""


def metric_of(events: Sequence[Mapping[str, Any]]) -> str | None:
    """The first metric besides the loss that the events hold, without "val_"."""
    for event in reversed(events):
        if event["event"] in ("epoch", "progress"):
            return next((name for name in map(bare, metrics_of(event)) if name != "loss"), None)
    return None


def bare(name: str) -> str:
    """The name of a metric, whether it was measured in training or in validation."""
    return name.removeprefix("val_")


def curve(events: Sequence[dict[str, Any]], metric: str, *, axis: str = "epoch") -> dict[str, Points]:
    """The course of a metric: "training", the mean since the epoch began, and "validation". What is no number any
    more, since a training diverged, is left out.

    Args:
        axis: "epoch", or "time": seconds of training.
    """
    place = _epoch if axis == "epoch" else _elapsed
    found: dict[str, Points] = {"training": [], "validation": []}
    for event in course(_timed(events) if axis == "time" else events):
        if event["event"] == "progress" and metric in event:
            found["training"].append((place(event), event[metric]))
        elif event["event"] == "epoch":
            for data, name in (("training", metric), ("validation", f"val_{metric}")):
                if name in event:
                    found[data].append((place(event), event[name]))
    return {data: _thinned([point for point in points if math.isfinite(point[1])]) for data, points in found.items()}


def _epoch(event: Mapping[str, Any]) -> float:
    if event["event"] == "epoch":
        return float(event["epoch"])
    return event["epoch"] - 1 + event["step"] / max(event["steps"], 1)


def _elapsed(event: Mapping[str, Any]) -> float:
    return event["elapsed"]


def _timed(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The events with the seconds that were spent on training before each: waiting, and the time between a stop and
    a resume, do not count."""
    elapsed, former = 0.0, 0.0
    for event in events:
        if event["event"] != "started" and event["event"] not in BEFORE_START:
            elapsed += event["time"] - former
        former = event["time"]
        yield {**event, "elapsed": elapsed}


def _thinned(points: Points) -> Points:
    stride = -(-len(points) // MAX_POINTS) or 1
    # The last point always: it is where the eye is.
    return [point for index, point in enumerate(points) if index % stride == 0 or index == len(points) - 1]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart.

    Args:
        label: What it is, in a few words.
        points: From left to right, at least one.
        style: The class that gives its colour.
        mark: What stands at its end, "" for a dot.
        is_minor: Whether it is drawn dashed and pale, without an end: what explains another line.
    """

    label: str
    points: Points
    style: str
    mark: str = ""
    is_minor: bool = False


def curve_html(title: str, curves: Mapping[str, Points], num_epochs: float, resumes: Sequence[float] = ()) -> str:
    """A chart of the curves of one run, its width that of the longest so far.

    Args:
        title: What is drawn.
        curves: The points of each, in the order of the legend.
        num_epochs: Where the axis ends, at least.
        resumes: After how many epochs it went on after an interruption.
    """
    lines = [Line(label=data, points=points, style=f"lw-{data}") for data, points in curves.items() if points]
    return chart_html(title, lines, right=num_epochs, marks=[(place, "resumed here") for place in resumes])


def overlay_html(title: str, runs: Sequence[Mapping[str, Points]], *, axis: str = "epoch") -> str:
    """A chart of one metric of several runs: validation as a line with the number of the run at its end, training
    dashed; or training alone where there is no validation.

    Args:
        title: What is drawn.
        runs: The curves of each run, numbered and coloured in this order.
        axis: As for `curve`.
    """
    lines = []
    for number, curves in enumerate(runs, 1):
        drawn = {data: points for data, points in curves.items() if points}
        main = "validation" if "validation" in drawn else "training"
        for data, points in drawn.items():
            label = f"run {number}, {data}"
            style = f"lw-run-{number}"
            lines.append(Line(label=label, points=points, style=style, mark=str(number), is_minor=data != main))
    # Drawn last, the lines that count are above the others.
    return chart_html(title, sorted(lines, key=lambda line: not line.is_minor), axis=axis)


def chart_html(
    title: str,
    lines: Sequence[Line],
    *,
    right: float = 0.0,
    axis: str = "epoch",
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """A chart.

    Args:
        title: What is drawn.
        lines: What is drawn, in the order of the legend. Minor ones are not in the legend.
        right: Where the horizontal axis ends, at least.
        axis: As for `curve`.
        marks: Places on the horizontal axis where something happened, and what.
    """
    caption = f"<strong>{html.escape(title)}</strong>"
    if not lines:
        return (
            f'<figure class="lw-curve" data-points="0"><figcaption>{caption}</figcaption>'
            '<div class="lw-plot"><p class="lw-waiting">The curve begins with the first steps.</p></div></figure>'
        )
    ticks = nice_ticks(*shown_range([value for line in lines for _, value in line.points]))
    scale = _Scale(max(right, *(line.points[-1][0] for line in lines)), ticks[0], ticks[-1])
    main = [line for line in lines if not line.is_minor]
    legend = "".join(
        f'<span class="{line.style}">{html.escape(line.mark or line.label)} <b>{line.points[-1][1]:.4g}</b></span>'
        for line in main
    )
    legend += "".join(
        f'<span class="lw-happened">{html.escape(text)}</span>' for text in dict.fromkeys(text for _, text in marks)
    )
    rules = "".join(f'<i class="lw-rule" style="top: {scale.top(tick):.2f}%"></i>' for tick in ticks)
    labels = "".join(f'<span class="lw-y" style="top: {scale.top(tick):.2f}%">{tick:g}</span>' for tick in ticks)
    unit, numbers = ("epoch", [(tick, tick) for tick in epoch_ticks(scale.right)])
    if axis == "time":
        unit, numbers = time_ticks(scale.right)
    places = "".join(
        f'<span class="lw-x" style="left: {scale.left(place):.2f}%">{text:g}</span>' for place, text in numbers
    )
    happened = "".join(
        f'<i class="lw-mark-line" style="left: {scale.left(place):.2f}%" title="{html.escape(text)}"></i>'
        for place, text in marks
    )
    count = sum(len(line.points) for line in lines)
    words = ", ".join(f"{line.label} {line.points[-1][1]:.4g}{_after(line, axis)}" for line in main)
    return (
        f'<figure class="lw-curve" data-points="{count}" role="img" aria-label="{html.escape(f"{title}: {words}")}">'
        f"<figcaption>{caption}{legend}</figcaption>"
        f'<div class="lw-plot">{rules}{happened}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(_line(line, scale) for line in lines)}</svg>{_ends(main, scale)}{labels}{places}</div>"
        f'<p class="lw-axis">{unit}</p></figure>'
    )


def _after(line: Line, axis: str) -> str:
    place = line.points[-1][0]
    return f" after {place:.3g} epochs" if axis == "epoch" else f" after {place:.3g} seconds"


def shown_range(values: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest value that a chart shows. One run that diverges must not press all others flat:
    what is twenty times as large as nine tenths of the values leaves the chart at its top."""
    ordered = sorted(values)
    most = ordered[int(0.9 * (len(ordered) - 1))]
    return ordered[0], ordered[-1] if ordered[-1] <= 20 * most or most <= 0 else most


class _Scale:
    """Values to percent of the plot's width and height."""

    def __init__(self, right: float, low: float, high: float) -> None:
        self.right, self.low, self.high = right or 1.0, low, high

    def left(self, epoch: float) -> float:
        return 100 * epoch / self.right

    def top(self, value: float) -> float:
        return 100 * (self.high - min(value, self.high)) / (self.high - self.low)


def _line(line: Line, scale: _Scale) -> str:
    path = " ".join(f"{scale.left(place):.2f},{scale.top(value):.2f}" for place, value in line.points)
    style = f"{line.style} lw-minor" if line.is_minor else line.style
    return f'<polyline class="{style}" points="{path}" vector-effect="non-scaling-stroke" fill="none"/>'


def _ends(lines: Sequence[Line], scale: _Scale) -> str:
    """The marks at the ends of the lines, one below the other where they would cover each other."""
    found, taken = [], []
    for line in sorted(lines, key=lambda line: scale.top(line.points[-1][1])):
        left, top = scale.left(line.points[-1][0]), scale.top(line.points[-1][1])
        if line.mark:
            above = [place for side, place in taken if abs(side - left) < MARK_WIDTH]
            top = max([top, *(place + MARK_HEIGHT for place in above)])
            taken.append((left, top))
        kind = f"lw-end lw-numbered {line.style}" if line.mark else f"lw-end {line.style}"
        found.append(f'<i class="{kind}" style="left: {left:.2f}%; top: {top:.2f}%">{html.escape(line.mark)}</i>')
    return "".join(found)


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose a range, about NUM_TICKS of them.

    Example:
        >>> nice_ticks(0.13, 0.92)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    low, high = max(low, -LARGEST), min(high, LARGEST)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1 / LARGEST):
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


def time_ticks(right: float) -> tuple[str, list[tuple[float, float]]]:
    """The unit of an axis of time, and where (in seconds) which number stands, from 0 to at most `right` seconds.

    Example:
        >>> time_ticks(150)
        ('minutes', [(0.0, 0.0), (30.0, 0.5), (60.0, 1.0), (90.0, 1.5), (120.0, 2.0), (150.0, 2.5)])
    """
    unit, seconds = next((unit, size) for unit, size, least in _UNITS if right >= least)
    step = _nice_step(max(right, 1e-3) / seconds / 6)
    numbers = [float(f"{index * step:.10g}") for index in range(int(right / seconds / step + 1e-9) + 1)]
    return unit, [(number * seconds, number) for number in numbers]
