"""Pictures of a user's own, by class: decoded once into the cache, and read from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from layerwise.datasets.prepared import memory_mapped, prepared
from layerwise.errors import DataError, InputError
from layerwise.own_data import (
    SHOWN_UNREADABLE,
    DataReport,
    Repeats,
    Sample,
    Unreadable,
    check_unreadable,
    class_warnings,
    counts_by_class,
    sample_positions,
    size_range,
)
from layerwise.quota import Quota
from layerwise.splits import Split
from layerwise.tasks.folders import ClassFile, Scan, check_counts, scan_classes
from layerwise.tasks.images import load_image
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
LARGEST_FILE = 512 * 2**20
"""The most bytes that a picture's file may have."""
LARGEST_BYTES = 2**40
"""The most bytes of decoded pictures, which are on the disk."""
_FORMAT = 1
"""Counted up when pictures are decoded in another way, so that none of the former way is taken from the cache."""
_AT_ONCE = 256
SAMPLE_PICTURES = 24
"""How many pictures of each class an example of such a folder has."""

Frame = Callable[[Image.Image], np.ndarray]
"""A picture as the network takes it, uint8 [height, width, channels]; InputError when that cannot be."""


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
    entry, known = prepared(
        scan.root,
        f"pictures {_FORMAT} {purpose} {shape}",
        _state(scan),
        lambda target: _Decoding(scan, frame, shape, target).run(),
    )
    splits = {
        name: Split(
            memory_mapped(entry / f"{name}-pictures", "uint8", (count, *shape)),
            np.fromfile(entry / f"{name}-targets", "int32"),
        )
        for name, count in known["counts"].items()
    }
    return tuple(known["labels"]), splits, DataReport.from_json(known["report"])


def _state(scan: Scan) -> Iterator[str]:
    yield json.dumps(scan.others)
    for split, files in scan.splits.items():
        for file in files:
            try:
                stat = file.path.stat()
                yield f"{split} {scan.name(file)} {stat.st_size} {stat.st_mtime_ns}"
            except OSError:  # a link to nothing: it is among the unreadable files
                yield f"{split} {scan.name(file)}"


@dataclass(frozen=True)
class _Picture:
    array: np.ndarray
    content: bytes
    width: int
    height: int


@dataclass
class _Decoding:
    """All pictures of a folder to one file for each split."""

    scan: Scan
    frame: Frame
    shape: tuple[int, int, int]
    target: Path
    unreadable: list[Unreadable] = field(default_factory=list)
    readable: dict[str, list[ClassFile]] = field(default_factory=dict)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    repeats: Repeats = field(default_factory=Repeats)

    def run(self) -> dict[str, Any]:
        """Write them; the labels, how many there are in each split, and the report."""
        quota = Quota(self.target, LARGEST_BYTES, "What the pictures are once they are decoded")
        quota.expect(self.scan.num_files * int(np.prod(self.shape)))
        labels = self.scan.labels
        places = {label: place for place, label in enumerate(labels)}
        for split, files in self.scan.splits.items():
            with (self.target / f"{split}-pictures").open("wb") as file:
                for picture in self._decoded(split, files):
                    quota.take(picture.array.nbytes)
                    file.write(picture.array.tobytes())
            targets = np.array([places[file.label] for file in self.readable[split]], "int32")
            targets.tofile(self.target / f"{split}-targets")
        report = self._report()
        self._check_readable(report)
        counts = {split: len(files) for split, files in self.readable.items()}
        return {"labels": labels, "counts": counts, "report": report.as_json()}

    def _decoded(self, split: str, files: Sequence[ClassFile]) -> Iterator[_Picture]:
        readable = self.readable[split] = []
        # Threads help since Pillow decodes and resizes without holding the interpreter.
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(files), _AT_ONCE):
                part = files[start : start + _AT_ONCE]
                for file, result in zip(part, pool.map(self._attempt, part), strict=True):
                    if isinstance(result, str):
                        self.unreadable.append(Unreadable(name=self.scan.name(file), reason=result))
                        continue
                    readable.append(file)
                    self.widths.append(result.width)
                    self.heights.append(result.height)
                    self.repeats.add(split, result.content, self.scan.name(file))
                    yield result

    def _attempt(self, file: ClassFile) -> _Picture | str:
        """The picture, or why it cannot be read."""
        try:
            if not file.path.is_file():
                return "This is no file"
            if file.path.stat().st_size > LARGEST_FILE:
                return f"The file is larger than {LARGEST_FILE // 2**20} MiB"
            content = file.path.read_bytes()
            image = load_image(content)
            return _Picture(self.frame(image), content, *image.size)
        except InputError as error:
            return error.what
        except OSError as error:
            return error.strerror or str(error)

    def _report(self) -> DataReport:
        classes = counts_by_class({split: [file.label for file in files] for split, files in self.readable.items()})
        warnings = check_unreadable(self.unreadable, self.scan.num_files)
        train = self.readable["train"]
        shown = [train[position] for position in sample_positions([file.label for file in train])]
        return DataReport(
            path=str(self.scan.root),
            what="pictures",
            splits={split: len(files) for split, files in self.readable.items()},
            classes=classes,
            sizes={
                "width in pixels": size_range(self.widths),
                "height in pixels": size_range(self.heights),
            },
            num_unreadable=len(self.unreadable),
            unreadable=tuple(self.unreadable[:SHOWN_UNREADABLE]),
            warnings=(
                *warnings,
                *self.scan.warnings,
                *class_warnings(classes, "pictures"),
                *self.repeats.warnings("pictures"),
            ),
            examples=tuple(Sample(label=file.label, kind="image", value=self.scan.name(file)) for file in shown),
        )

    def _check_readable(self, report: DataReport) -> None:
        """Check that what could be read is still enough to train and to test with."""
        files = [file for part in self.readable.values() for file in part]
        check_counts((file.label for file in files), "readable pictures")
        missing = [label for label in self.scan.labels if not report.classes.get(label, {}).get("train")]
        if missing:
            raise DataError("No training picture of these classes can be read", received=", ".join(missing))
        for name, count in report.splits.items():
            if not count:
                raise DataError(
                    f"No picture of the {name} split can be read", remedy="repair the pictures, or add others"
                )


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
