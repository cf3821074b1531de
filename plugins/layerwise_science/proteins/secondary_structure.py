"""What each residue of a protein belongs to: a helix, a strand of a sheet, or neither.

FLIP (Dallago et al. 2021, "FLIP: Benchmark tasks in fitness landscape inference for proteins", NeurIPS datasets and
benchmarks), its task "secondary structure", split "sampled": proteins of the PDB as NetSurfP-2.0 chose them (Klausen et
al. 2019, doi:10.1002/prot.25674). CB513 (Cuff and Barton 1999, Proteins 34) in the form of NetSurfP-2.0, as PS4 has it
(Peracha 2024, doi:10.2144/btn-2023-0024).

Labels are those of DSSP in three states: H (of DSSP's H, G, I), E (of E, B), C (all others). Residues that nobody could
see in the crystal have none.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    from layerwise.splits import Split

LABELS = ("helix", "sheet", "coil")
LETTERS = ("H", "E", "C")
"""As FLIP and CB513 write the labels."""
UNCOUNTED = "."
SAME_LETTERS = 10
"""A protein that has so many letters in a row in common with one of CB513 is not trained on: by chance that is rare."""
ZIP, CB513 = "flip_secondary_structure_splits.zip", "CB513_HHblits.csv"
SPLITS = {("train", "False"): "train", ("train", "True"): "validation", ("test", "False"): "test"}
"""The split of what FLIP says of a protein: SET and VALIDATION."""


def read_csv(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" (9,683), "validation" (1,076), "test" (364), and "cb513" (511).

    Of FLIP's 9,712 and 1,080, those are left out that have `SAME_LETTERS` letters in a row in common with a chain of
    CB513; two of them are chains of it.

    Returns:
        Inputs are sequences, an array of objects [proteins]; targets texts of as many of LETTERS, objects [proteins],
        `UNCOUNTED` for residues that do not count.

    Raises:
        DataError: A file is not what it should be.
    """
    with files[CB513].open(encoding="utf-8", newline="") as lines:
        return _read(files[ZIP], lines)


