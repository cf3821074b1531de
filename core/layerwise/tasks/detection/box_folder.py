"""Pictures of a user's own with boxes: decoded once into the cache, and read from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    size_range,
)
from layerwise.quota import Quota
from layerwise.splits import Split
from layerwise.tasks.detection.coco import Annotations, Picture
from layerwise.tasks.framing import place_in_frame
from layerwise.tasks.image_folder import LARGEST_BYTES, LARGEST_FILE, Frame
from layerwise.tasks.images import load_image

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
        lambda target: _Decoding(found, frame, shape, target).run(),
    )
    splits = {
        name: Split(
            memory_mapped(entry / f"{name}-pictures", "uint8", (count, *shape)),
            np.fromfile(entry / f"{name}-boxes", "float32").reshape(count, -1, 5),
        )
        for name, count in known["counts"].items()
    }
    return tuple(known["labels"]), splits, DataReport.from_json(known["report"])


@dataclass
class _Decoding:
    """All pictures to one file for each split, and their boxes to another."""

    found: Annotations
    frame: Frame
    shape: tuple[int, int, int]
    target: Path
    unreadable: list[Unreadable] = field(default_factory=list)
    readable: dict[str, list[Picture]] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    repeats: Repeats = field(default_factory=Repeats)

    def run(self) -> dict[str, Any]:
        """Write them; the labels, how many there are in each split, and the report."""
        pictures = self.found.pictures
        quota = Quota(self.target, LARGEST_BYTES, "What the pictures are once they are decoded")
        quota.expect(len(pictures) * int(np.prod(self.shape)))
        labels = self.found.labels
        most = max(len(picture.boxes) for picture in pictures)
        for split, part in self.found.splits.items():
            self.readable[split], rows = [], []
            with (self.target / f"{split}-pictures").open("wb") as file:
                for picture in part:
                    image = self._opened(split, picture)
                    if image is None:
                        continue
                    pixels = self.frame(image)
                    quota.take(pixels.nbytes)
                    file.write(pixels.tobytes())
                    self.readable[split].append(picture)
                    rows.append(self._rows(picture, image.size, labels, most))
            np.array(rows, "float32").tofile(self.target / f"{split}-boxes")
        report = self._report()
        self._check_readable()
        counts = {split: len(part) for split, part in self.readable.items()}
        return {"labels": labels, "counts": counts, "report": report.as_json()}

    def _opened(self, split: str, picture: Picture) -> Image.Image | None:
        """The picture; None when it cannot be read, which the report will say."""
        try:
            content = self._content(picture)
            image = load_image(content)
            if picture.size is not None and picture.size != image.size:
                wanted = "{} x {}".format(*picture.size)
                raise InputError(f"it is {image.width} x {image.height} pixels, in the annotations {wanted}")
        except InputError as error:
            self.unreadable.append(Unreadable(name=picture.name, reason=error.what))
            return None
        self.sizes.append(image.size)
        self.repeats.add(split, content, picture.name)
        return image

    def _content(self, picture: Picture) -> bytes:
        try:
            if not picture.path.is_file():
                raise InputError("There is no such file")
            if picture.path.stat().st_size > LARGEST_FILE:
                raise InputError(f"The file is larger than {LARGEST_FILE // 2**20} MiB")
            return picture.path.read_bytes()
        except OSError as error:
            raise InputError(error.strerror or str(error)) from None

    def _rows(self, picture: Picture, size: tuple[int, int], labels: Sequence[str], most: int) -> np.ndarray:
        """The boxes [most, 5] in pixels of the frame."""
        left, top, width, height = place_in_frame(size, (self.shape[1], self.shape[0]))
        scale, offset = np.array([width / size[0], height / size[1]] * 2), np.array([left, top] * 2)
        rows = np.full((most, 5), -1, "float32")
        for place, box in enumerate(picture.boxes):
            rows[place] = [*(np.array(box[:4]) * scale + offset), labels.index(box[4])]
        return rows

    def _report(self) -> DataReport:
        classes = counts_by_class(
            {split: [box[4] for picture in part for box in picture.boxes] for split, part in self.readable.items()}
        )
        shown = self.readable["train"][:NUM_SHOWN]
        boxes = [box for part in self.readable.values() for picture in part for box in picture.boxes]
        counts = Counter(len(picture.boxes) for part in self.readable.values() for picture in part)
        return DataReport(
            path=str(self.found.root),
            what="pictures",
            splits={split: len(part) for split, part in self.readable.items()},
            classes=classes,
            sizes={
                "width in pixels": size_range([size[0] for size in self.sizes] or [0]),
                "height in pixels": size_range([size[1] for size in self.sizes] or [0]),
                "boxes in a picture": size_range(list(counts.elements()) or [0]),
                "longer side of a box in pixels": size_range(
                    [max(box[2] - box[0], box[3] - box[1]) for box in boxes] or [0]
                ),
            },
            num_unreadable=len(self.unreadable),
            unreadable=tuple(self.unreadable[:SHOWN_UNREADABLE]),
            warnings=(
                *check_unreadable(self.unreadable, len(self.found.pictures)),
                *self.found.warnings(),
                *class_warnings(classes, "boxes"),
                *self.repeats.warnings("pictures"),
            ),
            examples=tuple(
                Sample(
                    label=", ".join(sorted({box[4] for box in picture.boxes})),
                    kind="image",
                    value=picture.path.relative_to(self.found.root).as_posix(),
                )
                for picture in shown
            ),
        )

    def _check_readable(self) -> None:
        for split, part in self.readable.items():
            if not any(picture.boxes for picture in part):
                raise DataError(f"No picture of the {split} split that has a box can be read")
