"""Ticks: the round numbers that are written beside an axis."""

from __future__ import annotations

import math

NUM_TICKS = 4
LARGEST = 1e300
"""Beyond this, and closer together than its inverse, numbers cannot be told apart or subtracted."""
_UNITS = (("hours", 3600.0, 7200.0), ("minutes", 60.0, 120.0), ("seconds", 1.0, 0.0))
"""Units of time, their seconds, and from how many seconds on they are used."""


def nice_ticks(low: float, high: float, count: int = NUM_TICKS) -> list[float]:
    """Round numbers that enclose a range, about `count` of them.

    Example:
        >>> nice_ticks(0.13, 0.92)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    low, high = max(low, -LARGEST), min(high, LARGEST)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1 / LARGEST):
        margin = abs(low) / 10 or 0.5
        low, high = low - margin, high + margin
    step = nice_step((high - low) / count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Rounded, since 3 * 0.1 is not 0.3.
    return [float(f"{index * step:.10g}") for index in range(first, last + 1)]


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 ... and their fractions that is at least `least`.

    Example:
        >>> nice_step(0.03), nice_step(7)
        (0.05, 10.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def epoch_ticks(right: float) -> list[float]:
    """Whole epochs for the axis, from 0 to at most `right`."""
    step = max(1.0, nice_step(right / 6))
    return [index * step for index in range(int(right / step + 1e-9) + 1)]


def time_ticks(right: float) -> tuple[str, list[tuple[float, float]]]:
    """The unit of an axis of time, and where (in seconds) which number stands, from 0 to at most `right` seconds.

    Example:
        >>> time_ticks(150)
        ('minutes', [(0.0, 0.0), (30.0, 0.5), (60.0, 1.0), (90.0, 1.5), (120.0, 2.0), (150.0, 2.5)])
    """
    unit, seconds = next((unit, size) for unit, size, least in _UNITS if right >= least)
    step = nice_step(max(right, 1e-3) / seconds / 6)
    numbers = [float(f"{index * step:.10g}") for index in range(int(right / seconds / step + 1e-9) + 1)]
    return unit, [(number * seconds, number) for number in numbers]