def read_xz(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_csv`, of CB513 compressed by xz."""
    import lzma

    path = files[f"{CB513}.xz"]
    with lzma.open(path, "rt", encoding="utf-8", newline="") as lines:
        try:
            return _read(files[ZIP], lines)
        except lzma.LZMAError as error:
            raise DataError(f"{path} is not compressed by xz", received=str(error)) from error


def _read(flip: Path, cb513: Iterable[str]) -> dict[str, Split]:
    import numpy as np

    from layerwise.splits import Split

    measured = list(read_cb513(cb513))
    known = stretches(sequence for sequence, _ in measured)
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in SPLITS.values()}
    for split, _, sequence, labels in read_flip(flip):
        if split == "test" or known.isdisjoint(stretches([sequence])):
            found[split].append((sequence, labels))
    found["cb513"] = measured
    return {
        name: Split(*(np.array([pair[side] for pair in pairs], object) for side in (0, 1)))
        for name, pairs in found.items()
    }


def stretches(sequences: Iterable[str], length: int = SAME_LETTERS) -> set[str]:
    """All stretches of so many letters."""
    return {sequence[at : at + length] for sequence in sequences for at in range(len(sequence) - length + 1)}


def read_flip(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """The split, the name, the sequence and the label letters of each protein of FLIP's archive.

    Raises:
        DataError: It is not such an archive.
    """
    from layerwise.tasks.sequences.alphabets import PROTEIN

    try:
        with zipfile.ZipFile(path) as archive:
            sequences, masks, labels = (
                dict(_fasta(archive.read(f"splits/{name}.fasta").decode("ascii")))
                for name in ("sequences", "mask", "sampled")
            )
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not FLIP's archive of secondary structures", received=str(error)) from error
    for header, letters in labels.items():
        name, *said = header.split(" ")
        facts = dict(part.split("=", 1) for part in said if "=" in part)
        split = SPLITS.get((facts.get("SET", ""), facts.get("VALIDATION", "")))
        sequence, mask = sequences.get(name, ""), masks.get(name, "")
        if split is None or not len(sequence) == len(mask) == len(letters) > 0:
            raise DataError(
                f"{path} has a protein that is not like the others",
                expected="a set, and as many labels and marks as letters",
                received=f"{header!r}, {len(sequence)} letters, {len(mask)} marks, {len(letters)} labels",
            )
        seen = [mark == "1" for mark in mask]
        yield split, name, PROTEIN.clean(sequence), _masked(letters, seen)


def _fasta(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(">")[1:]:
        header, *lines = part.splitlines()
        yield header, "".join(lines)


def read_cb513(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The sequence and the label letters of each chain of CB513. Of a chain those residues count that belong to the
    domain which CB513 means, and that were seen in the crystal.

    Raises:
        DataError: It is not that table.
    """
    from layerwise.tasks.sequences.alphabets import PROTEIN

    table = csv.DictReader(lines, skipinitialspace=True)
    columns = ("input", "dssp3", "disorder", "cb513_mask")
    if missing := set(columns) - set(table.fieldnames or ()):
        raise DataError("This is not the table of CB513", expected=", ".join(columns), received=f"no {min(missing)}")
    for row in table:
        letters, labels, seen, meant = (row[name].split() for name in columns)
        if not len(letters) == len(labels) == len(seen) == len(meant):
            raise DataError(
                f"A chain of CB513 is not like the others: {''.join(letters)[:20]}",
                expected="as many labels and marks as letters",
            )
        counts = [float(one) * float(other) == 1 for one, other in zip(seen, meant, strict=True)]
        yield PROTEIN.clean("".join(letters)), _masked("".join(labels), counts)


def _masked(labels: str, counts: Iterable[bool]) -> str:
    unknown = set(labels) - set(LETTERS)
    if unknown:
        raise DataError("There is a label that is none", expected=", ".join(LETTERS), received=repr(min(unknown)))
    return "".join(label if is_known else UNCOUNTED for label, is_known in zip(labels, counts, strict=True))


_FLIP_FILE = File(
    name=ZIP,
    url="https://raw.githubusercontent.com/J-SNACKKB/FLIP/62cace8735f5610e2743cf06ce0f944b37fffaa6"
    "/splits/secondary_structure/splits.zip",
    sha256="2e9bbbfd18a055bcac7edd4e059a6bf4bb35ca3ad8f8fa4fc3106422652a4726",
    size=2_321_037,
)
LICENCE = "AFL-3.0 AND CC0-1.0"
HOMEPAGE = "https://github.com/J-SNACKKB/FLIP"

PROTEIN_SS = DatasetSpec(
    name="protein-ss",
    title="Secondary structures of proteins (FLIP, CB513)",
    summary="11,123 proteins of FLIP and 511 of CB513, with a helix, a sheet or neither for each residue.",
    splits=("train", "validation", "test", "cb513"),
    sources=(
        Source(
            name="canonical",
            read="layerwise_science.proteins.secondary_structure:read_csv",
            licence=LICENCE,
            homepage=HOMEPAGE,
            files=(
                _FLIP_FILE,
                File(
                    name=CB513,
                    url="https://raw.githubusercontent.com/omarperacha/ps4-dataset"
                    "/e1820264e0762fb44d496f53e08cdcb7ddf92598/ps4_data/data/cb513/CB513_HHblits.csv",
                    sha256="829e357259fd132e945af4ea4ffa4233f135e886b749a2fc5111b41102537afc",
                    size=2_016_196,
                ),
            ),
        ),
        Source(
            name="xz",
            read="layerwise_science.proteins.secondary_structure:read_xz",
            licence=LICENCE,
            homepage=HOMEPAGE,
            files=(
                _FLIP_FILE,
                File(
                    name=f"{CB513}.xz",
                    url="",
                    sha256="40a5959c34d78e02eea14e37a0eb6b8231bd1a7af2d233d60ef0ac9f3ca0bb4c",
                    size=112_532,
                ),
            ),
        ),
    ),
)
