"""A picture in many sizes, in NumPy and Pillow: to be searched for faces of every size, and to cut windows from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

MOST_PIXELS = 1_400_000
"""How many pixels the largest level that is searched may have, which bounds the time: a photograph of 12 megapixels is
searched for faces from about 35 pixels on, one of 3 megapixels for all. In more detail the same faces are larger."""
GREY = 127.5
"""What lies beyond a picture."""


@dataclass(frozen=True)
class Level:
    """A picture shrunk.

    Args:
        pixels: uint8 [height, width, 3].
        scale: By how much it was shrunk: its width by that of the picture, and the same of the heights.
    """

    pixels: np.ndarray
    scale: tuple[float, float]


class Pyramid:
    """A picture and its halves, down to a few pixels.

    Args:
        image: In mode "RGB".
    """

    def __init__(self, image: Image.Image) -> None:
        self.size = image.size
        self._images = [image]
        while min(self._images[-1].size) >= 48:
            self._images.append(self._images[-1].reduce(2))
        self._levels = [self._level(half) for half in self._images]

    def _level(self, image: Image.Image) -> Level:
        return Level(np.asarray(image), (image.width / self.size[0], image.height / self.size[1]))

    def searched(self, window: int, smallest: float, step: float) -> Iterator[Level]:
        """The levels in which a window of a fixed size finds faces of all sizes.

        Args:
            window: The side of the window in pixels.
            smallest: The side of the smallest face in pixels, larger where MOST_PIXELS asks for it.
            step: By how much a level is smaller than the one before.
        """
        width, height = self.size
        scale = min(window / smallest, (MOST_PIXELS / (width * height)) ** 0.5)
        while min(width, height) * scale >= window:
            size = round(width * scale), round(height * scale)
            source = next(half for half in reversed(self._images) if half.width >= size[0] or half is self._images[0])
            yield self._level(source if source.size == size else source.resize(size, Image.Resampling.BILINEAR))
            scale *= step

    def windows(self, boxes: np.ndarray, side: int, angles: np.ndarray | None = None) -> np.ndarray:
        """Square windows, uint8 [boxes, side, side, 3], each from the smallest half that has all its detail: sampling
        the picture itself at a few points of a large face would show noise. What lies beyond the picture is grey.

        Args:
            boxes: [boxes, 4] in pixels of the picture.
            angles: By how much each is turned around its middle, in radians, clockwise; None for not at all.
        """
        angles = np.zeros(len(boxes)) if angles is None else angles
        windows = np.empty((len(boxes), side, side, 3), "uint8")
        lengths = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        wanted = np.clip(np.floor(np.log2(np.maximum(lengths, 1) / side)), 0, len(self._levels) - 1).astype(int)
        for place in np.unique(wanted):
            chosen = wanted == place
            windows[chosen] = _sampled(self._levels[place], boxes[chosen], angles[chosen], side)
        return windows


def turned(offsets: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Offsets [..., 2] from a middle, turned clockwise by angles [...] in radians (y grows downwards)."""
    cosine, sine = np.cos(angles), np.sin(angles)
    x, y = offsets[..., 0], offsets[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def _sampled(level: Level, boxes: np.ndarray, angles: np.ndarray, side: int) -> np.ndarray:
    """Bilinear samples [boxes, side, side, 3] in the middles of a grid over each box."""
    steps = (np.arange(side) + 0.5) / side - 0.5
    grid = np.stack(np.meshgrid(steps, steps), axis=-1)
    offsets = grid[None] * (boxes[:, 2:] - boxes[:, :2])[:, None, None]
    middles = (boxes[:, :2] + boxes[:, 2:])[:, None, None] / 2
    places = (middles + turned(offsets, angles[:, None, None])) * np.array(level.scale) - 0.5
    height, width = level.pixels.shape[:2]
    corner = np.floor(places).astype(int)
    (left, top), (x, y) = np.moveaxis(corner, -1, 0), np.moveaxis((places - corner)[..., None], -2, 0).astype("float32")

    def at(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return level.pixels[rows.clip(0, height - 1), columns.clip(0, width - 1)].astype("float32")

    upper = at(top, left) * (1 - x) + at(top, left + 1) * x
    lower = at(top + 1, left) * (1 - x) + at(top + 1, left + 1) * x
    found = upper * (1 - y) + lower * y
    within = np.all((places > -1) & (places < np.array([width, height])), axis=-1)
    return np.where(within[..., None], found, GREY).round().astype("uint8")
