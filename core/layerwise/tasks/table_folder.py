"""Tables of a user's own: CSV and Parquet files, divided into splits, with their columns understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import (
    ColumnReport,
    DataReport,
    Repeats,
    Sample,
    class_warnings,
    counts_by_class,
    in_numbers,
    sample_positions,
    shortened,
    size_range,
)
from layerwise.tasks.columns import Column, in_digits, is_missing, is_number, numbers_of
from layerwise.tasks.csv_files import write_csv
from layerwise.tasks.folders import SPLIT_NAMES, held_out
from layerwise.tasks.tables import SUFFIXES, Cells, Table, read_table

FEWEST_ROWS = 10
SAMPLE_ROWS = 100
MOST_CHOICES = 100
"""A column of more different texts than this holds names or sentences rather than choices."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Tables of the same columns, a split each.

    Args:
        path: The folder or the file.
        splits: "train" at least.
        target: The name of the column that is predicted.
        warnings: What the user should know.
    """

    path: Path
    splits: dict[str, Table]
    target: str
    warnings: tuple[str, ...] = ()

    def cells(self, name: str) -> dict[str, Cells]:
        """A column in each split; the texts are numbered alike in all."""
        parts = [table.columns[table.header.index(name)] for table in self.splits.values()]
        whole = Cells.of(np.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return {
            split: Cells(whole.texts, codes)
            for split, codes in zip(self.splits, np.split(whole.codes, ends), strict=True)
        }

    def targets(self) -> dict[str, list[str]]:
        """The text of the target in each row of each split."""
        return {split: cells.stripped() for split, cells in self.cells(self.target).items()}


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The columns beside the target, understood.

    Args:
        columns: Those that are used.
        left_out: The names of the others, with the reason.
        inputs: The rows of each split as the network takes them, float32 [rows, features].
        reports: What each column of the table holds, the target's among them.
    """

    columns: tuple[Column, ...]
    left_out: dict[str, str]
    inputs: dict[str, np.ndarray]
    reports: tuple[ColumnReport, ...]


def read_tables(path: Path, targets: Sequence[str]) -> Tables:
    """The tables of a CSV or Parquet file, or of a folder that has one, or has `train.csv` with `test.csv` and, if
    wanted, `validation.csv`. Rows whose target is missing are left out.

    Args:
        path: The folder or the file.
        targets: Names that the target column may have, the likeliest first; otherwise it is the last one.

    Raises:
        DataError: A file cannot be used, the tables have different columns, or there are fewer than ten rows.
    """
    tables = {split: read_table(file) for split, file in table_files(Path(path)).items()}
    header = tables["train"].header
    for split, table in tables.items():
        if set(table.header) != set(header):
            raise DataError(
                f"The tables train and {split} have different columns",
                received=", ".join(sorted(set(table.header) ^ set(header))),
            )
    target = next((name for wanted in targets for name in header if name.lower() == wanted.lower()), header[-1])
    missing = {split: Cells.of(table.columns[table.header.index(target)]).is_missing for split, table in tables.items()}
    num_missing = sum(int(rows.sum()) for rows in missing.values())
    tables = {
        split: table.select(~missing[split]) if missing[split].any() else table for split, table in tables.items()
    }
    if len(tables["train"]) < FEWEST_ROWS:
        raise DataError(
            "There are too few rows to learn from",
            expected=f"at least {FEWEST_ROWS} with a value in the column {target!r}",
            received=str(len(tables["train"])),
        )
    if any(not len(table) for table in tables.values()):
        raise DataError(f"A table has no row with a value in the column {target!r}")
    warnings = (f"{num_missing:,} rows have no {target} and are left out.",) if num_missing else ()
    return Tables(path=Path(path), splits=tables, target=target, warnings=warnings)


def table_files(
    path: Path, suffixes: Sequence[str] = SUFFIXES, expected: str = "one CSV or Parquet file, or train.csv and test.csv"
) -> dict[str, Path]:
    """The file of each split.

    Args:
        suffixes: The endings of files that count.
        expected: What a folder should hold, in words.

    Raises:
        DataError: There is no table, or it is not clear which one to use.
    """
    if path.is_file():
        return {"train": path}
    if not path.is_dir():
        raise DataError("There is no such folder or file", received=repr(str(path)))
    visible = [file for file in sorted(path.iterdir()) if not file.name.startswith(".") and file.is_file()]
    files = [file for file in visible if file.suffix.lower() in suffixes]
    for file in files:
        if not file.resolve().is_relative_to(path.resolve()):
            raise DataError("A link leads out of the folder", received=file.name)
    if len(files) == 1:
        return {"train": files[0]}
    by_split = {SPLIT_NAMES.get(file.stem.lower(), ""): file for file in files}
    if "train" in by_split and "" not in by_split and len(by_split) == len(files):
        return by_split
    raise DataError(
        "The folder does not say which table to use",
        expected=expected,
        received=", ".join(file.name for file in (files or visible)[:10]) or "an empty folder",
    )


