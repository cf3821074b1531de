"""What the playground's networks learn: points of the plane [-6, 6] x [-6, 6] with a class or a value in [-1, 1]."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layerwise.errors import InputError

EDGE = 6.0
"""The plane reaches from -EDGE to EDGE in both directions."""
MAX_POINTS = 1000
MAX_CLASSES = 4

_Made = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A kind of data.

    Args:
        title: A few words.
        is_regression: Whether the targets are values rather than classes.
        max_classes: How many classes it can have.
        make: `(num_points, num_classes, noise, random) -> (points, targets)`; None for points of the user's own.
    """

    title: str
    is_regression: bool = False
    max_classes: int = 2
    make: Callable[[int, int, float, np.random.Generator], _Made] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Data that was split. `inputs` [points, 2], `targets` [points], `is_test` [points]."""

    inputs: np.ndarray
    targets: np.ndarray
    is_test: np.ndarray


def _classes(num_points: int, num_classes: int) -> np.ndarray:
    return np.arange(num_points) % num_classes


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _circle(num_points: int, num_classes: int, noise: float, random: np.random.Generator) -> _Made:
    classes = _classes(num_points, num_classes)
    inner = np.where(classes == 0, 0.0, classes + 0.3)
    radius = 5 * (inner + (classes + 1 - inner) * random.uniform(0, 1, num_points)) / num_classes
    points = _polar(radius, random.uniform(0, 2 * np.pi, num_points))
    return points + random.normal(0, noise, points.shape), classes


def _xor(num_points: int, num_classes: int, noise: float, random: np.random.Generator) -> _Made:
    corner = random.choice([-1.0, 1.0], (num_points, 2))
    points = corner * random.uniform(0.3, 5, (num_points, 2))
    return points + random.normal(0, noise, points.shape), (corner.prod(axis=1) < 0).astype(int)


def _gaussians(num_points: int, num_classes: int, noise: float, random: np.random.Generator) -> _Made:
    classes = _classes(num_points, num_classes)
    centres = _polar(np.full(num_points, 2.8), np.pi / 4 + 2 * np.pi * classes / num_classes)
    return centres + random.normal(0, 0.7 + noise, centres.shape), classes


def _moons(num_points: int, num_classes: int, noise: float, random: np.random.Generator) -> _Made:
    classes = _classes(num_points, num_classes)
    side = 1 - 2 * classes
    arc = _polar(np.full(num_points, 3.2), random.uniform(0, np.pi, num_points))
    points = side[:, np.newaxis] * (arc - [1.6, 0.8])
    return points + random.normal(0, 0.15 + noise, points.shape), classes


def _spirals(num_points: int, num_classes: int, noise: float, random: np.random.Generator) -> _Made:
    classes = _classes(num_points, num_classes)
    along = np.sqrt(random.uniform(0.01, 1, num_points))
    points = _polar(5 * along, 3.5 * np.pi * along + 2 * np.pi * classes / num_classes)
    return points + random.normal(0, noise, points.shape), classes


def _surface(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., _Made]:
    """Points everywhere, and a value for each."""

    def make(num_points: int, num_classes: int, noise: float, random: np.random.Generator) -> _Made:
        points = random.uniform(-5.5, 5.5, (num_points, 2))
        return points, function(points[:, 0], points[:, 1]) + random.normal(0, noise, num_points)

    return make


def _hills(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    heights = ((-3, 3, 1), (3, 3, -1), (0, 0, 1), (-3, -3, -1), (3, -3, 1))
    return np.sum([h * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 3) for a, b, h in heights], axis=0)


DATASETS: dict[str, Dataset] = {
    "spirals": Dataset(title="Spirals", max_classes=MAX_CLASSES, make=_spirals),
    "circle": Dataset(title="Circle", max_classes=MAX_CLASSES, make=_circle),
    "xor": Dataset(title="Exclusive or", make=_xor),
    "gaussians": Dataset(title="Gaussian clouds", max_classes=MAX_CLASSES, make=_gaussians),
    "moons": Dataset(title="Two moons", make=_moons),
    "own": Dataset(title="Your own points", max_classes=MAX_CLASSES),
    "slope": Dataset(title="Slope", is_regression=True, make=_surface(lambda x, y: (x + y) / 11)),
    "hills": Dataset(title="Hills and valleys", is_regression=True, make=_surface(_hills)),
    "waves": Dataset(
        title="Waves", is_regression=True, make=_surface(lambda x, y: 0.9 * np.sin(0.9 * x) * np.cos(0.7 * y))
    ),
    "own-values": Dataset(title="Your own values", is_regression=True),
}
"""Every kind of data, by name."""

FEATURES: dict[str, tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    "x1": ("x₁", lambda x, y: x),
    "x2": ("x₂", lambda x, y: y),
    "x1x1": ("x₁²", lambda x, y: x * x),
    "x2x2": ("x₂²", lambda x, y: y * y),
    "x1x2": ("x₁x₂", lambda x, y: x * y),
    "sin-x1": ("sin x₁", lambda x, y: np.sin(x)),
    "sin-x2": ("sin x₂", lambda x, y: np.sin(y)),
}
"""What a network can be given of a point: title and function, by name."""


def features_of(points: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """What the network is given of points [n, 2]: [n, features]."""
    return np.column_stack([FEATURES[name][1](points[:, 0], points[:, 1]) for name in names])


def split_points(points: np.ndarray, targets: np.ndarray, test_share: float, random: np.random.Generator) -> Points:
    """A random part of the points is kept for the test; one at least is left to learn from."""
    points = np.clip(points, -EDGE, EDGE)
    num_test = min(round(test_share * len(points)), len(points) - 1)
    is_test = np.zeros(len(points), dtype=bool)
    is_test[random.permutation(len(points))[: max(num_test, 0)]] = True
    return Points(inputs=points, targets=targets, is_test=is_test)


def encode_points(points: np.ndarray, targets: np.ndarray, *, is_regression: bool) -> str:
    """Points as a text that fits into an address: 16 bits for each coordinate and for the target, base64.

    Args:
        points: [n, 2], in the plane.
        targets: [n], classes from 0, or values in [-1, 1].
    """
    steps = np.rint((np.asarray(points).reshape(-1, 2) / EDGE + 1) * 32767.5)
    last = np.rint((np.asarray(targets) + 1) * 32767.5) if is_regression else np.asarray(targets)
    table = np.column_stack([steps, last]).astype("<u2")
    return base64.urlsafe_b64encode(table.tobytes()).decode().rstrip("=")


def decode_points(text: str, *, is_regression: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points and targets that `encode_points` wrote.

    Raises:
        InputError: The text is none of that kind, or holds too many points.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        table = np.frombuffer(raw, dtype="<u2").reshape(-1, 3).astype(np.float64)
    except (binascii.Error, ValueError):
        raise InputError("The points cannot be read", remedy="copy the whole link, or draw them again") from None
    if len(table) > MAX_POINTS:
        raise InputError("There are too many points", expected=f"at most {MAX_POINTS}", received=str(len(table)))
    points = (table[:, :2] / 32767.5 - 1) * EDGE
    if is_regression:
        return points, table[:, 2] / 32767.5 - 1
    if np.any(table[:, 2] >= MAX_CLASSES):
        raise InputError("There are too many classes", expected=f"at most {MAX_CLASSES}")
    return points, table[:, 2].astype(int)
