"""Tables of a user's own: CSV files, divided into splits, with their columns understood."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from layerwise.errors import DataError
from layerwise.tasks.columns import Column, is_missing, is_number
from layerwise.tasks.csv_files import CsvTable, read_csv
from layerwise.tasks.folders import SPLIT_NAMES, held_out

FEWEST_ROWS = 10
MOST_CHOICES = 100
"""A column of more different texts than this holds names or sentences rather than choices."""
_SUFFIXES = (".csv", ".tsv")


def read_tables(folder: Path, targets: Sequence[str]) -> tuple[dict[str, CsvTable], str]:
    """The tables of a CSV file, or of a folder that has one, or has `train.csv` with `test.csv` and, if wanted,
    `validation.csv`. Rows whose target is missing are left out with a warning.

    Args:
        folder: The folder or the file.
        targets: Names that the target column may have, the likeliest first; otherwise it is the last one.

    Returns:
        The table of each split that has a file, "train" at least, and the name of the target column.

    Raises:
        DataError: A file cannot be used, the tables have different columns, or there are fewer than ten rows.
    """
    tables = {split: read_csv(path) for split, path in _table_files(Path(folder)).items()}
    header = tables["train"].header
    for split, table in tables.items():
        if set(table.header) != set(header):
            raise DataError(
                f"The tables train and {split} have different columns",
                received=", ".join(sorted(set(table.header) ^ set(header))),
            )
    target = next((name for wanted in targets for name in header if name.lower() == wanted.lower()), header[-1])
    tables = {split: _with_target(table, target) for split, table in tables.items()}
    if len(tables["train"].rows) < FEWEST_ROWS:
        raise DataError(
            "There are too few rows to learn from",
            expected=f"at least {FEWEST_ROWS} with a value in the column {target!r}",
            received=str(len(tables["train"].rows)),
        )
    if any(not table.rows for table in tables.values()):
        raise DataError(f"A table has no row with a value in the column {target!r}")
    return tables, target


def _table_files(folder: Path) -> dict[str, Path]:
    if folder.is_file():
        return {"train": folder}
    if not folder.is_dir():
        raise DataError("There is no such folder or file", received=repr(str(folder)))
    visible = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and path.is_file()]
    files = [path for path in visible if path.suffix.lower() in _SUFFIXES]
    for path in files:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError("A link leads out of the folder", received=path.name)
    if len(files) == 1:
        return {"train": files[0]}
    by_split = {SPLIT_NAMES.get(path.stem.lower(), ""): path for path in files}
    if "train" in by_split and "" not in by_split and len(by_split) == len(files):
        return by_split
    raise DataError(
        "The folder does not say which table to use",
        expected="one CSV file, or train.csv and test.csv",
        received=", ".join(path.name for path in (files or visible)[:10]) or "an empty folder",
    )


def _with_target(table: CsvTable, target: str) -> CsvTable:
    place = table.header.index(target)
    rows = [row for row in table.rows if not is_missing(row[place])]
    if len(rows) < len(table.rows):
        warnings.warn(f"{len(table.rows) - len(rows)} rows have no {target} and are left out.", stacklevel=4)
    return CsvTable(header=table.header, rows=rows)


def divided(tables: dict[str, CsvTable], groups: Sequence[str]) -> dict[str, CsvTable]:
    """The tables with a test split: where there is none, rows are held out by a hash of what they hold.

    Args:
        groups: The class of each row of the "train" table, or the same text for all.
    """
    if "test" in tables:
        return tables
    table = tables["train"]
    chosen = held_out(["\x1f".join(row) for row in table.rows], groups)
    parts = {
        split: [row for row, is_test in zip(table.rows, chosen, strict=True) if is_test == (split == "test")]
        for split in ("train", "test")
    }
    return tables | {split: CsvTable(header=table.header, rows=rows) for split, rows in parts.items()}


def learn_columns(tables: dict[str, CsvTable], target: str) -> tuple[Column, ...]:
    """The columns beside the target: their kind from all rows, their statistics and choices from "train" alone.

    Columns that are empty, or that hold more texts than choices could be, are left out with a warning.

    Raises:
        DataError: No column is left.
    """
    found, left_out = [], []
    for name in tables["train"].header:
        if name == target:
            continue
        values = tables["train"].column(name)
        present = [value for value in values if not is_missing(value)]
        is_numeric = all(map(_is_number_or_missing, _all_values(tables, name)))
        distinct = len(set(present))
        if not present:
            left_out.append(f"{name} (empty)")
        elif is_numeric:
            found.append(Column.learned(name, values, "number"))
        elif distinct > MOST_CHOICES or distinct == len(values):
            left_out.append(f"{name} ({distinct} different texts)")
        else:
            found.append(Column.learned(name, values, "choice"))
    if left_out:
        warnings.warn(f"Columns that cannot be used are left out: {', '.join(left_out)}.", stacklevel=3)
    if not found:
        raise DataError(
            "No column can be learnt from", expected="numbers, or words that repeat", received=", ".join(left_out)
        )
    return tuple(found)


def _all_values(tables: dict[str, CsvTable], name: str) -> Iterable[str]:
    return (value for table in tables.values() for value in table.column(name))


def _is_number_or_missing(value: str) -> bool:
    return is_missing(value) or is_number(value)
