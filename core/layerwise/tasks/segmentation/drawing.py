"""What a map of labels looks like: the picture with each region tinted and outlined, and tables of regions."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

OPACITY = 0.38
GOLDEN = 0.618033988749895


def overlay(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The picture with regions in colours of their own and outlines, uint8 [height, width, 3].

    Args:
        picture: uint8 [height, width, channels].
        labels: [height, width], 0 for the ground.
    """
    ground = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture[..., :3]
    colors = palette(int(labels.max(initial=0)))[labels]
    inside = (labels > 0)[..., None]
    edge = _edges(labels)[..., None]
    tinted = np.where(inside, (1 - OPACITY) * ground + OPACITY * colors, ground)
    return np.rint(np.where(edge, colors, tinted)).astype("uint8")


def palette(count: int) -> np.ndarray:
    """[count + 1, 3] colours of 0 to 255, unlike those of neighbouring numbers; the first is black."""
    # Steps of the golden ratio around the circle of hues never come close to a former one soon.
    found = [colorsys.hsv_to_rgb((0.11 + number * GOLDEN) % 1, 0.75, 1.0) for number in range(count)]
    return 255.0 * np.array([(0.0, 0.0, 0.0), *found])


def _edges(labels: np.ndarray) -> np.ndarray:
    """The pixels of regions that lie beside another region or the ground."""
    padded = np.pad(labels, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    differs = (
        (padded[:-2, 1:-1] != middle)
        | (padded[2:, 1:-1] != middle)
        | (padded[1:-1, :-2] != middle)
        | (padded[1:-1, 2:] != middle)
    )
    return differs & (labels > 0)


def instance_rows(labels: np.ndarray) -> list[dict[str, float]]:
    """A row for each thing, the largest first: its number in the map, its area, where its middle is, and how long and
    wide the box around it is."""
    count = int(labels.max(initial=0))
    if count == 0:
        return []
    rows, columns = np.nonzero(labels)
    numbers = labels[rows, columns]
    areas = np.bincount(numbers, minlength=count + 1)
    middles = [np.bincount(numbers, weights=place, minlength=count + 1) for place in (columns, rows)]
    lows, highs = (np.full((count + 1, 2), fill) for fill in (np.iinfo("int64").max, -1))
    for axis, place in enumerate((columns, rows)):
        np.minimum.at(lows[:, axis], numbers, place)
        np.maximum.at(highs[:, axis], numbers, place)
    order = [number for number in np.argsort(-areas[1:], kind="stable") + 1 if areas[number]]
    return [
        {
            "number": int(number),
            "area": int(areas[number]),
            "x": round(float(middles[0][number] / areas[number]), 1),
            "y": round(float(middles[1][number] / areas[number]), 1),
            "width": int(highs[number, 0] - lows[number, 0] + 1),
            "height": int(highs[number, 1] - lows[number, 1] + 1),
        }
        for number in order
    ]


def area_rows(labels: np.ndarray, names: Sequence[str]) -> list[dict[str, str | float]]:
    """A row for each class that occurs: its name, how many pixels it has, and their share in percent."""
    counts = np.bincount(labels.ravel(), minlength=len(names) + 1)
    return [
        {"class": name, "area": int(count), "percent": round(100 * count / labels.size, 2)}
        for name, count in zip(names, counts[1:], strict=True)
        if count
    ]


def label_png(labels: np.ndarray) -> bytes:
    """A map of labels as a PNG of whole numbers, 8 bits each where that is enough and 16 otherwise."""
    is_small = labels.max(initial=0) < 256
    buffer = io.BytesIO()
    Image.fromarray(labels.astype("uint8" if is_small else "uint16")).save(buffer, format="PNG")
    return buffer.getvalue()
