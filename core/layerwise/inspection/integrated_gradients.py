"""Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365): how much each number of an input contributed to a
score, compared with a baseline. The contributions add up to the difference of the two scores ("completeness").

They are integrals along the straight line from the baseline to the input. Over each piece of the line the contributions
add up to the difference of the scores at its ends. So the error of the quadrature is known piece by piece, and only the
pieces where it is large are halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.drawing import beside, draw_attribution, is_picture, pixel_range
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.occlusion import occluded_instead
from layerwise.inspection.probes import Points, Probe, find_sites
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import Plot, Text

TOLERANCE = 0.0025
"""Of the difference of the scores: how much the contributions together may be wrong."""
PIECEWISE_TOLERANCE = 0.05
"""Likewise for the sum of the errors of all pieces, whose signs are left out."""
FIRST_PIECES, MOST_PIECES = 8, 512
MOST_NUMBERS = 2**25
"""How many numbers the pieces may keep (256 MB)."""
_ROOTS, _WEIGHTS = np.polynomial.legendre.leggauss(3)
ROOTS, WEIGHTS = (_ROOTS + 1) / 2, _WEIGHTS / 2
"""Gauss-Legendre on the interval from 0 to 1."""
BASELINES = {"black": 0.0, "grey": 0.5, "white": 1.0}


def look(subject: Subject) -> Look | None:
    """The look "integrated-gradients"; None when no gradient can reach the input."""
    sites = find_sites(subject)
    if not sites:
        return None
    has_picture = any(site.step is None and is_picture(subject, site.input) for site in sites)
    baseline = setting("black", "The picture that it is compared with", choices=tuple(BASELINES))
    probe = cache(lambda: Probe(subject, sites))
    return Look(
        name="integrated-gradients",
        title="Integrated gradients",
        text="How much each part of the input contributed to the score, compared with an empty input: for the class in "
        "one colour, against it in the other. The contributions add up to the difference of the scores (Sundararajan "
        "et al. 2017).",
        show=lambda inputs, settings: _show(subject, probe(), inputs, settings),
        settings=settings_of_look(target=subject.target_setting, baseline=(str, baseline) if has_picture else None),
        is_long=True,
    )


def _show(subject: Subject, probe: Probe, inputs: Inputs, settings: Any) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    target = subject.target(batch, settings)
    start = baseline_points(subject, probe, batch, getattr(settings, "baseline", "black"))
    found = integrated_gradients(probe, batch, start, target)
    if not any(heat.any() for heat in found.contributions.values()):
        return occluded_instead(subject, batch, target)
    label = subject.labels[target]
    title = f"what speaks for {label}"
    plots = [draw_attribution(subject, site, found.contributions[site.key], batch, title=title) for site in probe.sites]
    return [Text(text=_in_words(found, label)), *beside(plots)]


def _in_words(found: Integral, label: str) -> str:
    return (
        f"The score of {label} is {found.score:.4g}, and {found.baseline_score:.4g} for the baseline. The "
        f"contributions add up to {found.total:.4g} of the difference of {found.score - found.baseline_score:.4g} "
        f"({found.num_gradients:,} gradients were computed)."
    )


def baseline_points(subject: Subject, probe: Probe, batch: Batch, baseline: str = "black") -> Points:
    """What the sites hold for an empty input [1, ...]: a picture of one colour, zeros, what the first layers make of
    silence or of padding."""
    empty = {}
    for name, array in batch.items():
        value = 0.0
        if is_picture(subject, name):
            low, high = pixel_range(array)
            value = low + BASELINES[baseline] * (high - low)
        empty[name] = np.full(array.shape, "") if array.dtype.kind in "OUS" else np.full_like(array, value)
    return probe.points(empty)


@dataclass(frozen=True)
class Integral:
    """Integrated gradients of one input.

    Args:
        contributions: At each site [...], float64.
        score, baseline_score: What the network gives at the two ends.
        num_gradients: How many points were looked at.
    """

    contributions: Points
    score: float
    baseline_score: float
    num_gradients: int

    @property
    def total(self) -> float:
        """The sum of all contributions."""
        return float(sum(array.sum() for array in self.contributions.values()))


@dataclass(frozen=True)
class _Piece:
    """A part of the line: the scores at its ends, and the integral over it."""

    left: float
    right: float
    left_score: float
    right_score: float
    contributions: Points

    @property
    def error(self) -> float:
        """What the quadrature lacks; known, since the exact integral is the difference of the scores."""
        return self.right_score - self.left_score - float(sum(array.sum() for array in self.contributions.values()))


class _Line:
    """The straight line from a baseline (at 0) to an input (at 1)."""

    def __init__(self, probe: Probe, batch: Batch, start: Points, target: int) -> None:
        self.probe, self.batch, self.target = probe, batch, target
        self.start = {name: array.astype("float64") for name, array in start.items()}
        self.step = {name: array - self.start[name] for name, array in probe.points(batch).items()}
        self.num_gradients = 0

    def gradients(self, places: np.ndarray) -> tuple[np.ndarray, Points]:
        """The scores [places] and their gradients [places, ...] at places from 0 to 1."""
        self.num_gradients += len(places)
        points = {
            name: array + places.reshape(-1, *[1] * (array.ndim - 1)) * self.step[name]
            for name, array in self.start.items()
        }
        return self.probe.gradients(points, self.batch, self.target)

    def pieces(self, bounds: Sequence[tuple[float, float, float, float]]) -> list[_Piece]:
        """The integral over each (left, right, score at the left, score at the right)."""
        places = np.concatenate([left + (right - left) * ROOTS for left, right, _, _ in bounds])
        _, gradients = self.gradients(places)
        found = []
        for number, (left, right, left_score, right_score) in enumerate(bounds):
            part = slice(number * len(ROOTS), (number + 1) * len(ROOTS))
            contributions = {
                name: (right - left) * np.tensordot(WEIGHTS, array[part].astype("float64"), 1) * self.step[name][0]
                for name, array in gradients.items()
            }
            found.append(_Piece(left, right, left_score, right_score, contributions))
        return found


def integrated_gradients(probe: Probe, batch: Batch, start: Points, target: int) -> Integral:
    """The contribution of each number at the sites to the score of a class.

    The pieces with the largest errors are halved until the contributions add up within 0.25 % of the difference of the
    scores, or 512 pieces were made; what is lacking then is `score - baseline_score - total`.

    Args:
        probe: Of the network.
        batch: The input, a batch of one.
        start: What the sites hold for the baseline, [1, ...] each.
        target: The number of the class.
    """
    line = _Line(probe, batch, start, target)
    most = max(FIRST_PIECES, min(MOST_PIECES, MOST_NUMBERS // sum(array.size for array in line.step.values())))
    places = np.linspace(0, 1, FIRST_PIECES + 1)
    scores, _ = line.gradients(places)
    pieces = line.pieces(list(zip(places[:-1], places[1:], scores[:-1], scores[1:], strict=True)))
    # Where the two scores are nearly equal, what the score does in between says what is exact enough.
    scale = max(abs(float(scores[-1] - scores[0])), 0.01 * float(np.ptp(scores)))
    is_flat = not any(array.any() for piece in pieces for array in piece.contributions.values())
    while not is_flat and not _is_exact(pieces, scale) and len(pieces) < most:
        pieces = _refined(line, pieces, most)
    total = {name: np.sum([piece.contributions[name] for piece in pieces], axis=0) for name in line.step}
    return Integral(total, float(scores[-1]), float(scores[0]), line.num_gradients)


def _is_exact(pieces: Sequence[_Piece], scale: float) -> bool:
    errors = [piece.error for piece in pieces]
    return abs(sum(errors)) <= TOLERANCE * scale and sum(map(abs, errors)) <= PIECEWISE_TOLERANCE * scale


def _refined(line: _Line, pieces: Sequence[_Piece], most: int) -> list[_Piece]:
    """The pieces, those with the largest errors halved."""
    ranked = sorted(pieces, key=lambda piece: -abs(piece.error))
    count = sum(abs(piece.error) >= abs(ranked[0].error) / 4 for piece in ranked)
    halved, kept = ranked[: min(count, most - len(pieces))], ranked[min(count, most - len(pieces)) :]
    middles = np.array([(piece.left + piece.right) / 2 for piece in halved])
    scores, _ = line.gradients(middles)
    bounds = []
    for piece, middle, score in zip(halved, middles, scores, strict=True):
        bounds += [(piece.left, middle, piece.left_score, score), (middle, piece.right, score, piece.right_score)]
    return kept + line.pieces(bounds)
