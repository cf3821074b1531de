"""A small example of a folder of pictures with boxes: shapes that are drawn by code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from layerwise.tasks.sample_pictures import SHAPES, draw_scene

SAMPLE_PICTURES = 40
"""How many pictures an example of such a folder has."""


def write_sample(folder: Path, size: tuple[int, int]) -> None:
    """Write pictures of shapes, and one JSON file of their boxes.

    Args:
        folder: An empty folder.
        size: Height and width of the network's frame in pixels.
    """
    random = np.random.default_rng(0)
    categories = {name: number for number, name in enumerate(SHAPES, start=1)}
    images, annotations = [], []
    (folder / "images").mkdir()
    for number in range(1, SAMPLE_PICTURES + 1):
        names = random.choice([*SHAPES], random.integers(1, 5)).tolist()
        scene = draw_scene(random, size, names, (0.12, 0.2))
        path = folder / "images" / f"{number}.png"
        scene.image.save(path)
        width, height = scene.image.size
        images.append({"id": number, "file_name": path.name, "width": width, "height": height})
        for name, mask in scene.things:
            numbers = {"id": len(annotations) + 1, "image_id": number, "category_id": categories[name]}
            annotations.append({**numbers, "bbox": _bbox(mask), "area": int(mask.sum()), "iscrowd": 0})
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }
    (folder / "annotations.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _bbox(mask: np.ndarray) -> list[int]:
    """Left, top, width and height of where a mask is true."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)).tolist() for axis in (1, 0))
    return [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
