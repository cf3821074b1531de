"""Confidence intervals: how far a figure measured on a test set can be trusted.

A test set is a sample. An accuracy of 0.935 on 10,000 pictures could as well be 0.930 or 0.940 on the next
10,000 of the same kind; an interval says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np

Interval = tuple[float, float]


def wilson(successes: float, count: int, *, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of a proportion: successes of `count` independent trials.

    Unlike the textbook interval it stays within [0, 1] and is right near both ends.

    Args:
        successes: How many of the trials succeeded.
        count: The number of trials, at least 1.
        confidence: The share of repetitions whose interval holds the true proportion.

    Returns:
        The lower and the upper bound.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    Example:
        >>> low, high = wilson(9350, 10_000)
        >>> print(f"{low:.4f} to {high:.4f}")
        0.9300 to 0.9397
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / count
    scale = 1 + z * z / count
    centre = (share + z * z / (2 * count)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # Rounding may leave 1e-17 where the formula gives exactly 0 or 1.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == count else min(1.0, centre + half)
    return low, high


def bootstrap(
    statistics: Callable[[np.ndarray], Mapping[str, float]],
    count: int,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    seconds: float = math.inf,
) -> dict[str, Interval]:
    """Percentile bootstrap intervals of any statistics of a sample.

    Args:
        statistics: Given positions of examples, int64 [count] (drawn with replacement), the value of each
            statistic by name.
        count: The number of examples.
        resamples: How often they are drawn.
        confidence: As for `wilson`.
        seed: The same seed draws the same positions.
        seconds: The time after which no further resample is drawn, for statistics that are slow; two are
            always drawn.

    Returns:
        The lower and the upper bound of each statistic. Resamples in which one is not a number (a class that
        was not drawn) do not count for it; it is absent when that holds for all.

    Source: Efron 1979, "Bootstrap methods: another look at the jackknife".
    """
    generator = np.random.default_rng(seed)
    begin = time.perf_counter()
    drawn: dict[str, list[float]] = {}
    for number in range(resamples):
        if number >= 2 and time.perf_counter() - begin > seconds:
            break
        for name, value in statistics(generator.integers(0, count, count)).items():
            drawn.setdefault(name, []).append(float(value))
    tail = (1 - confidence) / 2
    intervals = {}
    for name, values in drawn.items():
        finite = np.array(values)[np.isfinite(values)]
        if len(finite):
            low, high = np.quantile(finite, (tail, 1 - tail))
            intervals[name] = (float(low), float(high))
    return intervals