def write_sample(
    folder: Path, columns: Sequence[Column], target: str, targets_of: Callable[[np.ndarray], Sequence[str]]
) -> None:
    """Write a table of values that these columns may have. The target follows from their sum.

    Args:
        folder: An empty folder.
        target: The name of the last column.
        targets_of: Its texts, by standardised scores float64 [rows].
    """
    random = np.random.default_rng(0)
    values, scores = [], np.zeros(SAMPLE_ROWS)
    for column in columns:
        if column.kind == "number":
            drawn = random.normal(size=SAMPLE_ROWS)
            values.append([in_digits(column.mean + column.deviation * number, column.deviation) for number in drawn])
        else:
            drawn = random.integers(0, len(column.choices), SAMPLE_ROWS)
            values.append([column.choices[place] for place in drawn])
        scores += (drawn - drawn.mean()) / (drawn.std() or 1)
    rows = zip(*values, targets_of((scores - scores.mean()) / (scores.std() or 1)), strict=True)
    write_csv(folder / "table.csv", [*(column.name for column in columns), target], rows)


def divided(tables: Tables, groups: Sequence[str]) -> Tables:
    """The tables with a test split: where there is none, rows are held out by a hash of what they hold, so that equal
    rows are on the same side.

    Args:
        groups: The class of each row of the "train" table, or the same text for all.
    """
    if "test" in tables.splits:
        return replace(tables, warnings=(*tables.warnings, *_repeats(tables.splits)))
    table = tables.splits["train"]
    chosen = np.array(held_out(["\x1f".join(row) for row in table.rows()], groups), bool)
    parts = {"train": table.select(~chosen), "test": table.select(chosen)}
    return replace(tables, splits=tables.splits | parts)


def _repeats(splits: Mapping[str, Table]) -> list[str]:
    found, header = Repeats(), splits["train"].header
    for split, table in splits.items():
        ordered = Table(header, tuple(table.columns[table.header.index(name)] for name in header))
        for number, row in enumerate(ordered.rows(), start=1):
            found.add(split, "\x1f".join(row).encode(), f"row {number}")
    return found.warnings("rows")


def learn_columns(tables: Tables) -> Learned:
    """The columns beside the target: their kind from all rows, their statistics and choices from "train" alone.

    Columns that are empty, or hold more texts than choices could be, are left out.

    Raises:
        DataError: No column is left.
    """
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    reports: list[ColumnReport] = []
    blocks: dict[str, list[np.ndarray]] = {split: [] for split in tables.splits}
    # Column by column: the texts of one are in memory at a time.
    for name in tables.splits["train"].header:
        cells = tables.cells(name)
        if name == tables.target:
            reports.append(_describe(name, "target", cells))
            continue
        column = _learn(name, cells)
        if isinstance(column, str):
            left_out[name] = column
            reports.append(_describe(name, "left out", cells))
            continue
        columns.append(column)
        reports.append(_describe(name, column.kind, cells))
        encoded = column.encode(cells["train"].texts)
        for split, block in blocks.items():
            block.append(encoded[cells[split].codes])
    if not columns:
        raise DataError(
            "No column can be learnt from", expected="numbers, or words that repeat", received=_in_words(left_out)
        )
    return Learned(
        columns=tuple(columns),
        left_out=left_out,
        inputs={split: np.concatenate(block, axis=1) for split, block in blocks.items()},
        reports=tuple(reports),
    )


def _learn(name: str, cells: Mapping[str, Cells]) -> Column | str:
    """The column, or why it is left out."""
    train = cells["train"]
    distinct = len(train.present)
    if not distinct:
        return "empty"
    if all(is_missing(text) or is_number(text) for text in train.texts):
        return Column.learned(name, train, "number")
    if distinct > MOST_CHOICES or distinct == len(train):
        return f"{distinct:,} different texts"
    return Column.learned(name, train, "choice")


def _describe(name: str, kind: str, cells: Mapping[str, Cells]) -> ColumnReport:
    whole = Cells(cells["train"].texts, np.concatenate([part.codes for part in cells.values()]))
    present = [text for text in whole.counts() if not is_missing(text)]
    if present and all(map(is_number, present)):
        summary = in_numbers(size_range(numbers_of(whole, name)))
    else:
        shown = shortened([text.strip()[:40] for text in present], 5)
        summary = f"{len(present):,} different: {shown}" if present else "empty"
    return ColumnReport(name=name, kind=kind, missing=int(whole.is_missing.sum()), summary=summary)


def _in_words(left_out: Mapping[str, str]) -> str:
    return shortened([f"{name} ({reason})" for name, reason in left_out.items()])


def describe_tables(tables: Tables, learned: Learned, labels: Mapping[str, Sequence[str]] | None = None) -> DataReport:
    """What was seen in them.

    Args:
        labels: The class of each row of each split, where there are classes.
    """
    train = tables.splits["train"]
    classes = counts_by_class(labels) if labels else {}
    warnings = [*tables.warnings]
    if learned.left_out:
        warnings.append(f"Columns that cannot be used are left out: {_in_words(learned.left_out)}.")
    warnings += class_warnings(classes, "rows") if labels else []
    positions = sample_positions(labels["train"]) if labels else [*range(min(5, len(train)))]
    samples = [
        Sample(
            label=labels["train"][position] if labels else "",
            kind="row",
            value=", ".join(f"{name} {text.strip()}" for name, text in zip(train.header, row, strict=True))[:500],
        )
        for position, row in zip(positions, train.select(np.array(positions)).rows(), strict=True)
    ]
    return DataReport(
        path=str(tables.path),
        what="rows",
        splits={split: len(table) for split, table in tables.splits.items()},
        classes=classes,
        columns=learned.reports,
        warnings=tuple(warnings),
        examples=tuple(samples),
    )
