"""The IDX format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist/, "file formats")."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np

from layerwise.errors import DataError

UNSIGNED_BYTE = 0x08
"""The format's code of the only type that these data sets use."""


def read_idx(path: Path, num_dimensions: int) -> np.ndarray:
    """The array in a gzip-compressed IDX file: two zero bytes, the type, the number of dimensions, each
    dimension as a big-endian 32-bit integer, and then the values.

    Args:
        path: The file.
        num_dimensions: How many dimensions it must have.

    Returns:
        uint8, `num_dimensions` dimensions, read-only.

    Raises:
        DataError: The file is truncated, or it is something else.
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} cannot be decompressed", received=str(error)) from error
    header = 4 + 4 * num_dimensions
    magic = bytes([0, 0, UNSIGNED_BYTE, num_dimensions])
    if len(content) < header or content[:4] != magic:
        raise DataError(
            f"{path} is not an IDX file of {num_dimensions} dimensions",
            expected=f"the first bytes {magic.hex(' ')}",
            received=content[:4].hex(" ") or "nothing",
        )
    shape = np.frombuffer(content, ">u4", count=num_dimensions, offset=4)
    size = math.prod(int(length) for length in shape)
    if len(content) != header + size:
        raise DataError(
            f"{path} does not hold as many values as it says",
            expected=f"{size} for the shape {[int(length) for length in shape]}",
            received=str(len(content) - header),
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
