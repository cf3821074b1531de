"""Pictures drawn by code, to try networks with that are given pictures: those of others have licences."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw

SIDE = 224
"""Pixels of each side of a drawing of a shape."""
HALL = 224, 168
"""Width and height in pixels of the drawing of a hall."""
_MIDDLE, _RADIUS = SIDE / 2, 76.0
_HALF_WIDTH, _HALF_HEIGHT, _LENGTH = 1.5, 1.0, 12.0
_BALL, _SHADES = 0.32, 24


def _corners(count: int, *radii: float) -> list[tuple[float, float]]:
    """The corners of a figure from the top on, in turn as far from the middle as `radii` say."""
    angles = [2 * math.pi * number / count - math.pi / 2 for number in range(count)]
    reach = [radii[number % len(radii)] for number in range(count)]
    pairs = zip(angles, reach, strict=True)
    return [(_MIDDLE + far * math.cos(angle), _MIDDLE + far * math.sin(angle)) for angle, far in pairs]


SHAPES: Mapping[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "a red circle": lambda draw: draw.ellipse(
        (_MIDDLE - _RADIUS, _MIDDLE - _RADIUS, _MIDDLE + _RADIUS, _MIDDLE + _RADIUS), fill=(214, 40, 40)
    ),
    "a blue square": lambda draw: draw.rectangle(
        (_MIDDLE - 66, _MIDDLE - 66, _MIDDLE + 66, _MIDDLE + 66), fill=(29, 78, 216)
    ),
    "a green triangle": lambda draw: draw.polygon(_corners(3, 88.0), fill=(22, 138, 62)),
    "a yellow star": lambda draw: draw.polygon(_corners(10, 92.0, 38.0), fill=(240, 180, 20)),
}
"""What is drawn, by what it is."""


def shape(name: str) -> Image.Image:
    """One of SHAPES on white."""
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    SHAPES[name](ImageDraw.Draw(picture))
    return picture


def as_png(picture: Image.Image) -> bytes:
    """A drawing as the bytes of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def hall() -> Image.Image:
    """A hall in central perspective that leads away from who looks, with three balls on its tiles."""
    picture = Image.fromarray(_walls())
    draw = ImageDraw.Draw(picture)
    for across, far, color in ((0.9, 7.0, (70, 110, 190)), (-0.7, 4.0, (200, 120, 40)), (0.55, 2.4, (170, 50, 60))):
        _draw_ball(draw, across, far, color)
    return picture


def _walls() -> np.ndarray:
    """The hall without the balls, uint8 [height, width, 3]: for each pixel the distance at which its ray ends, in units
    of half the height of the hall, and what it meets there, which is darker the farther it is."""
    width, height = HALL
    rows, columns = np.mgrid[:height, :width] + 0.5
    x, y = (columns - width / 2) / height, (rows - height / 2) / height
    sides, floors = _HALF_WIDTH / np.abs(x), _HALF_HEIGHT / np.abs(y)
    far = np.minimum(np.minimum(sides, floors), _LENGTH)
    even = np.floor(far) % 2 == 0
    tiles = even ^ (np.floor(2 * x * far) % 2 == 0)
    kinds = [far == _LENGTH, (far == floors) & (y > 0) & tiles, (far == floors) & (y > 0), far == floors, even]
    colors = [(190, 185, 175), (215, 200, 180), (120, 100, 85), (225, 225, 225), (150, 163, 172), (160, 175, 185)]
    place = np.select(kinds, np.arange(len(kinds)), len(kinds))
    return (np.array(colors)[place] / (1 + 0.12 * far[..., None])).astype("uint8")


def _draw_ball(draw: ImageDraw.ImageDraw, across: float, far: float, color: tuple[int, int, int]) -> None:
    """A ball on the floor: discs from its edge to the light on it, each lighter, smaller and nearer to the light.

    Args:
        across: How far right of the middle of the hall its middle is.
        far: How far away.
    """
    width, height = HALL
    radius = height * _BALL / far
    x, y = width / 2 + height * across / far, height / 2 + height * (_HALF_HEIGHT - _BALL) / far
    for share in np.linspace(1, 0, _SHADES, endpoint=False).tolist():
        left, top = x - 0.25 * radius * (1 - share), y - 0.3 * radius * (1 - share)
        reach, light = radius * share, 1.25 - 0.8 * share
        red, green, blue = (min(255, round(light * value)) for value in color)
        draw.ellipse((left - reach, top - reach, left + reach, top + reach), fill=(red, green, blue))
