"""Pictures of a user's own with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.datasets.prepared import prepared
from layerwise.errors import DataError
from layerwise.own_data import DataReport, Sample, counts_by_class, size_range
from layerwise.splits import Split
from layerwise.tasks.decoding import Decoder, Frame, decoded
from layerwise.tasks.detection.coco import Annotations, Picture
from layerwise.tasks.framing import place_in_frame

NUM_SHOWN = 6
_FORMAT = 1
"""Counted up when pictures are decoded in another way, so that none of the former way is taken from the cache."""


def read_coco(
    folder: Path, frame: Frame, shape: tuple[int, int, int], purpose: str
) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The labels of a folder, sorted by name, its splits and the report of it.

    The splits hold what `frame` gives, and boxes float32 [pictures, most, 5] in pixels of that: left, top, right,
    bottom, position in the labels; -1 where a picture has fewer than others.

    Args:
        folder: As `ObjectDetection.folder_format` says.
        frame: A picture as the network takes it, of `shape`: whole, as large as it can be and in the middle.
        purpose: What identifies `frame` and its parameters.

    Raises:
        DataError: The folder is not laid out like that, or a tenth of its pictures or boxes is unusable.
    """
    found = Annotations.of(folder)
    entry, known = prepared(
        found.root,
        f"boxes {_FORMAT} {purpose} {shape}",
        found.state(),
        lambda target: _decode(found, Decoder(found.splits, frame, shape), target),
    )
    splits = {
        name: Split(
            decoded(entry, name, count, shape),
            np.fromfile(entry / f"{name}-boxes", "float32").reshape(count, -1, 5),
        )
        for name, count in known["counts"].items()
    }
    return tuple(known["labels"]), splits, DataReport.from_json(known["report"])


def _decode(found: Annotations, decoder: Decoder[Picture], target: Path) -> dict[str, Any]:
    """Write the pictures and their boxes; the labels, how many there are in each split, and the report."""
    decoder.write(target)
    labels = found.labels
    most = max(len(picture.boxes) for picture in found.pictures)
    for split, pictures in decoder.readable.items():
        rows = [
            _rows(picture, size, decoder.shape, labels, most)
            for picture, size in zip(pictures, decoder.sizes[split], strict=True)
        ]
        np.array(rows, "float32").tofile(target / f"{split}-boxes")
    report = _report(found, decoder)
    for split, pictures in decoder.readable.items():
        if not any(picture.boxes for picture in pictures):
            raise DataError(f"No picture of the {split} split that has a box can be read")
    return {"labels": labels, "counts": decoder.counts, "report": report.as_json()}


def _rows(
    picture: Picture, size: tuple[int, int], shape: tuple[int, int, int], labels: Sequence[str], most: int
) -> np.ndarray:
    """The boxes [most, 5] in pixels of the frame."""
    left, top, width, height = place_in_frame(size, (shape[1], shape[0]))
    scale, offset = np.array([width / size[0], height / size[1]] * 2), np.array([left, top] * 2)
    rows = np.full((most, 5), -1, "float32")
    for place, box in enumerate(picture.boxes):
        rows[place] = [*(np.array(box[:4]) * scale + offset), labels.index(box[4])]
    return rows


def _report(found: Annotations, decoder: Decoder[Picture]) -> DataReport:
    boxes = {split: [box for picture in part for box in picture.boxes] for split, part in decoder.readable.items()}
    classes = counts_by_class({split: [box[4] for box in part] for split, part in boxes.items()})
    counts = [len(picture.boxes) for part in decoder.readable.values() for picture in part]
    sides = [max(box[2] - box[0], box[3] - box[1]) for part in boxes.values() for box in part]
    return decoder.report(
        found.root,
        classes=classes,
        counted="boxes",
        sizes={
            "boxes in a picture": size_range(counts or [0]),
            "longer side of a box in pixels": size_range(sides or [0]),
        },
        warnings=found.warnings(),
        examples=[
            Sample(
                label=", ".join(sorted({box[4] for box in picture.boxes})),
                kind="image",
                value=picture.path.relative_to(found.root).as_posix(),
            )
            for picture in decoder.readable["train"][:NUM_SHOWN]
        ],
    )
