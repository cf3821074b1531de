"""Traces in files of the Protein Data Bank: its old format (PDB, version 3.3) and mmCIF."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from layerwise.errors import InputError
from layerwise_science.proteins.folding.chains import Chain

FEWEST, MOST = 4, 300
"""Residues of a trace that can be refolded; more are too many pairs for a page."""
LARGEST = 24 * 2**20
"""The most characters of a file."""
LETTERS = {
    "ALA": "A", "ARG": "R", "ASN": "N", "ASP": "D", "CYS": "C", "GLN": "Q", "GLU": "E", "GLY": "G", "HIS": "H",
    "ILE": "I", "LEU": "L", "LYS": "K", "MET": "M", "PHE": "F", "PRO": "P", "SER": "S", "THR": "T", "TRP": "W",
    "TYR": "Y", "VAL": "V", "MSE": "M", "SEC": "C", "PYL": "K",
}  # fmt: skip
_TOKEN = re.compile(r"'(?:[^']|'(?=\S))*'(?=\s|$)|\"(?:[^\"]|\"(?=\S))*\"(?=\s|$)|\S+")


@dataclass(frozen=True)
class Atom:
    """An alpha carbon.

    Args:
        chain: The name of its chain.
        residue: What tells its residue from the others of the chain.
        name: Of the residue, three letters.
        place: In Å.
    """

    chain: str
    residue: str
    name: str
    place: tuple[float, float, float]


def read_chain(text: str, wanted: str = "") -> Chain:
    """The trace of one chain of the first model in a file.

    Args:
        text: What the file holds, PDB or mmCIF.
        wanted: The name of the chain; empty for the first one.

    Raises:
        InputError: It is no such file, has no such chain, or one that is too short or too long.
    """
    if len(text) > LARGEST:
        raise InputError("The file is too large", expected=f"at most {LARGEST // 2**20} MiB")
    atoms = list(_cif_atoms(text) if _is_cif(text) else _pdb_atoms(text))
    if not atoms:
        raise InputError(
            "There is no protein in the file",
            expected="a PDB or mmCIF file with alpha carbons (atoms called CA)",
            received=repr(text.lstrip()[:40]),
        )
    names = list(dict.fromkeys(atom.chain for atom in atoms))
    if wanted and wanted not in names:
        raise InputError(f"There is no chain {wanted!r}", expected=" or ".join(names))
    chosen = wanted or names[0]
    # Of residues that the crystal shows in two places, the first.
    residues = {atom.residue: atom for atom in reversed(atoms) if atom.chain == chosen}
    found = list(reversed(residues.values()))
    if not FEWEST <= len(found) <= MOST:
        raise InputError(
            f"The chain {chosen!r} cannot be taken",
            expected=f"{FEWEST} to {MOST} residues",
            received=str(len(found)),
            remedy=f"choose another chain: {', '.join(names)}" if len(names) > 1 else None,
        )
    sequence = "".join(LETTERS.get(atom.name, "X") for atom in found)
    return Chain(f"chain {chosen}", sequence, np.array([atom.place for atom in found], "float64"))


def _is_cif(text: str) -> bool:
    return text.lstrip().startswith("data_") or "\n_atom_site." in text


def _pdb_atoms(text: str) -> Iterator[Atom]:
    """Alpha carbons of the first model, without what is bound to a chain after its end."""
    ended: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        kind, chain = line[:6].strip(), line[21:22].strip() or "A"
        if kind == "ENDMDL":
            return
        if kind == "TER":
            ended.add(chain)
        # A calcium is written as "CA  ", an alpha carbon as " CA ".
        if kind not in ("ATOM", "HETATM") or line[12:16] != " CA " or (kind == "HETATM" and chain in ended):
            continue
        yield Atom(chain, line[22:27].strip(), line[17:20].strip(), _place(_fields(line), f"line {number}"))


def _fields(line: str) -> tuple[str, str, str]:
    return line[30:38], line[38:46], line[46:54]


def _place(fields: tuple[str, str, str], where: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(field) for field in fields)
    except ValueError:
        x = y = z = np.nan
    if not np.isfinite([x, y, z]).all():
        raise InputError(
            f"The coordinates of an atom cannot be read, in {where}",
            expected="three numbers in Å",
            received=" ".join(field.strip() for field in fields)[:60],
        )
    return x, y, z


def _cif_atoms(text: str) -> Iterator[Atom]:
    """Alpha carbons of the first model in the loop `_atom_site`."""
    columns: list[str] = []
    first_model = None
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("_atom_site."):
            columns.append(stripped.split()[0].removeprefix("_atom_site."))
            continue
        if not columns or not stripped:
            continue
        if stripped == "#" or stripped.startswith(("loop_", "data_", "_")):
            return
        values = [token.strip("'\"") if token[0] in "'\"" else token for token in _TOKEN.findall(stripped)]
        if len(values) != len(columns):
            raise InputError(
                f"An atom cannot be read, in line {number}",
                expected=f"{len(columns)} values",
                received=stripped[:60],
            )
        row = dict(zip(columns, values, strict=True))
        model = row.get("pdbx_PDB_model_num", "1")
        first_model = first_model or model
        # Only residues of a polymer have a place in its sequence.
        if row.get("label_atom_id") != "CA" or row.get("label_seq_id", ".") == "." or model != first_model:
            continue
        yield _cif_atom(row, number)


def _cif_atom(row: dict[str, str], number: int) -> Atom:
    fields = (row.get("Cartn_x", ""), row.get("Cartn_y", ""), row.get("Cartn_z", ""))
    chain = row.get("auth_asym_id", row.get("label_asym_id", "A"))
    return Atom(chain, row["label_seq_id"], row.get("label_comp_id", ""), _place(fields, f"line {number}"))
