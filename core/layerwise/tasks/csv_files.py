"""Reading CSV files of any make: delimiter, encoding and decimal comma are found out."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from layerwise.errors import DataError
from layerwise.tasks.columns import is_number

LARGEST_BYTES = 1 * 2**30
_REMEDY = "save the table as CSV, with the names of its columns in the first line"
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


@dataclass(frozen=True, kw_only=True)
class CsvTable:
    """A table as it was written: texts, each row as long as the header."""

    header: tuple[str, ...]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """The cells of a column, from top to bottom."""
        place = self.header.index(name)
        return [row[place] for row in self.rows]


def read_csv(path: Path) -> CsvTable:
    """The table in a file: separated by commas, semicolons, tabs or bars; UTF-8, UTF-16 or Windows-1252.

    Empty lines are skipped. Where semicolons separate, numbers may have a decimal comma.

    Raises:
        DataError: It is empty or no CSV file, has no header, or a row is not as long as the header.
    """
    lines = _parsed(_decoded(path), path.name)
    if not lines:
        raise DataError(f"{path.name} is empty", remedy=_REMEDY)
    (_, header), *rows = lines
    names = tuple(name.strip() for name in header)
    _check_header(names, path.name)
    for line, row in rows:
        if len(row) != len(names):
            raise DataError(
                f"Line {line} of {path.name} does not fit the header",
                expected=f"{len(names)} cells",
                received=f"{len(row)}",
                remedy="put texts that contain the separator in double quotes",
            )
    return CsvTable(header=names, rows=[row for _, row in rows])


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise DataError(
                f"{path.name} is too large", expected="at most 1 GiB", received=f"{path.stat().st_size:,} bytes"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DataError("The table cannot be opened", received=f"{path.name}: {error.strerror}") from None
    if content.startswith(b"PK\x03\x04"):
        raise DataError(f"{path.name} is no CSV file", received="an Excel workbook or a zip archive", remedy=_REMEDY)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise DataError(f"{path.name} is no CSV file", received="a binary file", remedy=_REMEDY)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel writes on Windows. It leaves five bytes undefined.
        return content.decode("cp1252", errors="replace")


def _parsed(text: str, name: str) -> list[tuple[int, list[str]]]:
    """The lines that hold something, each with its number."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t|", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        found = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(f"{name} is no CSV file", received=str(error), remedy=_REMEDY) from None
    if delimiter == ";":
        return [(line, [_with_point(cell) for cell in row]) for line, row in found]
    return found


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _check_header(names: tuple[str, ...], file: str) -> None:
    if len(names) < 2:
        raise DataError(f"{file} has a single column", expected="at least one column beside the target", remedy=_REMEDY)
    if all(map(is_number, names)):
        raise DataError(
            f"{file} has no header", received=f"numbers in its first line: {', '.join(names[:5])}", remedy=_REMEDY
        )
    if "" in names:
        raise DataError(f"{file} has a column without a name", received=f"column {names.index('') + 1}", remedy=_REMEDY)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{file} has columns of the same name", received=", ".join(twice), remedy="rename one of them")
