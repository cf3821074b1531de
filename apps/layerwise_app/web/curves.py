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

import numpy as np

from layerwise.job_folders.events import BEFORE_START, course, metrics_of
from layerwise_app.web.plots.axes import Axis, frame_html
from layerwise_app.web.plots.lines import Marks, marks_html, marks_legend_html, path_of
from layerwise_app.web.plots.texts import caption_html, number_text
from layerwise_app.web.plots.ticks import epoch_ticks, nice_ticks, time_ticks

MAX_POINTS = 300
"""More points than a curve has pixels only make the page slow."""
MARK_WIDTH, MARK_HEIGHT = 4.0, 11.0
"""What a number at the end of a line takes, in percent of the plot."""
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
    return lines_chart_html(title, lines, right=num_epochs, marks=[(place, "resumed here") for place in resumes])


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
    return lines_chart_html(title, sorted(lines, key=lambda line: not line.is_minor), axis=axis)


def lines_chart_html(
    title: str, lines: Sequence[Line], *, right: float = 0.0, axis: str = "epoch", marks: Marks = ()
) -> str:
    """A chart of lines.

    Args:
        title: What is drawn.
        lines: What is drawn, in the order of the legend. Minor ones are not in the legend.
        right: Where the horizontal axis ends, at least.
        axis: As for `curve`.
        marks: Places on the horizontal axis where something happened, and what.
    """
    if not lines:
        waiting = '<div class="lw-plot"><p class="lw-waiting">The curve begins with the first steps.</p></div>'
        return chart_html(title, "", waiting)
    y = score_axis([value for line in lines for _, value in line.points])
    right = max(right, *(line.points[-1][0] for line in lines)) or 1.0
    unit, ticks = ("epoch", [(tick, tick) for tick in epoch_ticks(right)]) if axis == "epoch" else time_ticks(right)
    x = Axis(0.0, right, tuple(place for place, _ in ticks))
    main = [line for line in lines if not line.is_minor]
    inside = (
        f'{marks_html(marks, x)}<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(_line(line, x, y) for line in lines)}</svg>{_ends(main, x, y)}"
    )
    numbers = [(place, number_text(number)) for (place, _), (_, number) in zip(x.numbers, ticks, strict=True)]
    legend = "".join(
        f'<span class="{line.style}">{html.escape(line.mark or line.label)} <b>{line.points[-1][1]:.4g}</b></span>'
        for line in main
    )
    words = ", ".join(f"{line.label} {line.points[-1][1]:.4g}{_after(line, axis)}" for line in main)
    return chart_html(
        title,
        f"{title}: {words}",
        frame_html(numbers, y.numbers, inside, x_label=unit),
        legend=legend + marks_legend_html(marks),
        count=sum(len(line.points) for line in lines),
    )


def chart_html(title: str, words: str, body: str, *, legend: str = "", count: int = 0) -> str:
    """The figure around a chart.

    Args:
        words: What it shows, for those who do not see it; empty when there is nothing yet.
        count: How many points it shows.
    """
    said = f' role="img" aria-label="{html.escape(words)}"' if words else ""
    return f'<figure class="lw-curve" data-points="{count}"{said}>{caption_html(title, legend)}{body}</figure>'


def _after(line: Line, axis: str) -> str:
    place = line.points[-1][0]
    return f" after {place:.3g} epochs" if axis == "epoch" else f" after {place:.3g} seconds"


def score_axis(values: Sequence[float]) -> Axis:
    """The vertical axis of a chart. One run that diverges must not press all others flat: what is twenty times as
    large as nine tenths of the values leaves the chart at its top."""
    ordered = sorted(values)
    most = ordered[int(0.9 * (len(ordered) - 1))]
    ticks = nice_ticks(ordered[0], ordered[-1] if ordered[-1] <= 20 * most or most <= 0 else most)
    return Axis(ticks[0], ticks[-1], tuple(ticks))


def _places(points: Points, x: Axis, y: Axis) -> np.ndarray:
    """Where points [points, 2] stand, in percent from the left and from the top."""
    found = np.array(points)
    return np.stack([x.place(found[:, 0]), 100 - y.place(np.minimum(found[:, 1], y.high))], axis=1)


def _line(line: Line, x: Axis, y: Axis) -> str:
    style = f"{line.style} lw-minor" if line.is_minor else line.style
    path = path_of(_places(line.points, x, y))
    return f'<polyline class="{style}" points="{path}" vector-effect="non-scaling-stroke" fill="none"/>'


def _ends(lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """The marks at the ends of the lines, one below the other where they would cover each other."""
    found, taken = "", []
    ends = [_places(line.points[-1:], x, y)[0].tolist() for line in lines]
    for (left, top), line in sorted(zip(ends, lines, strict=True), key=lambda item: item[0][1]):
        if line.mark:
            above = [place for side, place in taken if abs(side - left) < MARK_WIDTH]
            top = max([top, *(place + MARK_HEIGHT for place in above)])
            taken.append((left, top))
        kind = f"lw-end lw-numbered {line.style}" if line.mark else f"lw-end {line.style}"
        found += f'<i class="{kind}" style="left: {left:.2f}%; top: {top:.2f}%">{html.escape(line.mark)}</i>'
    return found
