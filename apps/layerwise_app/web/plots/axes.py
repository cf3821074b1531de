"""Axes: where a number stands in a plot, which numbers are written beside it, and the frame around what is drawn."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from layerwise_app.web.curves import LARGEST, nice_ticks
from layerwise_app.web.plots.texts import caption_html, inline_html, number_text, plain_text

MAX_DECADES = 7
"""How many powers of ten are written beside a logarithmic axis."""


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`.

    Args:
        ticks: The numbers that are written beside it.
        is_log: Whether equal lengths are equal factors.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False

    @classmethod
    def of(cls, values: Iterable[np.ndarray], limits: tuple[float, float] | None = None, *, log: bool = False) -> Axis:
        """The axis that shows all finite numbers of `values` (all positive ones, on a logarithmic axis), or just what
        `limits` say."""
        if log:
            return cls._log(*_bounds(values, limits, least=1 / LARGEST))
        low, high = _bounds(values, limits)
        ticks = nice_ticks(low, high)
        if limits is not None:
            return cls(low, high, tuple(tick for tick in ticks if low <= tick <= high))
        return cls(ticks[0], ticks[-1], tuple(ticks))

    @classmethod
    def _log(cls, low: float, high: float) -> Axis:
        if low == high:
            low, high = low / 10, high * 10
        first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
        step = -(-(last - first) // MAX_DECADES) or 1
        decades = tuple(10.0**power for power in range(first, last + 1, step))
        inside = tuple(tick for tick in decades if low <= tick <= high)
        # Less than a power of ten has no numbers of its own: its ends are written instead.
        return cls(low, high, inside if len(inside) > 1 else (low, high), is_log=True)

    def place(self, values: np.ndarray) -> np.ndarray:
        """Where numbers stand, in percent of the length; NaN for those that have no place."""
        numbers = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.is_log:
                numbers, low, high = np.log10(numbers), math.log10(low), math.log10(high)
            places = 100 * (numbers - low) / ((high - low) or 1.0)
        return np.where(np.isfinite(places), places, np.nan)


def _bounds(
    values: Iterable[np.ndarray], limits: tuple[float, float] | None, least: float = -np.inf
) -> tuple[float, float]:
    if limits is not None:
        return max(limits[0], least), max(limits[1], least)
    numbers = np.concatenate([np.ravel(part) for part in values] or [np.zeros(0)])
    numbers = numbers[np.isfinite(numbers) & (numbers >= least)]
    if not len(numbers):
        return (0.1, 1.0) if least > 0 else (0.0, 1.0)
    return max(float(numbers.min()), -LARGEST), min(float(numbers.max()), LARGEST)


def frame_html(x: Axis, y: Axis, inside: str, *, x_label: str = "", y_label: str = "") -> str:
    """A plot with the numbers and the labels of its axes, and a rule at each number of the vertical one.

    Args:
        inside: HTML in percent of the plot, without what the axes need.
    """
    rules = "".join(f'<i class="lw-rule" style="top: {top:.2f}%"></i>' for top, _ in _tops(y))
    return labelled_html(f"{rules}{inside}{numbers_html(x, y)}", x_label=x_label, y_label=y_label)


def numbers_html(x: Axis, y: Axis) -> str:
    """The numbers beside a plot."""
    numbers = "".join(f'<span class="lw-y" style="top: {top:.2f}%">{text}</span>' for top, text in _tops(y))
    lefts = [(float(x.place(np.array(tick))), number_text(tick)) for tick in x.ticks]
    return numbers + "".join(f'<span class="lw-x" style="left: {left:.2f}%">{text}</span>' for left, text in lefts)


def _tops(y: Axis) -> list[tuple[float, str]]:
    """Where the numbers of a vertical axis stand, and how they are written."""
    return [(float(100 - y.place(np.array(tick))), number_text(tick)) for tick in y.ticks]


def labelled_html(inside: str, *, x_label: str, y_label: str, kind: str = "", style: str = "") -> str:
    """A plot with the labels of its axes.

    Args:
        inside: HTML in percent of the plot, with all that its axes need.
        kind, style: A further class of the plot, and CSS.
    """
    above = f'<p class="lw-above">{inline_html(y_label)}</p>' if y_label else ""
    below = f'<p class="lw-axis">{inline_html(x_label)}</p>' if x_label else ""
    drawn = f' style="{style}"' if style else ""
    return f'{above}<div class="lw-plot {kind}"{drawn}>{inside}</div>{below}'


def figure_html(title: str, words: str, body: str, *, legend: str = "", kind: str = "") -> str:
    """A figure that says its numbers to those who do not see it.

    Args:
        words: What it shows, in numbers.
        kind: A further class of the figure.
    """
    said = html.escape(plain_text(f"{title}: {words}" if title else words))
    return (
        f'<figure class="lw-curve lw-figure {kind}" role="img" aria-label="{said}">'
        f"{caption_html(title, legend)}{body}</figure>"
    )
