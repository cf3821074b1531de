"""Axes: where a number stands in a plot, which numbers are written beside it, and the frame around what is drawn."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from layerwise_app.web.plots.texts import caption_html, inline_html, number_text, plain_text
from layerwise_app.web.plots.ticks import LARGEST, NUM_TICKS, nice_ticks

MAX_DECADES = 7
"""How many powers of ten are written beside a logarithmic axis."""
Numbers = Sequence[tuple[float, str]]
"""What is written beside an axis: where, in percent of its length from the left or from the bottom, and what."""


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
        if limits is not None:
            # Those beyond the ends are not written: more, where few of them are left.
            for count in (NUM_TICKS, 2 * NUM_TICKS):
                inside = tuple(tick for tick in nice_ticks(low, high, count) if low <= tick <= high)
                if len(inside) > 2:
                    break
            return cls(low, high, inside)
        ticks = nice_ticks(low, high)
        return cls(ticks[0], ticks[-1], tuple(ticks))

    @classmethod
    def _log(cls, low: float, high: float) -> Axis:
        if low == high:
            low, high = low / 10, high * 10
        first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
        step = -(-(last - first) // MAX_DECADES) or 1
        decades = tuple(10.0**power for power in range(first, last + 1, step))
        finer = tuple(factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5))
        # Powers of ten, more where there are few of them, and the ends of an axis that holds not even those.
        for ticks in (decades, finer):
            inside = tuple(tick for tick in ticks if low <= tick <= high)
            if len(inside) > (2 if ticks is decades else 1):
                return cls(low, high, inside, is_log=True)
        return cls(low, high, (low, high), is_log=True)

    def place(self, values: np.ndarray) -> np.ndarray:
        """Where numbers stand, in percent of the length; NaN for those that have no place."""
        numbers = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.is_log:
                numbers, low, high = np.log10(numbers), math.log10(low), math.log10(high)
            places = 100 * (numbers - low) / ((high - low) or 1.0)
        return np.where(np.isfinite(places), places, np.nan)

    @property
    def numbers(self) -> Numbers:
        """Its ticks, with as many digits as tell them apart."""
        texts = [number_text(tick) for tick in self.ticks]
        if len(set(texts)) < len(texts):
            texts = [f"{tick:.10g}" for tick in self.ticks]
        return list(zip(self.place(np.array(self.ticks)).tolist(), texts, strict=True))


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


def frame_html(x: Numbers, y: Numbers, inside: str, *, x_label: str = "", y_label: str = "") -> str:
    """A plot with the numbers and the labels of its axes, and a rule at each number of the vertical one.

    Args:
        inside: HTML in percent of the plot, without what the axes need.
    """
    rules = "".join(f'<i class="lw-rule" style="top: {100 - place:.2f}%"></i>' for place, _ in y)
    return labelled_html(f"{rules}{inside}{numbers_html(x, y)}", x_label=x_label, y_label=y_label)


def numbers_html(x: Numbers, y: Numbers) -> str:
    """What is written beside the axes of a plot."""
    return "".join(
        f'<span class="lw-y" style="top: {100 - place:.2f}%">{html.escape(text)}</span>' for place, text in y
    ) + "".join(f'<span class="lw-x" style="left: {place:.2f}%">{html.escape(text)}</span>' for place, text in x)


def labelled_html(inside: str, *, x_label: str, y_label: str, kind: str = "", style: str = "") -> str:
    """A plot with the labels of its axes.

    Args:
        inside: HTML in percent of the plot, with all that its axes need.
        kind, style: A further class of the plot, and CSS.
    """
    above = f'<p class="lw-above">{inline_html(y_label)}</p>' if y_label else ""
    below = f'<p class="lw-axis">{inline_html(x_label)}</p>' if x_label else ""
    drawn = f' style="{style}"' if style else ""
    return f'{above}<div class="{f"lw-plot {kind}".strip()}"{drawn}>{inside}</div>{below}'


def figure_html(title: str, words: str, body: str, *, legend: str = "", kind: str = "") -> str:
    """A figure that says its numbers to those who do not see it.

    Args:
        words: What it shows, in numbers.
        kind: A further class of the figure.
    """
    said = html.escape(plain_text(f"{title}: {words}" if title else words))
    return (
        f'<figure class="{f"lw-curve lw-figure {kind}".strip()}" role="img" aria-label="{said}">'
        f"{caption_html(title, legend)}{body}</figure>"
    )
