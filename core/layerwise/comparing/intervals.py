"""Confidence intervals: how far a figure measured on a test set can be trusted.

A test set is a sample. An accuracy of 0.935 on 10,000 pictures could as well be 0.930 or 0.940 on the next
10,000 of the same kind; an interval says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
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


def median_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval | None:
    """The interval of the median of a few repetitions, such as the seeds of a training: two of the values themselves.

    It assumes nothing of how the values are distributed: each is above the median with probability 1/2, so that
    counting is enough. It holds the median with at least the confidence asked for, and infinite values may be among
    them (what was never reached).

    Returns:
        The lower and the upper bound; None when there are too few values to say (six are needed for 95 %).

    Source: David & Nagaraja 2003, "Order statistics", section 7.1.

    Example:
        >>> median_interval([3, 1, 4, 1.5, 9, 2.6, 5, 3.5, 8, 9.7])
        (1.5, 9)
        >>> median_interval([1, 2, 3]) is None
        True
    """
    ordered = sorted(values)
    count = len(ordered)
    outside, cut = 0.0, 0
    while 2 * (outside + math.comb(count, cut) / 2**count) <= 1 - confidence:
        outside += math.comb(count, cut) / 2**count
        cut += 1
    return (ordered[cut - 1], ordered[count - cut]) if cut else None


def resample(
    statistics: Callable[[np.ndarray], Mapping[str, float]],
    count: int,
    *,
    resamples: int = 1000,
    seed: int = 0,
    seconds: float = math.inf,
) -> dict[str, list[float]]:
    """The values of any statistics in samples that are drawn from a sample, with replacement.

    The same seed and count draw the same examples, whatever the statistics are: those of two models on the same
    examples are pairs, whose differences say how far the difference of the two can be trusted.

    Args:
        statistics: Given positions of examples, int64 [count] (drawn with replacement), the value of each
            statistic by name.
        count: The number of examples.
        resamples: How often they are drawn.
        seed: The same seed draws the same positions.
        seconds: The time after which no further resample is drawn, for statistics that are slow; two are
            always drawn.

    Returns:
        A value for each resample, not a number where a statistic has none (a class that was not drawn).

    Source: Efron 1979, "Bootstrap methods: another look at the jackknife".
    """
    generator = np.random.default_rng(seed)
    begin = time.perf_counter()
    drawn: list[Mapping[str, float]] = []
    while len(drawn) < resamples and (len(drawn) < 2 or time.perf_counter() - begin <= seconds):
        drawn.append(statistics(generator.integers(0, count, count)))
    names = dict.fromkeys(name for values in drawn for name in values)
    return {name: [float(values.get(name, math.nan)) for values in drawn] for name in names}


def percentile_interval(
    values: Sequence[float], *, around: float | None = None, confidence: float = 0.95
) -> Interval | None:
    """The interval that holds the middle share `confidence` of resampled values, those left out that are not a number.

    Args:
        around: What was measured on the sample itself.

    Returns:
        None when there is no number, and when the interval misses what was measured: examples that are drawn twice
        bias some statistics (a calibration error rises), and their interval would be misleading.
    """
    finite = np.array(values)[np.isfinite(values)]
    if not len(finite):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, (tail, 1 - tail))
    return (float(low), float(high)) if around is None or low <= around <= high else None
