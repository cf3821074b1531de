"""Lines, bands and dots over common axes."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from layerwise.plots import Line, LinePlot
from layerwise_app.web.plots.axes import Axis, figure_html, frame_html
from layerwise_app.web.plots.texts import inline_html, number_text

NUM_COLORS = 8
"""Colours of the palette, `lw-run-1` to `lw-run-8` of the style sheet."""
MAX_LINE_POINTS, MAX_DOTS = 600, 1500
"""More than can be told apart; the page would only become slow."""
Marks = Sequence[tuple[float, str]]
"""Where on the horizontal axis something is, and what, in a few words."""


def line_plot_html(plot: LinePlot) -> str:
    """A LinePlot."""
    x = Axis.of([line.x for line in plot.lines], plot.x_range, log=plot.x_log)
    parts = [part for line in plot.lines for part in (line.y, line.low, line.high) if part is not None]
    y = Axis.of(parts, plot.y_range, log=plot.y_log)
    inside = marks_html(plot.marks, x) + lines_html(plot.lines, x, y)
    body = frame_html(x.numbers, y.numbers, inside, x_label=plot.x_label, y_label=plot.y_label)
    legend = legend_html(plot.lines) + marks_legend_html(plot.marks)
    return figure_html(plot.title, words_of(plot.lines), body, legend=legend)


def marks_html(marks: Marks, x: Axis) -> str:
    """Vertical rules."""
    return "".join(
        f'<i class="lw-mark-line" style="left: {float(x.place(np.array(place))):.2f}%" title="{html.escape(text)}"></i>'
        for place, text in marks
    )


def marks_legend_html(marks: Marks) -> str:
    """What vertical rules mean, each meaning once."""
    texts = dict.fromkeys(text for _, text in marks)
    return "".join(f'<span class="lw-happened">{inline_html(text)}</span>' for text in texts)


def lines_html(lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """What is drawn inside the frame: bands first, then lines, then dots."""
    colors = _colors(lines)
    bands = "".join(_band(line, color, x, y) for line, color in zip(lines, colors, strict=True))
    drawn = "".join(
        _polylines(line, color, x, y) for line, color in zip(lines, colors, strict=True) if line.kind != "dots"
    )
    dots = "".join(_dots(line, color, x, y) for line, color in zip(lines, colors, strict=True) if line.kind == "dots")
    return (
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{bands}{drawn}</svg>'
        f'<div class="lw-dot-layer" aria-hidden="true">{dots}</div>'
    )


def legend_html(lines: Sequence[Line]) -> str:
    """The names of the lines that have one."""
    return "".join(
        f'<span class="{_style(color)} lw-{line.kind}">{inline_html(line.label)}</span>'
        for line, color in zip(lines, _colors(lines), strict=True)
        if line.label
    )


def words_of(lines: Sequence[Line]) -> str:
    """The lines in words: where each begins and ends."""
    found = []
    for line in lines:
        shown = line.y[np.isfinite(line.y)]
        if not line.label or not len(shown):
            continue
        if line.kind == "dots":
            found.append(f"{line.label}, {len(shown)} dots")
        else:
            found.append(f"{line.label} from {number_text(shown[0])} to {number_text(shown[-1])}")
    return "; ".join(found) or "lines"


def _colors(lines: Sequence[Line]) -> list[int | Sequence[int]]:
    """The colour of each line; those that ask for none get the next one."""
    found, following = [], 0
    for line in lines:
        if line.color is None:
            found.append(following)
            following += 1
        else:
            found.append(line.color)
    return found


def _style(color: int | Sequence[int]) -> str:
    first = color if isinstance(color, int) else (color[0] if len(color) else 0)
    return f"lw-run-{int(first) % NUM_COLORS + 1}"


def _pieces(*values: np.ndarray) -> Iterator[np.ndarray]:
    """The places [points, values] of each part of a line between two gaps, thinned to what a screen can show."""
    stacked = np.stack(values, axis=1)
    stride = -(-len(stacked) // MAX_LINE_POINTS) or 1
    if stride > 1:
        stacked = stacked[np.unique(np.append(np.arange(0, len(stacked), stride), len(stacked) - 1))]
    whole = [bool(np.isfinite(row).all()) for row in stacked]
    for is_whole, group in groupby(range(len(stacked)), key=whole.__getitem__):
        if is_whole:
            # Beyond the frame a line goes on a little; numbers like 1e300 would be no SVG.
            yield np.clip(stacked[list(group)], -50, 150)


def _polylines(line: Line, color: int | Sequence[int], x: Axis, y: Axis) -> str:
    dashes = ' stroke-dasharray="5 4"' if line.kind == "dashed" else ""
    return "".join(
        f'<polyline class="{_style(color)}" points="{path_of(piece)}" vector-effect="non-scaling-stroke" '
        f'fill="none"{dashes}/>'
        for piece in _pieces(x.place(line.x), 100 - y.place(line.y))
    )


def _band(line: Line, color: int | Sequence[int], x: Axis, y: Axis) -> str:
    if line.low is None or line.high is None:
        return ""
    found = ""
    for piece in _pieces(x.place(line.x), 100 - y.place(line.low), 100 - y.place(line.high)):
        around = np.concatenate([piece[:, [0, 1]], piece[::-1][:, [0, 2]]])
        found += f'<polygon class="lw-band {_style(color)}" points="{path_of(around)}"/>'
    return found


def path_of(points: np.ndarray) -> str:
    """Places [points, 2] as SVG writes them."""
    return " ".join(f"{left:.2f},{top:.2f}" for left, top in points)


def _dots(line: Line, color: int | Sequence[int], x: Axis, y: Axis) -> str:
    lefts, tops = x.place(line.x), 100 - y.place(line.y)
    each = np.full(len(lefts), color) if isinstance(color, int) else np.asarray(color)
    stride = -(-len(lefts) // MAX_DOTS) or 1
    return "".join(
        f'<i class="lw-point {_style(int(each[index]))}" style="left: {lefts[index]:.2f}%; top: {tops[index]:.2f}%" '
        f'title="{number_text(line.x[index])}, {number_text(line.y[index])}"></i>'
        for index in range(0, len(lefts), stride)
        if 0 <= lefts[index] <= 100 and 0 <= tops[index] <= 100
    )
