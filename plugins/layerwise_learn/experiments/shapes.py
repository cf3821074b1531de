"""Small pictures of shapes, drawn by formulas, and what a person might measure in them."""

from __future__ import annotations

from itertools import product

import numpy as np

SIDE = 16
SHAPES = ("ring", "square", "triangle", "cross")
FEATURES = (
    "ink",
    "ink in the middle",
    "ink in the corners",
    "left against right",
    "top against bottom",
    "strokes crossed in the middle row",
    "strokes crossed in the middle column",
)
"""What `hand_made` measures."""
_INK = 0.5


def pictures(count: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shapes of any size, place and small turn: pixels [count, SIDE, SIDE], mostly 0 to 1, and class numbers [count].

    Args:
        noise: The standard deviation of what is added to each pixel.
    """
    generator = np.random.default_rng(seed)
    classes = np.arange(count) % len(SHAPES)
    centers = (SIDE - 1) / 2 + generator.uniform(-2.5, 2.5, (2, count, 1, 1))
    radius = generator.uniform(3, 5.5, (count, 1, 1))
    angle = generator.uniform(-0.35, 0.35, (count, 1, 1))
    rows, columns = np.mgrid[:SIDE, :SIDE][:, np.newaxis]
    down, right = rows - centers[0], columns - centers[1]
    x, y = right * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - right * np.sin(angle)
    distances = np.stack([_ring(x, y, radius), _square(x, y, radius), _triangle(x, y, radius), _cross(x, y, radius)])
    pixels = np.clip(1.3 - distances[classes, np.arange(count)], 0, 1)
    return pixels + generator.normal(0, noise, pixels.shape), classes


def _ring(x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(x, y) - radius)


def _square(x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    return np.abs(np.maximum(np.abs(x), np.abs(y)) - 0.85 * radius)


def _triangle(x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    sides = np.maximum(y, np.abs(x) * np.sqrt(0.75) - y / 2)
    return np.abs(sides - 0.6 * radius)


def _cross(x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    near, far = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    return np.maximum(near, far - radius)


def hand_made(pixels: np.ndarray) -> np.ndarray:
    """FEATURES of each picture, [count, len(FEATURES)]: of the pixels with enough ink, in the smallest box around
    them."""
    return np.array([_measured(picture > _INK) for picture in pixels])


def _measured(ink: np.ndarray) -> list[float]:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return [0.0] * len(FEATURES)
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = box.shape
    upper, left = max(1, height // 3), max(1, width // 3)
    middle = box[upper : height - upper, left : width - left]
    ends = [(slice(upper), slice(-upper, None)), (slice(left), slice(-left, None))]
    corners = [box[across, along] for across, along in product(*ends)]
    total = float(box.sum())
    return [
        total,
        float(middle.mean()) if middle.size else 0.0,
        float(np.mean([corner.mean() for corner in corners])),
        float(np.abs(box[:, : width // 2].sum() - box[:, -(width // 2) :].sum()) / total) if width > 1 else 0.0,
        float((box[: height // 2].sum() - box[-(height // 2) :].sum()) / total) if height > 1 else 0.0,
        _strokes(box[height // 2]),
        _strokes(box[:, width // 2]),
    ]


def _strokes(line: np.ndarray) -> float:
    """How many runs of ink a line crosses."""
    return float(np.sum(np.diff(np.concatenate([[0], line.astype(int)])) == 1))
