"""A map on which each picture lies where its vector does, drawn with the pictures themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT = 960, 640
"""Of the map, in pixels."""
FRAME = (230, 126, 34)
CELL = 32
"""Each picture has a square of so many pixels, and each square one picture."""
CELLS = ((24, 96), (80, 64))
"""Up to so many pictures may be larger."""
_MARGIN = 3


def cell_of(count: int) -> int:
    """How large pictures can be drawn, so that most of the map stays empty.

    Example:
        >>> cell_of(12), cell_of(400)
        (96, 32)
    """
    return next((cell for most, cell in CELLS if count <= most), CELL)


def pasted(
    pictures: Sequence[Image.Image],
    places: np.ndarray,
    ground: tuple[int, int, int],
    *,
    cell: int = CELL,
    is_complete: bool = False,
) -> Image.Image:
    """Small pictures in a grid, each about where it lies; the first lies above all, larger and with a frame.

    Args:
        pictures: In colour; those that are not square are squeezed.
        places: [pictures, 2], the second number upwards.
        ground: The colour between them.
        cell: Pixels of a side of each; the first has twice as many.
        is_complete: Whether each is seen, in the nearest square that is free; they must be fewer than the squares.
            Otherwise of several in one square the first is seen, and none below the larger one.

    Returns:
        A picture of WIDTH x HEIGHT pixels.
    """
    from PIL import Image

    low, extent = places.min(axis=0), np.ptp(places, axis=0)
    shares = (places - low) / np.where(extent > 0, extent, 1.0)
    shares[:, 1] = 1 - shares[:, 1]
    left, top = (int(place) for place in shares[0] * (WIDTH - 2 * cell, HEIGHT - 2 * cell))
    columns, rows = WIDTH // cell, HEIGHT // cell
    wanted = shares[1:] * (columns - 1, rows - 1)
    if is_complete:
        covered = (left - _MARGIN, top - _MARGIN, left + 2 * cell + _MARGIN, top + 2 * cell + _MARGIN)
        seen = _free_cells(wanted, columns, rows, cell, covered)
    else:
        cells = wanted.round().astype(int)
        _, first = np.unique(cells, axis=0, return_index=True)
        seen = {int(number): (int(cells[number, 0]), int(cells[number, 1])) for number in first}
    canvas = Image.new("RGB", (WIDTH, HEIGHT), ground)
    for number, (column, row) in seen.items():
        canvas.paste(_small(pictures[number + 1], cell), (column * cell, row * cell))
    canvas.paste(FRAME, (left - _MARGIN, top - _MARGIN, left + 2 * cell + _MARGIN, top + 2 * cell + _MARGIN))
    canvas.paste(_small(pictures[0], 2 * cell), (left, top))
    return canvas


def _free_cells(
    wanted: np.ndarray, columns: int, rows: int, cell: int, covered: tuple[int, int, int, int]
) -> dict[int, tuple[int, int]]:
    """A square of its own for each place [places, 2], in columns and rows, the nearest that is free: by its number.

    Args:
        covered: Left, top, right and bottom in pixels of what lies above the squares.
    """
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    x, y = (grid * cell).T
    left, top, right, bottom = covered
    is_free = ~((x < right) & (x + cell > left) & (y < bottom) & (y + cell > top))
    found = {}
    for number, place in enumerate(wanted):
        distances = np.where(is_free, ((grid - place) ** 2).sum(axis=1), np.inf)
        nearest = int(distances.argmin())
        is_free[nearest] = False
        found[number] = (int(grid[nearest, 0]), int(grid[nearest, 1]))
    return found


def _small(picture: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    return picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
