"""Bars: a number for each label, and how many values fall where."""

from __future__ import annotations

import html
import math

import numpy as np

from layerwise.plots import BarPlot, Histogram
from layerwise_app.web.plots.axes import Axis, figure_html, frame_html
from layerwise_app.web.plots.texts import inline_html, number_text

MAX_SAID = 12
"""How many bars are said in words."""


def bars_html(plot: BarPlot) -> str:
    """A BarPlot: a line for each label, so that long ones can be read on a phone."""
    extent = np.concatenate([part for part in (plot.values, plot.low, plot.high) if part is not None] or [np.zeros(1)])
    axis = Axis.of([extent, np.zeros(1)], plot.value_range)
    zero = float(axis.place(np.array(0.0)))
    rows = []
    for index, (label, value) in enumerate(zip(plot.labels, plot.values, strict=True)):
        end = float(np.nan_to_num(axis.place(np.array(value)), nan=zero))
        error = "" if plot.low is None or plot.high is None else _error(axis, plot.low[index], plot.high[index])
        kind = "lw-against" if value < 0 else "lw-for"
        unit = f" {plot.unit}" if plot.unit else ""
        rows.append(
            f'<li><span class="lw-name">{inline_html(label)}</span><span class="lw-track" aria-hidden="true">'
            f'<i class="{kind}" style="left: {min(zero, end):.2f}%; width: {abs(end - zero):.2f}%"></i>{error}</span>'
            f'<span class="lw-share">{number_text(value)}{html.escape(unit)}</span></li>'
        )
    said = ", ".join(
        f"{label} {number_text(value)}{plot.unit and ' '}{plot.unit}"
        for label, value in list(zip(plot.labels, plot.values, strict=True))[:MAX_SAID]
    )
    return figure_html(plot.title, said, f'<ol class="lw-barlist">{"".join(rows)}</ol>', kind="lw-barplot")


def _error(axis: Axis, low: float, high: float) -> str:
    left, right = (float(axis.place(np.array(side))) for side in (low, high))
    if not (math.isfinite(left) and math.isfinite(right)):
        return ""
    return f'<b style="left: {left:.2f}%; width: {max(right - left, 0):.2f}%"></b>'


def histogram_html(plot: Histogram) -> str:
    """A Histogram."""
    x = Axis.of([plot.edges], (float(plot.edges[0]), float(plot.edges[-1])))
    y = Axis.of([plot.counts, np.zeros(1)])
    lefts, tops = x.place(plot.edges), 100 - y.place(plot.counts)
    bars = "".join(
        f'<rect x="{lefts[index]:.2f}" y="{tops[index]:.2f}" height="{100 - tops[index]:.2f}" '
        f'width="{max(lefts[index + 1] - lefts[index] - 0.15, 0.1):.2f}"><title>{number_text(plot.edges[index])} to '
        f"{number_text(plot.edges[index + 1])}: {number_text(plot.counts[index])}</title></rect>"
        for index in range(len(plot.counts))
    )
    inside = f'<svg class="lw-run-1" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>'
    most = int(np.argmax(plot.counts)) if len(plot.counts) else 0
    words = (
        f"{number_text(plot.counts.sum())} values from {number_text(plot.edges[0])} to {number_text(plot.edges[-1])}, "
        f"most of them near {number_text((plot.edges[most] + plot.edges[most + 1]) / 2)}"
    )
    return figure_html(
        plot.title, words, frame_html(x.numbers, y.numbers, inside, x_label=plot.x_label), kind="lw-histogram"
    )
