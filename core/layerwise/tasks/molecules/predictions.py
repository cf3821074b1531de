"""What the members of an ensemble say of molecules, as values with intervals.

Each member gives a mean and the logarithm of a variance; together they are a mixture of normal distributions, whose
deviation is what is uncertain in the data and what the members disagree about (Lakshminarayanan et al. 2017,
arXiv:1612.01474, section 2.4). An interval is the mean plus and minus a number of deviations, which is chosen so that
90 % of the molecules held out for validation are within it (split conformal prediction with normalised residuals: Lei
et al. 2018, J. Am. Stat. Assoc. 113, section 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COVERAGE = 0.9
NORMAL_WIDTH = 1.645
"""Deviations within which 90 % of a normal distribution lie: what counts before anything is calibrated."""
LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -6.0, 3.0
"""The range of a logarithm of a variance, of standardised targets."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """Values of molecules, all arrays float64 [molecules, targets].

    Args:
        values: What is expected, or the probability of yes.
        low, high: The ends of the 90 % interval; of probabilities, of what the members say.
        deviations: The predicted deviation of numbers; of probabilities the one between members.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    deviations: np.ndarray


def numbers_of(
    outputs: np.ndarray, means: Sequence[float], deviations: Sequence[float], widths: Sequence[float]
) -> Predicted:
    """What a network for numbers says, in the unit of the targets.

    Args:
        outputs: [molecules, members, targets, 2]: mean and logarithm of the variance of the standardised target.
        means, deviations: Of each target.
        widths: Half the 90 % interval in predicted deviations, for each target; empty before it is calibrated.
    """
    outputs = np.asarray(outputs, "float64")
    scale = np.asarray(deviations, "float64")
    variances = np.exp(np.clip(outputs[..., 1], LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE))
    # The variance of a mixture: the mean of the variances and the variance of the means.
    spread = np.sqrt(variances.mean(axis=1) + outputs[..., 0].var(axis=1)) * scale
    values = outputs[..., 0].mean(axis=1) * scale + np.asarray(means, "float64")
    half = spread * (np.asarray(widths, "float64") if len(widths) else NORMAL_WIDTH)
    return Predicted(values, values - half, values + half, spread)


def probabilities_of(outputs: np.ndarray) -> Predicted:
    """What a network for yes or no says.

    Args:
        outputs: Logits [molecules, members, targets].
    """
    logits = np.asarray(outputs, "float64")
    shares = 0.5 * (1 + np.tanh(logits / 2))  # the logistic function, without overflow
    return Predicted(shares.mean(axis=1), shares.min(axis=1), shares.max(axis=1), shares.std(axis=1))


def conformal_widths(predicted: Predicted, targets: np.ndarray) -> tuple[float, ...]:
    """How many predicted deviations the interval of each target must reach to either side, so that 90 % of the
    molecules held out are within it: the ceil((n + 1) 0.9)-th smallest residual.

    Args:
        targets: What was right, [molecules, targets], NaN where nobody knows.

    Example:
        >>> nine = Predicted(np.zeros((9, 1)), np.zeros((9, 1)), np.zeros((9, 1)), np.ones((9, 1)))
        >>> conformal_widths(nine, np.arange(1.0, 10.0)[:, None])
        (9.0,)
    """
    residuals = np.abs(np.asarray(targets, "float64") - predicted.values) / predicted.deviations
    found = []
    for column in residuals.T:
        known = np.sort(column[np.isfinite(column)])
        rank = math.ceil((len(known) + 1) * COVERAGE)
        # Rounded up, so that the molecule at that rank stays within.
        found.append(math.ceil(known[min(rank, len(known)) - 1] * 1e4) / 1e4 if len(known) else NORMAL_WIDTH)
    return tuple(found)
