"""Tables as they come from files: texts below the names of their columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from layerwise.errors import DataError
from layerwise.tasks.columns import is_missing, is_number

SUFFIXES = (".csv", ".parquet", ".tsv")
"""How the files end that `read_table` reads."""
_TEXT = np.dtypes.StringDType()
_CHUNK_ROWS = 10_000


@dataclass(frozen=True, eq=False)
class Cells:
    """A column: the different texts in it, and which of them each row has. What is asked of a column is asked of
    each different text once.

    Args:
        texts: The different texts.
        codes: For each row the place of its text, int32 [rows].
    """

    texts: list[str]
    codes: np.ndarray

    @classmethod
    def of(cls, column: np.ndarray) -> Cells:
        """The cells of a column of texts, [rows]."""
        places: dict[str, int] = {}
        texts = column.tolist()
        codes = np.fromiter((places.setdefault(text, len(places)) for text in texts), np.int32, len(texts))
        return cls(list(places), codes)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def is_missing(self) -> np.ndarray:
        """Which rows hold nothing, bool [rows]."""
        return np.array([is_missing(text) for text in self.texts], bool)[self.codes]

    @property
    def present(self) -> list[str]:
        """The different texts that stand for a value."""
        used = np.unique(self.codes)
        return [text for text in (self.texts[code] for code in used) if not is_missing(text)]

    def stripped(self) -> list[str]:
        """The text of each row, without spaces around it."""
        texts = [text.strip() for text in self.texts]
        return [texts[code] for code in self.codes.tolist()]

    def counts(self) -> dict[str, int]:
        """How many rows have each different text, the most frequent first."""
        found = np.bincount(self.codes, minlength=len(self.texts))
        order = np.argsort(-found, kind="stable")
        return {self.texts[place]: int(found[place]) for place in order if found[place]}


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was written.

    Args:
        header: The names of the columns.
        columns: The texts of each column, [rows], compact in memory.
    """

    header: tuple[str, ...]
    columns: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, header: tuple[str, ...], rows: Iterable[Sequence[str]]) -> Table:
        """The table of these rows, each as long as the header. They are not kept."""
        parts: list[list[np.ndarray]] = [[np.empty(0, _TEXT)] for _ in header]
        rows = iter(rows)
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            for part, texts in zip(parts, zip(*chunk, strict=True), strict=True):
                part.append(np.array(texts, _TEXT))
        return cls(header, tuple(np.concatenate(part) for part in parts))

    def __len__(self) -> int:
        return len(self.columns[0])

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The rows, one after the other."""
        for start in range(0, len(self), _CHUNK_ROWS):
            yield from zip(*(column[start : start + _CHUNK_ROWS].tolist() for column in self.columns), strict=True)

    def select(self, chosen: np.ndarray) -> Table:
        """The rows where `chosen`, bool [rows], is true, or whose numbers it holds."""
        return Table(self.header, tuple(column[chosen] for column in self.columns))


def read_table(path: Path) -> Table:
    """The table in a CSV, TSV or Parquet file.

    Raises:
        DataError: It cannot be used.
        MissingDependencyError: It is a Parquet file, and pyarrow is not installed.
    """
    if path.suffix.lower() == ".parquet":
        from layerwise.tasks.parquet_files import read_parquet

        return read_parquet(path)
    from layerwise.tasks.csv_files import read_csv

    return read_csv(path)


def check_header(names: Sequence[str], file: str, remedy: str) -> None:
    """Check that the names of the columns can be used.

    Raises:
        DataError: There are not two, one is empty, two are the same, or they are numbers.
    """
    if len(names) < 2:
        raise DataError(f"{file} has a single column", expected="at least one column beside the target", remedy=remedy)
    if all(map(is_number, names)):
        raise DataError(
            f"{file} has no header", received=f"numbers in its first line: {', '.join(names[:5])}", remedy=remedy
        )
    if "" in names:
        raise DataError(
            f"{file} has a column without a name", received=f"column {list(names).index('') + 1}", remedy=remedy
        )
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        shown = ", ".join(name[:40] for name in twice[:5])
        raise DataError(f"{file} has columns of the same name", received=shown, remedy="rename one of them")
