"""Pictures of a user's own, decoded once into the cache, and read from there."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from PIL import Image

from layerwise.datasets.prepared import memory_mapped
from layerwise.errors import InputError
from layerwise.own_data import (
    SHOWN_UNREADABLE,
    DataReport,
    Repeats,
    Sample,
    Unreadable,
    check_unreadable,
    class_warnings,
    size_range,
)
from layerwise.quota import Quota
from layerwise.tasks.images import load_image

LARGEST_FILE = 512 * 2**20
"""The most bytes that a picture's file may have."""
LARGEST_BYTES = 2**40
"""The most bytes of decoded pictures, which are on the disk."""
_AT_ONCE = 256

Frame = Callable[[Image.Image], np.ndarray]
"""A picture as the network takes it, uint8 [height, width, channels]; InputError when that cannot be."""


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """The file of a picture.

    Args:
        path: Where it is.
        name: What a report calls it.
        size: Width and height in pixels that it is said to have, None where nothing is said.
    """

    path: Path
    name: str
    size: tuple[int, int] | None = None

    @property
    def state(self) -> str:
        """Everything from which a change of the file is seen."""
        try:
            stat = self.path.stat()
        except OSError:  # a link to nothing: it is among the unreadable files
            return self.name
        return f"{self.name} {stat.st_size} {stat.st_mtime_ns}"


PictureT = TypeVar("PictureT", bound=PictureFile)


@dataclass(frozen=True)
class _Decoded:
    array: np.ndarray
    digest: bytes
    size: tuple[int, int]


class Decoder(Generic[PictureT]):
    """Decodes the pictures of a folder, and keeps what its report says of them.

    Args:
        splits: The pictures of each split.
        frame: What is written of a picture.
        shape: What `frame` gives.

    Attributes:
        readable: The pictures of each split that could be read.
        sizes: Their widths and heights in pixels.
    """

    def __init__(self, splits: Mapping[str, Sequence[PictureT]], frame: Frame, shape: tuple[int, int, int]) -> None:
        self.splits, self.frame, self.shape = splits, frame, shape
        self.readable: dict[str, list[PictureT]] = {split: [] for split in splits}
        self.sizes: dict[str, list[tuple[int, int]]] = {split: [] for split in splits}
        self._unreadable: list[Unreadable] = []
        self._repeats = Repeats()

    def write(self, target: Path) -> None:
        """Write the readable pictures of each split into a folder, for `decoded` to read.

        Raises:
            DataError: They do not fit on the disk.
        """
        quota = Quota(target, LARGEST_BYTES, "What the pictures are once they are decoded")
        quota.expect(self._num_files * math.prod(self.shape))
        # Threads help since Pillow decodes and resizes without holding the interpreter.
        with ThreadPoolExecutor() as pool:
            for split in self.splits:
                with _file_of(target, split).open("wb") as file:
                    for array in self._decoded(split, pool):
                        quota.take(array.nbytes)
                        file.write(array.tobytes())

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures of each split could be read."""
        return {split: len(pictures) for split, pictures in self.readable.items()}

    def report(
        self,
        root: Path,
        *,
        classes: Mapping[str, Mapping[str, int]],
        counted: str = "pictures",
        sizes: Mapping[str, tuple[float, float, float]] | None = None,
        warnings: Sequence[str] = (),
        examples: Sequence[Sample] = (),
    ) -> DataReport:
        """The report of the pictures that were written.

        Args:
            root: Where the folder is.
            classes: As in the report, and so are the others.
            counted: What is counted by class, in the plural.
            sizes: What was measured beside widths and heights.
            warnings: What is to be said beside what cannot be read, classes that are small, and what is there twice.

        Raises:
            DataError: A tenth of the pictures or more cannot be read.
        """
        unreadable = check_unreadable(self._unreadable, self._num_files)
        measured = [size for part in self.sizes.values() for size in part]
        return DataReport(
            path=str(root),
            what="pictures",
            splits=self.counts,
            classes=classes,
            sizes={
                "width in pixels": size_range([width for width, _ in measured]),
                "height in pixels": size_range([height for _, height in measured]),
                **(sizes or {}),
            },
            num_unreadable=len(self._unreadable),
            unreadable=tuple(self._unreadable[:SHOWN_UNREADABLE]),
            warnings=(
                *unreadable,
                *warnings,
                *class_warnings(classes, counted),
                *self._repeats.warnings("pictures"),
            ),
            examples=tuple(examples),
        )

    @property
    def _num_files(self) -> int:
        return sum(map(len, self.splits.values()))

    def _decoded(self, split: str, pool: ThreadPoolExecutor) -> Iterator[np.ndarray]:
        pictures = self.splits[split]
        for start in range(0, len(pictures), _AT_ONCE):
            part = pictures[start : start + _AT_ONCE]
            for picture, result in zip(part, pool.map(self._attempt, part), strict=True):
                if isinstance(result, str):
                    self._unreadable.append(Unreadable(name=picture.name, reason=result))
                    continue
                self.readable[split].append(picture)
                self.sizes[split].append(result.size)
                self._repeats.add(split, result.digest, picture.name)
                yield result.array

    def _attempt(self, picture: PictureT) -> _Decoded | str:
        """What there is of a picture, or why it cannot be read."""
        try:
            if not picture.path.is_file():
                return "There is no such file"
            if picture.path.stat().st_size > LARGEST_FILE:
                return f"The file is larger than {LARGEST_FILE // 2**20} MiB"
            content = picture.path.read_bytes()
            image = load_image(content)
            if picture.size is not None and picture.size != image.size:
                wanted = "{} x {}".format(*picture.size)
                return f"It is {image.width} x {image.height} pixels, in the annotations {wanted}"
            # Photographs come faster than they are written: 256 of them would fill the memory of a small machine.
            return _Decoded(self.frame(image), hashlib.blake2b(content, digest_size=16).digest(), image.size)
        except InputError as error:
            return error.what
        except OSError as error:
            return error.strerror or str(error)


def decoded(folder: Path, split: str, count: int, shape: tuple[int, int, int]) -> np.ndarray:
    """The pictures that a decoder wrote into a folder, uint8 [count, *shape], mapped into memory."""
    return memory_mapped(_file_of(folder, split), "uint8", (count, *shape))


def _file_of(folder: Path, split: str) -> Path:
    return folder / f"{split}-pictures"
