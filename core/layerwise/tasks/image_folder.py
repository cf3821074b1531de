"""Pictures of a user's own, by class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.datasets.prepared import prepared
from layerwise.errors import DataError
from layerwise.own_data import DataReport, Sample, counts_by_class, sample_positions
from layerwise.splits import Split
from layerwise.tasks.decoding import Decoder, Frame, PictureFile, decoded
from layerwise.tasks.folders import Scan, check_counts, scan_classes
from layerwise.tasks.sample_pictures import SHAPES, draw_scene

SUFFIXES = (
    ".avif",
    ".bmp",
    ".gif",
    ".jfif",
    ".jp2",
    ".jpe",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
_FORMAT = 1
"""Counted up when pictures are decoded in another way, so that none of the former way is taken from the cache."""
SAMPLE_PICTURES = 24
"""How many pictures of each class an example of such a folder has."""


@dataclass(frozen=True, kw_only=True)
class LabelledPicture(PictureFile):
    """A picture and its class."""

    label: str


def read_pictures(
    folder: Path, frame: Frame, shape: tuple[int, int, int], purpose: str
) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The labels of a folder of pictures by class, sorted by name, its splits and the report of it.

    The pictures of the splits are in files of the cache, mapped into memory. Unreadable ones are left out.

    Args:
        folder: As `layerwise.tasks.folders.scan_classes` takes it.
        shape: What `frame` gives.
        purpose: What identifies `frame` and its parameters.

    Raises:
        DataError: The folder is not laid out like that, a tenth of its pictures is unreadable, or they do not
            fit on the disk once they are decoded.
    """
    scan = scan_classes(folder, SUFFIXES)
    pictures = {
        split: [LabelledPicture(path=file.path, name=scan.name(file), label=file.label) for file in files]
        for split, files in scan.splits.items()
    }
    entry, known = prepared(
        scan.root,
        f"pictures {_FORMAT} {purpose} {shape}",
        _state(scan, pictures),
        lambda target: _decode(scan, Decoder(pictures, frame, shape), target),
    )
    splits = {
        name: Split(decoded(entry, name, count, shape), np.fromfile(entry / f"{name}-targets", "int32"))
        for name, count in known["counts"].items()
    }
    return tuple(known["labels"]), splits, DataReport.from_json(known["report"])


def _state(scan: Scan, pictures: dict[str, list[LabelledPicture]]) -> Iterator[str]:
    yield json.dumps(scan.others)
    for split, part in pictures.items():
        for picture in part:
            yield f"{split} {picture.state}"


def _decode(scan: Scan, decoder: Decoder[LabelledPicture], target: Path) -> dict[str, Any]:
    """Write the pictures and their targets; the labels, how many there are in each split, and the report."""
    decoder.write(target)
    places = {label: place for place, label in enumerate(scan.labels)}
    labels = {split: [picture.label for picture in part] for split, part in decoder.readable.items()}
    for split, found in labels.items():
        np.array([places[label] for label in found], "int32").tofile(target / f"{split}-targets")
    classes = counts_by_class(labels)
    shown = [decoder.readable["train"][position] for position in sample_positions(labels["train"])]
    report = decoder.report(
        scan.root,
        classes=classes,
        warnings=scan.warnings,
        examples=[Sample(label=picture.label, kind="image", value=picture.name) for picture in shown],
    )
    check_counts((label for part in labels.values() for label in part), "readable pictures")
    missing = [label for label in scan.labels if not classes.get(label, {}).get("train")]
    if missing:
        raise DataError("No training picture of these classes can be read", received=", ".join(missing))
    for name, count in report.splits.items():
        if not count:
            raise DataError(f"No picture of the {name} split can be read", remedy="repair the pictures, or add others")
    return {"labels": scan.labels, "counts": decoder.counts, "report": report.as_json()}


def write_sample(folder: Path, size: tuple[int, int]) -> None:
    """Write pictures of a shape each, a folder for each kind of shape.

    Args:
        folder: An empty folder.
        size: Height and width of the network's frame in pixels.
    """
    random = np.random.default_rng(0)
    for name in SHAPES:
        (folder / name).mkdir()
        for number in range(SAMPLE_PICTURES):
            scene = draw_scene(random, size, [name], (0.25, 0.42))
            scene.image.save(folder / name / f"{number + 1}.png")
