"""Points of the user's own from a CSV file: x, y and a label or a value."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass

import numpy as np

from layerwise.errors import InputError
from layerwise_learn.playground.data import EDGE, MAX_CLASSES, MAX_POINTS

MAX_CHARACTERS = 200_000
_ROOM = 5.0
"""Points that reach beyond the plane are moved and scaled to [-5, 5], which leaves a margin around them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """What was read. `points` [n, 2] in the plane; `targets` [n], classes or values in [-1, 1]; `labels`, the name of
    each class; `remark`, a sentence on what was scaled, or nothing.
    """

    points: np.ndarray
    targets: np.ndarray
    labels: tuple[str, ...]
    remark: str


def read_csv(text: str, *, is_regression: bool) -> Table:
    """Read lines of x, y and a label (up to four different ones) or a number. The first line may be a header.

    Raises:
        InputError: A line cannot be read; the text names it. Or there are too many lines or labels.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError("The file is too large", expected=f"at most {MAX_CHARACTERS:,} characters")
    rows = _rows(text)
    points = np.array([[_number(cell, line) for cell in cells[:2]] for line, cells in rows])
    last = [cells[2] for _, cells in rows]
    points, moved = _into(points, EDGE, _ROOM)
    remark = "The points were moved and scaled to fit the plane." if moved else ""
    if is_regression:
        values = np.array([_number(cell, line) for line, cells in rows for cell in cells[2:]])
        values, moved = _into(values[:, np.newaxis], 1.0, 1.0)
        remark += " The values were scaled to lie between -1 and 1." if moved else ""
        return Table(points=points, targets=values[:, 0], labels=(), remark=remark.strip())
    labels = tuple(dict.fromkeys(last)) if len(set(last)) <= MAX_CLASSES else ()
    if len(labels) < 2:
        raise InputError(
            "The labels do not make classes",
            expected=f"2 to {MAX_CLASSES} different labels in the third column",
            received=f"{len(set(last))}",
            remedy="for numbers choose the data “Your own values”" if len(set(last)) > MAX_CLASSES else None,
        )
    labels = tuple(sorted(labels))
    return Table(points=points, targets=np.array([labels.index(cell) for cell in last]), labels=labels, remark=remark)


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The number and the three cells of each line that is not empty, without a header."""
    lines = text.lstrip("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((mark for mark in (";", "\t", ",") if mark in first), ",")
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise InputError(f"Line {reader.line_num} cannot be read", received=str(error)) from None
    if rows and not _is_number(rows[0][1][0]):
        del rows[0]
    if not 2 <= len(rows) <= MAX_POINTS:
        raise InputError(
            "The file does not hold a usable number of points", expected=f"2 to {MAX_POINTS}", received=str(len(rows))
        )
    for line, cells in rows:
        if len(cells) != 3 or not cells[2]:
            raise InputError(
                f"Line {line} cannot be read", expected="x, y, label", received=repr(delimiter.join(cells)[:60])
            )
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str, line: int) -> float:
    if not _is_number(cell) or not math.isfinite(float(cell)):
        raise InputError(f"Line {line} cannot be read", expected="a number", received=repr(cell[:60]))
    return float(cell)


def _into(columns: np.ndarray, limit: float, room: float) -> tuple[np.ndarray, bool]:
    """The columns as they are where all lie within the limit, else each moved and scaled to [-room, room]."""
    if np.all(np.abs(columns) <= limit):
        return columns, False
    low, high = columns.min(axis=0), columns.max(axis=0)
    # Halves are subtracted: the difference of two very large numbers would overflow.
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    return room * ((columns - middle) / np.where(half > 0, half, 1)), True
