"""The search for faces: proposals at every size, then a closer look at each, then the closest.

After Zhang et al. 2016 (arXiv:1604.02878, section III), with differences that benchmarks/faces.py measures together:
the picture loses half of its colour, since coloured light misleads the networks; levels of the pyramid are closer
together; windows are cut from a half of the picture that has as much detail as they need, and dark ones are made
lighter; the last look is taken twice more, turned so that the eyes are level, once at the mirror image, and the three
scores are averaged.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from layerwise.tasks.detection.boxes import suppressed
from layerwise_vision.faces.networks import OUTPUT_SIDE, REFINE_SIDE, STRIDE, WINDOW
from layerwise_vision.faces.pyramid import Pyramid, turned

SMALLEST_FACE = 18.0
"""In pixels. The networks see little of smaller ones."""
STEP = 0.76
COLOUR = 0.5
"""How much of its colours a picture keeps: in coloured light the networks see faces better with half of them."""
PROPOSAL_SCORE, REFINE_SCORE, FIRST_LOOK, LEAST_SCORE = 0.45, 0.3, 0.25, 0.05
"""The least scores after each network, after the first look of the last one, and in the end."""
MOST_TURNED = np.pi / 4
DARK, MOST_GAIN = 105.0, 2.5
"""Windows with a lower mean are made lighter, by this factor at most: faces in the shade."""
MOST_PROPOSALS, MOST_REFINED = 3000, 600
"""The surest ones are looked at closer. It bounds the time that a picture of leaves or gravel takes."""
AT_ONCE = 128
GRID = 32
"""Levels are padded to multiples of this, so that pictures of new sizes need few new shapes."""
MIRRORED = [1, 0, 2, 4, 3]
"""The places of the points in a mirror image: the eyes and the corners of the mouth change sides."""


@dataclass(frozen=True)
class Faces:
    """What was found, the surest first.

    Args:
        boxes: [faces, 4] in pixels of the picture.
        scores: [faces].
        points: [faces, 5, 2], x and y in pixels: the eyes, the nose, the corners of the mouth; left ones first, as seen
            by who looks at the picture.
    """

    boxes: np.ndarray
    scores: np.ndarray
    points: np.ndarray


def find_faces(networks: Any, image: Image.Image, cancelled: threading.Event | None = None) -> Faces:
    """All faces of a picture.

    Args:
        networks: As `layerwise_vision.faces.networks.build` gives it.
        image: In mode "RGB".
        cancelled: Set when nobody waits for the answer any more.
    """
    pyramid = Pyramid(ImageEnhance.Color(image).enhance(COLOUR))
    boxes = _proposed(networks, pyramid, cancelled)
    if len(boxes):
        boxes = _refined(networks, pyramid, boxes[:MOST_PROPOSALS])
    if not len(boxes):
        return Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
    return _checked(networks, pyramid, boxes[:MOST_REFINED])


def _proposed(networks: Any, pyramid: Pyramid, cancelled: threading.Event | None) -> np.ndarray:
    """Boxes, the surest first."""
    found = []
    for level in pyramid.searched(WINDOW, SMALLEST_FACE, STEP):
        if cancelled is not None and cancelled.is_set():
            break
        height, width = level.pixels.shape[:2]
        canvas = np.zeros((1, -(-height // GRID) * GRID, -(-width // GRID) * GRID, 3), "float32")
        canvas[0, :height, :width] = _scaled(level.pixels)
        face, shifts = (np.asarray(part[0]) for part in networks.proposal(canvas))
        rows, columns = (height - WINDOW) // STRIDE + 1, (width - WINDOW) // STRIDE + 1
        scores = face[:rows, :columns, 1]
        down, across = np.nonzero(scores >= PROPOSAL_SCORE)
        corner = np.stack([across, down], axis=1) * float(STRIDE)
        boxes = np.concatenate([corner, corner + WINDOW], axis=1) + WINDOW * shifts[down, across]
        chosen = scores[down, across]
        kept = suppressed(boxes, chosen, 0.5)
        found.append((boxes[kept] / np.array(level.scale * 2), chosen[kept]))
    if not found:
        return np.zeros((0, 4))
    boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    return boxes[suppressed(boxes, scores, 0.7)]


def _refined(networks: Any, pyramid: Pyramid, boxes: np.ndarray) -> np.ndarray:
    boxes = _squares(boxes)
    face, shifts = _in_batches(networks.refine, pyramid.windows(boxes, REFINE_SIDE))
    sure = face[:, 1] >= REFINE_SCORE
    boxes, scores = _moved(boxes[sure], shifts[sure]), face[sure, 1]
    return boxes[suppressed(boxes, scores, 0.7)]


def _checked(networks: Any, pyramid: Pyramid, boxes: np.ndarray) -> Faces:
    upright = np.zeros(len(boxes))
    first = _output(networks, pyramid, _squares(boxes), upright, mirrored=False)
    sure = np.flatnonzero(first.scores >= FIRST_LOOK)
    sure = sure[suppressed(first.boxes[sure], first.scores[sure], 0.6)]
    squares, eyes = _squares(first.boxes[sure]), first.points[sure, 1] - first.points[sure, 0]
    angles = np.arctan2(eyes[:, 1], eyes[:, 0]).clip(-MOST_TURNED, MOST_TURNED)
    looks = [_output(networks, pyramid, squares, angles, mirrored=mirrored) for mirrored in (False, True)]
    scores = (first.scores[sure] + looks[0].scores + looks[1].scores) / 3
    found, points = ((looks[0].boxes + looks[1].boxes) / 2, (looks[0].points + looks[1].points) / 2)
    kept = np.flatnonzero(scores >= LEAST_SCORE)
    kept = kept[suppressed(found[kept], scores[kept], 0.5, by_smaller=True)]
    return Faces(found[kept], scores[kept], points[kept])


def _output(networks: Any, pyramid: Pyramid, squares: np.ndarray, angles: np.ndarray, *, mirrored: bool) -> Faces:
    """What the last network gives for square windows, each turned around its middle so that the eyes are level."""
    windows = pyramid.windows(squares, OUTPUT_SIDE, angles)
    face, shifts, points = _in_batches(networks.output_network, windows[:, :, ::-1] if mirrored else windows)
    points = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    if mirrored:
        shifts = shifts[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1])
        points = np.stack([1 - points[..., 0], points[..., 1]], axis=-1)[:, MIRRORED]
    middles, sides = (squares[:, :2] + squares[:, 2:]) / 2, squares[:, 2:] - squares[:, :2]
    points = middles[:, None] + turned((points - 0.5) * sides[:, None], angles[:, None])
    # The middle of a box turns with its window; its sides stay level.
    moved = _moved(squares, shifts)
    offset = (moved[:, :2] + moved[:, 2:]) / 2 - middles
    moved += np.tile(turned(offset, angles) - offset, 2)
    return Faces(moved, face[:, 1], points)


def _in_batches(network: Any, windows: np.ndarray) -> list[np.ndarray]:
    """What a network gives for windows, a few at a time. Batches are padded, so that there is one shape alone."""
    parts = []
    for start in range(0, len(windows), AT_ONCE):
        part = windows[start : start + AT_ONCE]
        size = AT_ONCE if len(windows) > AT_ONCE else 1 << (len(part) - 1).bit_length()
        batch = np.zeros((size, *part.shape[1:]), "float32")
        batch[: len(part)] = _scaled(_lit(part))
        parts.append([np.asarray(output)[: len(part)] for output in network(batch)])
    if not parts:
        return [np.zeros((0, *output.shape[1:])) for output in network.outputs]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _lit(windows: np.ndarray) -> np.ndarray:
    """Windows, dark ones lighter."""
    means = windows.mean(axis=(1, 2, 3), dtype="float32")
    gain = (DARK / np.maximum(means, 1)).clip(1, MOST_GAIN)
    return np.minimum(windows * gain[:, None, None, None], 255)


def _scaled(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype("float32") - 127.5) / 128


def _squares(boxes: np.ndarray) -> np.ndarray:
    """The squares around the middles of boxes that are as large as their longer sides."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def _moved(boxes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    return boxes + shifts * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
