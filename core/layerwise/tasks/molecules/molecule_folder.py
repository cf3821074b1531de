"""Molecules of a user's own: tables with SMILES and SDF files, divided by scaffolds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from layerwise.errors import DataError, InputError
from layerwise.own_data import (
    ColumnReport,
    DataReport,
    Repeats,
    Sample,
    Unreadable,
    check_unreadable,
    in_numbers,
    shortened,
    size_range,
)
from layerwise.splits import Split
from layerwise.tasks.columns import is_missing, is_number
from layerwise.tasks.molecules.batches import MoleculeRows, read_path
from layerwise.tasks.molecules.scaffolds import random_split, scaffold_of, scaffold_split
from layerwise.tasks.molecules.standardise import Molecule, read_molecule
from layerwise.tasks.table_folder import FEWEST_ROWS, table_files
from layerwise.tasks.tables import SUFFIXES

if TYPE_CHECKING:
    from layerwise.tasks.molecule_property import MoleculeProperty

WORDS = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "active": 1.0, "inactive": 0.0, "1": 1.0, "0": 0.0}
"""Yes and no in words, in lower case; numbers of 1 and 0 count too."""
NAMED = ("target", "label")
LEAST_TRAIN_SHARE = 0.5
"""Where scaffolds leave less than this to train on, molecules are drawn one by one instead."""


def read_molecules(task: MoleculeProperty, path: Path) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The properties that a file or folder has (`MoleculeProperty.folder_format`), its splits, and what was seen.

    Raises:
        DataError: They cannot be trained on.
    """
    parts, molecules, warnings = _read(task, path)
    columns = _target_columns(task, parts["train"].columns)
    values = {name: _values(task, part.columns, columns) for name, part in parts.items()}
    if len(parts["train"]) < FEWEST_ROWS:
        raise DataError(
            "There are too few molecules to learn from",
            expected=f"at least {FEWEST_ROWS} that can be read",
            received=str(len(parts["train"])),
        )
    for place, column in enumerate(columns):
        known = values["train"][:, place]
        if np.nanmin(known) == np.nanmax(known):
            raise DataError(f"The column {column!r} always has the same value", received=f"{np.nanmin(known):g}")
    splits = {name: Split(_smiles(molecules[name]), values[name]) for name in parts}
    splits, more = _with_test(splits, molecules["train"])
    report = DataReport(
        path=str(path),
        what="molecules",
        splits={name: len(split) for name, split in splits.items()},
        sizes={"atoms": size_range([molecule.num_atoms for part in molecules.values() for molecule in part])},
        columns=tuple(
            _describe(name, np.concatenate([part[:, at] for part in values.values()]))
            for at, name in enumerate(columns)
        ),
        warnings=(*warnings, *more, *_repeats(splits)),
        examples=tuple(
            Sample(label="", kind="text", value=molecule.smiles[:500]) for molecule in molecules["train"][:5]
        ),
    )
    return tuple(columns), splits, report


def read_to_measure(task: MoleculeProperty, path: Path) -> dict[str, Split]:
    """The splits of such data, with the properties that a task has already.

    Raises:
        DataError: One of these is not there.
    """
    parts, molecules, _ = _read(task, path)
    missing = [target for target in task.targets if target not in parts["train"].columns]
    if missing:
        raise DataError(
            f"{path} lacks properties that the model was trained for",
            expected=", ".join(task.targets),
            received=f"no {', '.join(missing)}",
        )
    splits = {
        name: Split(_smiles(molecules[name]), _values(task, part.columns, task.targets)) for name, part in parts.items()
    }
    return _with_test(splits, molecules["train"])[0]


def _read(task: MoleculeProperty, path: Path) -> tuple[dict[str, MoleculeRows], dict[str, list[Molecule]], list[str]]:
    """For each split the rows whose molecule can be used, and these molecules; and warnings."""
    files = table_files(path, (*SUFFIXES, ".sdf"), "one CSV, TSV, Parquet or SDF file, or train.csv and test.csv")
    parts, molecules, unreadable, total = {}, {}, [], 0
    for name, file in files.items():
        rows = read_path(file)
        total += len(rows)
        found: dict[int, Molecule] = {}
        for place, smiles in enumerate(rows.smiles):
            try:
                found[place] = task.checked(read_molecule(smiles))
            except InputError as error:
                unreadable.append(Unreadable(name=f"molecule {place + 1} of {file.name}", reason=error.what))
        columns = {column: [cells[place] for place in found] for column, cells in rows.columns.items()}
        parts[name] = MoleculeRows([rows.smiles[place] for place in found], columns)
        molecules[name] = list(found.values())
    return parts, molecules, check_unreadable(unreadable, total, "molecules")


def _target_columns(task: MoleculeProperty, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Which columns are properties: those of the task if all are there, one that is called target, otherwise all that
    hold what the task predicts.

    Raises:
        DataError: There is none.
    """
    if all(target in columns for target in task.targets):
        return list(task.targets)
    usable = [name for name, cells in columns.items() if _is_usable(task, cells)]
    named = [name for name in usable if name.lower() in NAMED]
    if named or usable:
        return named[:1] or usable
    raise DataError(
        "There is no property to learn",
        expected="a column of numbers" if task.kind == "number" else "a column of 1 and 0, or of yes and no",
        received=shortened(list(columns)) or "the SMILES alone",
    )


def _is_usable(task: MoleculeProperty, cells: Sequence[str]) -> bool:
    present = {cell.strip() for cell in cells if not is_missing(cell)}
    if not present:
        return False
    return (
        all(map(is_number, present)) if task.kind == "number" else all(_as_yes_no(cell) is not None for cell in present)
    )


def _as_yes_no(cell: str) -> float | None:
    word = cell.strip().lower()
    if word in WORDS:
        return WORDS[word]
    return float(word) if is_number(word) and float(word) in (0, 1) else None


def _values(task: MoleculeProperty, columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> np.ndarray:
    """The values of columns, float32 [molecules, names], NaN where they are missing.

    Raises:
        DataError: One is none.
    """
    found = np.full((len(next(iter(columns.values()), ())), len(names)), np.nan, "float32")
    for at, name in enumerate(names):
        for place, cell in enumerate(columns.get(name, ())):
            if is_missing(cell):
                continue
            value = _as_yes_no(cell) if task.kind == "yes-no" else float(cell) if is_number(cell) else None
            if value is None:
                raise DataError(
                    f"The column {name!r} has a value that cannot be used",
                    expected="a number" if task.kind == "number" else "1 or 0, yes or no",
                    received=repr(cell),
                )
            found[place, at] = value
    return found


def _with_test(splits: dict[str, Split], train: Sequence[Molecule]) -> tuple[dict[str, Split], list[str]]:
    """The splits with a test split, and what is to be said of it."""
    if "test" in splits:
        return splits, []
    kept, _, held_out = scaffold_split([scaffold_of(molecule.mol) for molecule in train], (0.8, 0.0))
    warnings = []
    if len(kept) < LEAST_TRAIN_SHARE * len(train) or not len(held_out):
        one, two, held_out = random_split(len(train))
        kept, held_out = one, np.concatenate([two, held_out])
        warnings.append("Most molecules have one scaffold, so the test holds single molecules instead of scaffolds.")
    whole = splits["train"]
    return splits | {"train": whole.select(np.sort(kept)), "test": whole.select(np.sort(held_out))}, warnings


def _smiles(molecules: Sequence[Molecule]) -> np.ndarray:
    found = np.empty(len(molecules), object)
    found[:] = [molecule.smiles for molecule in molecules]
    return found


def _describe(name: str, values: np.ndarray) -> ColumnReport:
    known = values[np.isfinite(values)]
    summary = in_numbers(size_range(known)) if len(known) else "empty"
    return ColumnReport(name=name, kind="target", missing=int(len(values) - len(known)), summary=summary)


def _repeats(splits: Mapping[str, Split]) -> list[str]:
    found = Repeats()
    for name, split in splits.items():
        for smiles in np.asarray(split.inputs):
            found.add(name, str(smiles).encode(), str(smiles))
    return found.warnings("molecules")
