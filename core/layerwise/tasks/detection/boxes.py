"""Boxes in NumPy: rows of left, top, right, bottom, in pixels from the upper left corner of a picture."""

from __future__ import annotations

import numpy as np


def areas(boxes: np.ndarray) -> np.ndarray:
    """The areas [...] of boxes [..., 4]; 0 for boxes that are turned inside out."""
    sides = np.maximum(boxes[..., 2:4] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def intersections(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The common area [...] of boxes [..., 4] that broadcast."""
    low, high = np.maximum(one[..., :2], other[..., :2]), np.minimum(one[..., 2:4], other[..., 2:4])
    sides = np.maximum(high - low, 0)
    return sides[..., 0] * sides[..., 1]


def iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The intersection over union of each box of `one` [n, 4] with each of `other` [m, 4], [n, m].

    Example:
        >>> iou(np.array([[0, 0, 2, 2]]), np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
        [[1.0, 0.333, 0.0]]
    """
    common = intersections(one[:, None], other[None])
    union = areas(one)[:, None] + areas(other)[None] - common
    return common / np.maximum(union, 1e-9)


def suppressed(boxes: np.ndarray, scores: np.ndarray, threshold: float, *, by_smaller: bool = False) -> np.ndarray:
    """Non-maximum suppression: the positions of the boxes that stay, the highest score first. A box is left out when it
    overlaps with one that stays by more than `threshold`.

    Args:
        boxes: [n, 4].
        scores: [n].
        threshold: The largest overlap.
        by_smaller: Whether the overlap is the intersection by the smaller of both boxes, which also leaves out a box
            within another, and not the intersection over union.

    Example:
        >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
        >>> suppressed(boxes, np.array([0.8, 0.9, 0.7]), 0.5).tolist()
        [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    sizes, kept = areas(boxes), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        common = intersections(boxes[best], boxes[rest])
        whole = np.minimum(sizes[best], sizes[rest]) if by_smaller else sizes[best] + sizes[rest] - common
        order = rest[common <= threshold * whole]
    return np.array(kept, np.intp)
