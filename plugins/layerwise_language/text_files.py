"""Files of text of which data sets are made, compressed by xz or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from layerwise.errors import DataError


@contextmanager
def lines_of(path: Path, *, compressed: bool) -> Iterator[IO[str]]:
    """The lines of a file in UTF-8.

    Raises:
        DataError: It is not compressed by xz although it should be.
    """
    import lzma

    with lzma.open(path, "rt", encoding="utf-8") if compressed else path.open(encoding="utf-8") as lines:
        try:
            yield lines
        except lzma.LZMAError as error:
            raise DataError(f"{path} is not compressed by xz", received=str(error)) from error
