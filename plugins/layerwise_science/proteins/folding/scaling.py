"""Coordinates from distances: classical multidimensional scaling, which solves it at one blow where all distances are
known, and descent of the stress, which also does with some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from layerwise_science.proteins.folding.distances import Measured, distance_map


def classical_scaling(distances: np.ndarray, dimensions: int = 3) -> np.ndarray:
    """Coordinates with these distances, [points, dimensions], as nearly as there are any; around the origin.

    The squared distances, centred by rows and columns, are scalar products; the coordinates are their greatest
    eigenvectors.

    Args:
        distances: [points, points], symmetric, none missing.

    Source: Torgerson 1952, "Multidimensional scaling: I. Theory and method"; Young and Householder 1938.

    Example:
        >>> line = classical_scaling(np.array([[0.0, 1, 3], [1, 0, 2], [3, 2, 0]]), dimensions=1)
        >>> np.round(np.abs(np.diff(line[:, 0])), 6).tolist()
        [1.0, 2.0]
    """
    products = scalar_products(distances)
    values, vectors = np.linalg.eigh(products)
    greatest = slice(-1, -1 - dimensions, -1)
    # Distances with errors are those of no points at all: what would need an imaginary coordinate is left out.
    found = vectors[:, greatest] * np.sqrt(np.maximum(values[greatest], 0.0))
    return np.pad(found, ((0, 0), (0, dimensions - found.shape[1])))


def scalar_products(distances: np.ndarray) -> np.ndarray:
    """Of points around the origin, from their distances, [points, points]."""
    squares = distances**2
    return -0.5 * (squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean())


def stress(coordinates: np.ndarray, wanted: Measured) -> float:
    """The root of the mean squared error of the known distances, in Å."""
    weights = wanted.weights
    errors = np.where(weights > 0, distance_map(coordinates) - np.nan_to_num(wanted.distances), 0.0)
    return float(np.sqrt(np.sum(errors**2) / max(weights.sum(), 1.0)))


@dataclass(frozen=True, eq=False)
class Step:
    """Where a descent is.

    Args:
        number: How many steps were done.
        coordinates: [points, dimensions].
        stress: As of `stress`.
    """

    number: int
    coordinates: np.ndarray
    stress: float


def descent(start: np.ndarray, wanted: Measured, steps: int, enough: float = 1e-6) -> Iterator[Step]:
    """Coordinates that fit the known distances better and better, beginning with `start`.

    Each step goes down the gradient of the sum of squared errors, S, measured in the metric V of the known pairs:
    X <- X - V^+ grad S(X) / 2, for which S never rises. No learning rate has to be chosen.

    Args:
        start: [points, dimensions].
        enough: It ends when a step lowers the stress by less, in Å.

    Source: de Leeuw 1977, "Applications of convex analysis to multidimensional scaling" (SMACOF); that it is a gradient
    step: Borg and Groenen 2005, "Modern multidimensional scaling", section 8.6.
    """
    weights, distances = wanted.weights, np.nan_to_num(wanted.distances)
    metric = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    found = start
    yield (last := Step(0, found, stress(found, wanted)))
    for number in range(1, steps + 1):
        found = found - metric @ gradient(found, distances, weights) / 2
        step = Step(number, found, stress(found, wanted))
        yield step
        if last.stress - step.stress < enough:
            return
        last = step


def gradient(coordinates: np.ndarray, distances: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of S, the sum over pairs of weight (distance between the points - wanted distance)^2, by the coordinates,
    [points, dimensions].

    Args:
        distances, weights: [points, points], symmetric.
    """
    lengths = distance_map(coordinates)
    # Two points in one place pull each other nowhere.
    shares = np.divide(distances, lengths, out=np.zeros_like(lengths), where=lengths > 1e-12)
    factors = weights * (1 - shares)
    return 2 * (factors.sum(axis=1)[:, None] * coordinates - factors @ coordinates)
