"""Pictures of any size as tiles of one size, and what a network gave for the tiles as a map of the picture.

Neighbouring tiles overlap, and where they do the network's answers are blended: a tile counts little at its border,
where the network cannot see what lies beyond (after Ronneberger et al. 2015, arXiv:1505.04597, "overlap-tile
strategy").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

OVERLAP = 32
"""By how many pixels neighbouring tiles overlap at least; small ones by half of their side."""


@dataclass(frozen=True)
class Tiling:
    """Where the tiles of a picture lie.

    Args:
        height, width: Of the picture.
        side: Of a tile.
        corners: The upper left corner of each tile.
    """

    height: int
    width: int
    side: int
    corners: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, picture: np.ndarray, side: int, *, overlap: int = OVERLAP) -> Tiling:
        """As few tiles as cover a picture [height, width, channels], spread evenly."""
        height, width = picture.shape[:2]
        overlap = min(overlap, side // 2)
        rows, columns = (_starts(length, side, overlap) for length in (height, width))
        return cls(height, width, side, tuple((row, column) for row in rows for column in columns))

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The tiles [tiles, side, side, ...] of an array [height, width, ...], mirrored beyond its border where it is
        smaller than a tile."""
        padding = [(0, max(0, self.side - length)) for length in (self.height, self.width)]
        if any(after for _, after in padding):
            # "symmetric" can mirror a picture of one pixel, too.
            image = np.pad(image, (*padding, *[(0, 0)] * (image.ndim - 2)), mode="symmetric")
        return np.stack([image[row : row + self.side, left : left + self.side] for row, left in self.corners])

    def blend(self, tiles: Iterable[np.ndarray], channels: int) -> np.ndarray:
        """The map of a picture, float32 [height, width, channels].

        Args:
            tiles: What was given for each tile, [side, side, channels], in the order of `corners`. Where they end
                early the map stays zero.
        """
        shape = max(self.height, self.side), max(self.width, self.side)
        total, weight = np.zeros((*shape, channels), "float32"), np.zeros((*shape, 1), "float32")
        ramp = _ramp(self.side)
        for (row, left), tile in zip(self.corners, tiles, strict=False):
            place = slice(row, row + self.side), slice(left, left + self.side)
            total[place] += ramp * tile
            weight[place] += ramp
        np.divide(total, weight, out=total, where=weight > 0)
        return total[: self.height, : self.width]


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [round(place) for place in np.linspace(0, length - side, count)]


def _ramp(side: int) -> np.ndarray:
    """[side, side, 1]: 1 in the middle, falling towards the border over the overlap."""
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1.0
    line = np.minimum(distance / OVERLAP, 1.0).astype("float32")
    return np.minimum(line[:, None], line[None, :])[..., None]
