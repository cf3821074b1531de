"""Pictures drawn by code, of which small examples of a user's own data are made: light shapes on a dark ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

LONGER, SHORTEST = 64, 24
"""Pixels of the longer side of a picture, and the least of the other one."""
SHAPES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "cross": lambda x, y: (np.minimum(abs(x), abs(y)) <= 0.3) & (np.maximum(abs(x), abs(y)) <= 1),
    "disc": lambda x, y: x**2 + y**2 <= 1,
    "frame": lambda x, y: (np.maximum(abs(x), abs(y)) <= 0.9) & (np.maximum(abs(x), abs(y)) >= 0.5),
}
"""Whether places belong to a shape, by their distances from its middle, in radii."""
_TRIES = 20


@dataclass(frozen=True)
class Scene:
    """A picture, and for each shape that it shows its name and where it is, bool [height, width]."""

    image: Image.Image
    things: Sequence[tuple[str, np.ndarray]]


def draw_scene(
    random: np.random.Generator, size: tuple[int, int], names: Sequence[str], radii: tuple[float, float]
) -> Scene:
    """A picture of shapes that do not overlap. A shape for which no room is found is left out; the first has room.

    Args:
        size: Height and width of a network's frame in pixels: the picture has about its shape.
        names: What is shown, of `SHAPES`.
        radii: The smallest and the largest radius, as shares of the shorter side.
    """
    height, width = (max(SHORTEST, round(side * LONGER / max(size))) for side in size)
    rows, columns = np.mgrid[:height, :width]
    # A ground that is everywhere a little different, and never as light as a shape.
    slope = np.sum(random.uniform(-1, 1, 2)[:, None, None] * (rows / height - 0.5, columns / width - 0.5), axis=0)
    pixels = np.clip(random.uniform(25, 45, 3) + 30 * slope[..., None], 0, 255)
    things: list[tuple[str, np.ndarray]] = []
    taken = np.zeros((height, width), bool)
    for name in names:
        for _ in range(_TRIES):
            radius = random.uniform(*radii) * min(height, width)
            row, column = (random.uniform(radius, side - 1 - radius) for side in (height, width))
            mask = SHAPES[name]((columns - column) / radius, (rows - row) / radius)
            if not (mask & taken).any():
                pixels[mask] = random.uniform(150, 250, 3)
                taken |= mask
                things.append((name, mask))
                break
    return Scene(Image.fromarray(pixels.astype("uint8")), things)
