"""The search for faces: proposals at every size, then a closer look at each, then the closest.

After Zhang et al. 2016 (arXiv:1604.02878, section III), with differences that benchmarks/faces.py measures together:
the picture loses half of its colour, since coloured light misleads the networks; levels of the pyramid are closer
together; windows are cut from a half of the picture that has as much detail as they need; the last look is taken twice
more, at the box that it gave itself and at its mirror image, and the three scores are averaged.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from layerwise.tasks.detection.boxes import suppressed
from layerwise_vision.faces.networks import OUTPUT_SIDE, REFINE_SIDE, STRIDE, WINDOW
from layerwise_vision.faces.pyramid import Pyramid

SMALLEST_FACE = 18.0
"""In pixels. The networks see little of smaller ones."""
STEP = 0.76
COLOUR = 0.5
"""How much of its colours a picture keeps: in coloured light the networks see faces better with half of them."""
PROPOSAL_SCORE, REFINE_SCORE, OUTPUT_SCORE = 0.6, 0.6, 0.4
"""The least scores after each network; the last is what a user can ask for at least."""
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
    first = _output(networks, pyramid, _squares(boxes), mirrored=False)
    sure = first[1] >= OUTPUT_SCORE
    boxes = first[0][sure]
    kept = suppressed(boxes, first[1][sure], 0.6)
    squares, scores = _squares(boxes[kept]), first[1][sure][kept]
    looks = [_output(networks, pyramid, squares, mirrored=mirrored) for mirrored in (False, True)]
    scores = (scores + looks[0][1] + looks[1][1]) / 3
    boxes, points = (looks[0][0] + looks[1][0]) / 2, (looks[0][2] + looks[1][2]) / 2
    sure = scores >= OUTPUT_SCORE
    boxes, scores, points = boxes[sure], scores[sure], points[sure]
    kept = suppressed(boxes, scores, 0.5, by_smaller=True)
    return Faces(boxes[kept], scores[kept], points[kept])


def _output(
    networks: Any, pyramid: Pyramid, squares: np.ndarray, *, mirrored: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, scores and points that the last network gives for square windows."""
    windows = pyramid.windows(squares, OUTPUT_SIDE)
    face, shifts, points = _in_batches(networks.output_network, windows[:, :, ::-1] if mirrored else windows)
    points = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    if mirrored:
        shifts = shifts[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1])
        points = np.stack([1 - points[..., 0], points[..., 1]], axis=-1)[:, MIRRORED]
    sides = (squares[:, 2:] - squares[:, :2])[:, None]
    return _moved(squares, shifts), face[:, 1], squares[:, None, :2] + points * sides


def _in_batches(network: Any, windows: np.ndarray) -> list[np.ndarray]:
    """What a network gives for windows, a few at a time. Batches are padded, so that there is one shape alone."""
    parts = []
    for start in range(0, len(windows), AT_ONCE):
        part = windows[start : start + AT_ONCE]
        size = AT_ONCE if len(windows) > AT_ONCE else 1 << (len(part) - 1).bit_length()
        batch = np.zeros((size, *part.shape[1:]), "float32")
        batch[: len(part)] = _scaled(part)
        parts.append([np.asarray(output)[: len(part)] for output in network(batch)])
    if not parts:
        return [np.zeros((0, *output.shape[1:])) for output in network.outputs]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _scaled(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype("float32") - 127.5) / 128


def _squares(boxes: np.ndarray) -> np.ndarray:
    """The squares around the middles of boxes that are as large as their longer sides."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def _moved(boxes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    return boxes + shifts * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
