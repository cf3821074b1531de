"""Pictures of a user's own, by class, as a data set in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from layerwise.data import Split
from layerwise.errors import DataError, InputError
from layerwise.tasks.folders import ClassFile, check_counts, report_unreadable, scan_classes

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
LARGEST_BYTES = 4 * 2**30
"""How much memory the pictures may take once they have the network's size."""

Encode = Callable[[Path], np.ndarray]
"""A picture file as the network takes it, uint8 [height, width, channels]; InputError when it is unreadable."""


def read_pictures(
    folder: Path, encode: Encode, shape: tuple[int, int, int]
) -> tuple[tuple[str, ...], dict[str, Split]]:
    """The labels of a folder of pictures by class, sorted by name, and its splits.

    Unreadable pictures are left out with a warning that names them.

    Args:
        folder: As `layerwise.tasks.folders.scan_classes` takes it.
        shape: What `encode` gives.

    Raises:
        DataError: The folder is not laid out like that, a tenth of its pictures is unreadable, or they do not
            fit in memory.
    """
    files = scan_classes(folder, SUFFIXES)
    total = sum(map(len, files.values()))
    if total * int(np.prod(shape)) > LARGEST_BYTES:
        raise DataError(
            "The pictures do not fit in memory",
            expected=f"at most {LARGEST_BYTES // int(np.prod(shape)):,} pictures of this network's size",
            received=f"{total:,}",
            remedy="train on a part of them",
        )
    labels = tuple(sorted({file.label for file in files["train"]}))
    unreadable: list[tuple[Path, str]] = []
    splits = {name: _read(part, encode, shape, labels, unreadable) for name, part in files.items()}
    report_unreadable(unreadable, total, Path(folder).resolve())
    _check_readable(splits, labels)
    return labels, splits


def _check_readable(splits: dict[str, Split], labels: tuple[str, ...]) -> None:
    """Check that what could be read is still enough to train and to test with."""
    check_counts((labels[target] for split in splits.values() for target in split.targets), "readable pictures")
    missing = sorted(set(labels) - {labels[target] for target in splits["train"].targets})
    if missing:
        raise DataError("No training picture of these classes can be read", received=", ".join(missing))
    for name, split in splits.items():
        if not len(split):
            raise DataError(f"No picture of the {name} split can be read", remedy="repair the pictures, or add others")


def _read(
    files: Sequence[ClassFile],
    encode: Encode,
    shape: tuple[int, int, int],
    labels: tuple[str, ...],
    unreadable: list[tuple[Path, str]],
) -> Split:
    def attempt(file: ClassFile) -> np.ndarray | InputError:
        try:
            return encode(file.path)
        except InputError as error:
            return error

    inputs = np.empty([len(files), *shape], "uint8")
    targets = []
    # Threads help since Pillow decodes and resizes without holding the interpreter.
    with ThreadPoolExecutor() as pool:
        for file, result in zip(files, pool.map(attempt, files), strict=True):
            if isinstance(result, InputError):
                unreadable.append((file.path, result.what))
                continue
            inputs[len(targets)] = result
            targets.append(labels.index(file.label))
    return Split(inputs[: len(targets)], np.array(targets, "int32"))
