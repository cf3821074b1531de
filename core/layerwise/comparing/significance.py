"""Tests of significance: whether two models that were measured on the same examples differ by more than chance, and
what is left of that when many pairs are tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Discordance:
    """What McNemar's test says of two models.

    Args:
        only_one, only_other: How many examples only the one, or only the other, has right.
        p: The probability of counts at least as far apart where both are right equally often.
    """

    only_one: int
    only_other: int
    p: float


def mcnemar(one: np.ndarray, other: np.ndarray) -> Discordance:
    """McNemar's exact test, two-sided: of the examples that only one of two models has right, whether more are the
    one's than a fair coin would give.

    Args:
        one, other: Whether each is right, bool [examples], on the same examples.

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".

    Example:
        >>> found = mcnemar(np.array([1, 0, 0, 1, 0, 0], bool), np.array([1, 1, 1, 1, 1, 1], bool))
        >>> found.only_one, found.only_other, found.p
        (0, 4, 0.125)
    """
    from scipy.stats import binomtest

    one, other = np.asarray(one, bool), np.asarray(other, bool)
    only_one, only_other = int(np.sum(one & ~other)), int(np.sum(other & ~one))
    discordant = only_one + only_other
    p = float(binomtest(only_one, discordant).pvalue) if discordant else 1.0
    return Discordance(only_one=only_one, only_other=only_other, p=p)


def bootstrap_p(differences: Sequence[float]) -> float:
    """The two-sided p of a paired bootstrap: the least level at which the percentile interval of the differences
    excludes zero.

    With `n` resamples it is never below 2 / (n + 1): what was not drawn is not known to be impossible.

    Args:
        differences: Of the two models in each resample (`layerwise.comparing.intervals.resample`). Those that are not a
            number are left out.

    Returns:
        1.0 when there is no difference to look at.

    Source: Davison & Hinkley 1997, "Bootstrap methods and their application", section 4.4 for the added one.

    Example:
        >>> bootstrap_p([0.5] * 99)
        0.02
    """
    finite = np.array(differences, float)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return 1.0
    smaller = min(int(np.sum(finite <= 0)), int(np.sum(finite >= 0)))
    return min(1.0, 2 * (smaller + 1) / (len(finite) + 1))


def holm(ps: Sequence[float]) -> list[float]:
    """p values of several tests, adjusted so that the chance of a single false alarm among all of them stays below the
    level that they are compared with.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    adjusted, largest = [math.nan] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = largest
    return adjusted
