"""What a map of labels looks like: the picture with each region tinted and outlined, and tables of regions."""

from __future__ import annotations

import colorsys
import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

OPACITY = 0.38
BRIGHT = 160.0
"""As bright as this is the brightest pixel of an overlay at least."""
GOLDEN = 0.618033988749895
INSTANCE_COLUMNS = ("number", "area", "x", "y", "width", "height")
AREA_COLUMNS = ("class", "area", "percent")


def overlay(picture: np.ndarray, labels: np.ndarray) -> Image.Image:
    """The picture with regions in colours of their own and outlines. A dark picture is made lighter, to be seen.

    Args:
        picture: uint8 [height, width, channels].
        labels: [height, width], 0 for the ground.
    """
    ground = np.broadcast_to(picture * max(1.0, BRIGHT / max(picture.max(), 1.0)), (*picture.shape[:2], 3))
    colors = palette(int(labels.max(initial=0)))[labels]
    inside = (labels > 0)[..., None]
    edge = _edges(labels)[..., None]
    tinted = np.where(inside, (1 - OPACITY) * ground + OPACITY * colors, ground)
    return Image.fromarray(np.rint(np.where(edge, colors, tinted)).astype("uint8"))


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
    from scipy import ndimage

    found = []
    for number, box in enumerate(ndimage.find_objects(labels.astype("int32")), start=1):
        if box is None:
            continue
        places = np.argwhere(labels[box] == number)
        y, x = places.mean(axis=0) + [side.start for side in box]
        height, width = labels[box].shape
        values = number, len(places), round(float(x), 1), round(float(y), 1), width, height
        found.append(dict(zip(INSTANCE_COLUMNS, values, strict=True)))
    return sorted(found, key=lambda row: -row["area"])


def area_rows(labels: np.ndarray, names: Sequence[str]) -> list[dict[str, str | float]]:
    """A row for each class that occurs: its name, how many pixels it has, and their share in percent."""
    counts = np.bincount(labels.ravel(), minlength=len(names) + 1)
    return [
        {"class": name, "area": int(count), "percent": round(100 * count / labels.size, 2)}
        for name, count in zip(names, counts[1:], strict=True)
        if count
    ]


def table_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> bytes:
    """A table as CSV, with the names of the columns in the first line."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def label_png(labels: np.ndarray) -> bytes:
    """A map of labels as a PNG of whole numbers, 8 bits each where that is enough and 16 otherwise."""
    is_small = labels.max(initial=0) < 256
    buffer = io.BytesIO()
    Image.fromarray(labels.astype("uint8" if is_small else "uint16")).save(buffer, format="PNG")
    return buffer.getvalue()
