"""Reading CSV files of any make: delimiter, encoding and decimal comma are found out; and writing them."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from layerwise.errors import DataError
from layerwise.tasks.tables import Table, check_header

LARGEST_BYTES = 4 * 2**30
_REMEDY = "save the table as CSV, with the names of its columns in the first line"
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
_CHUNK_BYTES = 2**20


def read_csv(path: Path) -> Table:
    """The table in a file: separated by commas, semicolons, tabs or bars; UTF-8, UTF-16 or Windows-1252.

    Empty lines are skipped. Where semicolons separate, numbers may have a decimal comma.

    Raises:
        DataError: It is empty or no CSV file, has no header, or a row is not as long as the header.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise DataError(
                f"{path.name} is too large", expected="at most 4 GiB", received=f"{path.stat().st_size:,} bytes"
            )
        encoding = encoding_of(path)
        delimiter = _delimiter_of(path, encoding)
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            lines = _lines(csv.reader(file, delimiter=delimiter))
            _, header = next(lines, (0, None))
            if header is None:
                raise DataError(f"{path.name} is empty", remedy=_REMEDY)
            names = tuple(name.strip() for name in header)
            check_header(names, path.name, _REMEDY)
            return Table.of(names, _checked(lines, len(names), path.name, has_decimal_commas=delimiter == ";"))
    except OSError as error:
        raise DataError("The table cannot be opened", received=f"{path.name}: {error.strerror}") from None
    except csv.Error as error:
        raise DataError(f"{path.name} is no CSV file", received=str(error), remedy=_REMEDY) from None


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table, separated by tabs where the file ends in .tsv, otherwise by commas."""
    with path.open("w", encoding="utf-8", newline="") as file:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])


def encoding_of(path: Path) -> str:
    """The encoding of a text file: UTF-8 if all of it is, UTF-16 if it begins so, otherwise Windows-1252, which is
    what old programs write there.

    Raises:
        DataError: It is no text.
        OSError: It cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf_8 = True
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith(b"PK\x03\x04"):
            raise DataError(
                f"{path.name} is no text file", received="an Excel workbook or a zip archive", remedy=_REMEDY
            )
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            if b"\0" in chunk:
                raise DataError(f"{path.name} is no text file", received="a binary file", remedy=_REMEDY)
            is_utf_8 = is_utf_8 and _continues(decoder, chunk)
    return "utf-8-sig" if is_utf_8 and _continues(decoder, b"", final=True) else "cp1252"


def _continues(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter_of(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        # As long as a header can be: a file without line ends must not be read whole.
        start = file.read(_CHUNK_BYTES)
    first = next((line for line in start.splitlines() if line.strip()), "")
    return max(",;\t|", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, each with its number."""
    for row in reader:
        if row and (row[0].strip() or any(cell.strip() for cell in row)):
            yield reader.line_num, row  # type: ignore[attr-defined]


def _checked(
    lines: Iterator[tuple[int, list[str]]], width: int, file: str, *, has_decimal_commas: bool
) -> Iterator[Sequence[str]]:
    for line, row in lines:
        if len(row) != width:
            raise DataError(
                f"Line {line:,} of {file} does not fit the header",
                expected=f"{width} cells",
                received=f"{len(row)}",
                remedy="put texts that contain the separator in double quotes",
            )
        yield [_with_point(cell) for cell in row] if has_decimal_commas else row


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell
