"""Files of molecules: read, and what was predicted of each written beside it."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import DataError, InputError
from layerwise.spreadsheets import plain_cell
from layerwise.tasks.molecules import answers

if TYPE_CHECKING:
    from layerwise.tasks.molecule_property import MoleculeProperty
    from layerwise.tasks.molecules.predictions import Predicted
    from layerwise.tasks.molecules.standardise import Molecule

MOST_MOLECULES = 100_000
SHOWN_ROWS = 20
SDF_END = b"$$$$"
LOOKED_AT = 50
"""Cells of a column that are tried to be read, to find the one with SMILES."""


@dataclass(frozen=True, eq=False)
class MoleculeRows:
    """Molecules as a file has them.

    Args:
        smiles: The SMILES of each, as written.
        columns: The texts beside it, by the name of their column, each as long.
    """

    smiles: list[str]
    columns: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.smiles)


def read_file(file: Any) -> MoleculeRows:
    """The molecules of a CSV, TSV or SDF file.

    Args:
        file: Its path, or its content.

    Raises:
        InputError: It cannot be read, has no molecules, or too many.
    """
    try:
        if isinstance(file, bytes):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / ("molecules.sdf" if _is_sdf(file[:100_000]) else "molecules.csv")
                path.write_bytes(file)
                rows = read_path(path)
        else:
            rows = read_path(Path(str(file)))
    except DataError as error:
        raise InputError(error.what, expected=error.expected, received=error.received, remedy=error.remedy) from None
    if not 0 < len(rows) <= MOST_MOLECULES:
        raise InputError(
            "The file has no molecules" if not len(rows) else "The file has too many molecules",
            expected=f"1 to {MOST_MOLECULES:,}",
            received=f"{len(rows):,}",
        )
    return rows


def read_path(path: Path) -> MoleculeRows:
    """The molecules of a table (CSV, TSV, Parquet) or an SDF file.

    Raises:
        DataError: It cannot be read, or no column has SMILES.
    """
    if path.suffix.lower() == ".sdf":
        return _read_sdf(path)
    from layerwise.tasks.tables import read_table

    lines = [] if path.suffix.lower() == ".parquet" else _lines_of_one_column(path)
    if lines:
        start = 1 if lines[0].lower() in ("smiles", "molecule", "structure") else 0
        return MoleculeRows(lines[start:], {})
    table = read_table(path)
    columns = {name: column.tolist() for name, column in zip(table.header, table.columns, strict=True)}
    name = smiles_column(columns, path.name)
    return MoleculeRows(columns.pop(name), columns)


def smiles_column(columns: Mapping[str, Sequence[str]], file: str) -> str:
    """The name of the column with SMILES: one that is called so, otherwise the first whose cells can be read.

    Raises:
        DataError: There is none.
    """
    for name in columns:
        if "smiles" in name.lower():
            return name
    for name, cells in columns.items():
        looked = [cell for cell in cells[:LOOKED_AT] if cell.strip()]
        # Names such as "CO" or "I" can be read as molecules; letters alone are not enough.
        if looked and any(mark in cell for cell in looked for mark in "=()[1") and all(map(_is_smiles, looked)):
            return name
    raise DataError(
        f"{file} has no column of SMILES",
        expected="a column that is named smiles",
        received=", ".join(list(columns)[:10]),
        remedy="name the column with the molecules: smiles",
    )


def _is_smiles(cell: str) -> bool:
    from layerwise.tasks.molecules.smiles import parse

    try:
        parse(cell)
    except InputError:
        return False
    return True


def _lines_of_one_column(path: Path) -> list[str]:
    """The lines of a list of SMILES alone, empty for a table."""
    from layerwise.tasks.csv_files import encoding_of

    try:
        lines = path.read_text(encoding=encoding_of(path), errors="replace").splitlines()
    except OSError as error:
        raise DataError("The file cannot be opened", received=f"{path.name}: {error.strerror}") from None
    lines = [line.strip() for line in lines if line.strip()]
    return [] if any(mark in line for line in lines[:LOOKED_AT] for mark in ",;\t|") else lines


def _read_sdf(path: Path) -> MoleculeRows:
    from rdkit import Chem

    from layerwise.tasks.molecules.smiles import listening

    listening()
    smiles: list[str] = []
    found: list[dict[str, str]] = []
    with path.open("rb") as stream:
        for mol in Chem.ForwardSDMolSupplier(stream):
            smiles.append(Chem.MolToSmiles(mol) if mol is not None else "")
            named = {"name": mol.GetProp("_Name")} if mol is not None and mol.GetProp("_Name") else {}
            found.append(named | (mol.GetPropsAsDict(autoConvertStrings=False) if mol is not None else {}))
    names = list(dict.fromkeys(name for row in found for name in row))
    return MoleculeRows(smiles, {name: [str(row.get(name, "")) for row in found] for name in names})


def _is_sdf(head: bytes) -> bool:
    return SDF_END in head or b"M  END" in head


@dataclass(eq=False)
class Results:
    """What was predicted of the molecules of a file.

    Args:
        task: Which properties.
        rows: The molecules.
    """

    task: MoleculeProperty
    rows: MoleculeRows
    num_done: int = 0
    num_errors: int = 0
    num_outside: int = 0
    _cells: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, place: int, molecule: Molecule, predicted: Predicted, number: int, nearest: float | None) -> None:
        """Note what was predicted.

        Args:
            place: Of the molecule in the file.
            number: Of the molecule in `predicted`.
            nearest: The similarity of the nearest training molecule, None where these are not known.
        """
        cells: dict[str, Any] = {"molecule": molecule.smiles}
        ends = ("low 90 %", "high 90 %") if self.task.kind == "number" else ("least of members", "most of members")
        for at, target in enumerate(self.task.targets):
            cells[f"predicted {target}"] = float(predicted.values[number, at])
            cells[f"{target}, {ends[0]}"] = float(predicted.low[number, at])
            cells[f"{target}, {ends[1]}"] = float(predicted.high[number, at])
        if nearest is not None:
            inside = answers.is_inside(self.task, molecule, nearest)
            self.num_outside += not inside
            cells |= {"nearest similarity": nearest, "in the domain": "yes" if inside else "no"}
        self._cells[place] = cells | {"note": " ".join(molecule.notes)}

    def add_error(self, place: int, error: InputError) -> None:
        """Note why nothing could be predicted."""
        self.num_errors += 1
        self._cells[place] = {"note": str(error)}

    @property
    def progress(self) -> str:
        """How far it is, in words."""
        return f"{self.num_done:,} of {len(self.rows):,} molecules …"

    @property
    def summary(self) -> str:
        """All in one sentence."""
        said = [f"{len(self.rows) - self.num_errors:,} of {len(self.rows):,} molecules predicted"]
        if self.num_errors:
            said.append(f"{self.num_errors:,} cannot be used, and the note beside each says why")
        if self.num_outside:
            said.append(f"{self.num_outside:,} are unlike the training molecules")
        return "; ".join(said) + f". The first {min(SHOWN_ROWS, len(self.rows))} are below, all in the file."

    @property
    def first_rows(self) -> list[dict[str, Any]]:
        """The first rows, for a page."""
        names = self._names()
        shown = range(min(SHOWN_ROWS, self.num_done))
        return [{"given": self.rows.smiles[at]} | {n: self._cells[at].get(n, "") for n in names} for at in shown]

    def as_file(self) -> dict[str, Any]:
        """All of them with the columns of the file, as CSV."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        names = self._names()
        writer.writerow(["smiles", *map(plain_cell, self.rows.columns), *names])
        for at in range(len(self.rows)):
            beside = [cells[at] for cells in self.rows.columns.values()]
            found = [_digits(self._cells[at].get(name, "")) for name in names]
            writer.writerow(map(plain_cell, [self.rows.smiles[at], *beside, *found]))
        return {"name": "predictions.csv", "content": buffer.getvalue().encode()}

    def _names(self) -> list[str]:
        longest = max(self._cells.values(), key=len, default={})
        return list(longest)


def _digits(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else value
