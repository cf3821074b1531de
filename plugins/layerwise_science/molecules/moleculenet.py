"""MoleculeNet: molecules with what was measured of them (Wu et al. 2018, Chem. Sci. 9), four of its data sets.

Each is there twice: divided by scaffolds, as its authors advise, and at random, which is easier and flatters.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split

FOLDER = "moleculenet"
HOMEPAGE = "https://moleculenet.org"
SPLITS = ("train", "validation", "test")
_COPY = (
    "https://raw.githubusercontent.com/GLambard/Molecules_Dataset_Collection/beb35cd0b76db5adef6cb1fa55807e4cd309aaed"
)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A file of MoleculeNet.

    Args:
        name: Of the data set.
        title, summary: What it holds.
        file: The file's name.
        targets: The column of each property.
        csv, xz: SHA-256 and size in bytes, of the file and of the same compressed by xz.
    """

    name: str
    title: str
    summary: str
    file: str
    targets: tuple[str, ...]
    csv: tuple[str, int]
    xz: tuple[str, int]

    def spec(self, *, at_random: bool = False) -> DatasetSpec:
        """The data set, divided by scaffolds or at random."""
        sources = [
            Source(
                name=name,
                read=_reader(self, at_random),
                licence="MIT",
                homepage=HOMEPAGE,
                files=(File(name=f"{self.file}{ending}", url=url, sha256=sha256, size=size),),
            )
            for name, ending, url, (sha256, size) in (
                ("csv", "", f"{_COPY}/originals/{self.file}", self.csv),
                ("xz", ".xz", "", self.xz),
            )
        ]
        return DatasetSpec(
            name=f"{self.name}-random" if at_random else self.name,
            title=f"{self.title}, divided at random" if at_random else self.title,
            summary=self.summary,
            splits=SPLITS,
            sources=tuple(sources),
            folder=FOLDER,
        )


@functools.cache
def _reader(collection: Collection, at_random: bool) -> Callable[[Mapping[str, Path]], dict[str, Split]]:
    """The same function each time that the data sets are registered: they are compared then."""
    return functools.partial(read, collection=collection, at_random=at_random)


def read(files: Mapping[str, Path], *, collection: Collection, at_random: bool = False) -> dict[str, Split]:
    """80 % "train", 10 % "validation" and 10 % "test" of the molecules that RDKit can read and standardise, by
    scaffolds as DeepChem divides them, or at random.

    Returns:
        Inputs are SMILES as they are in the file, an array of objects [molecules]; targets float32 [molecules, targets]
        in their own unit, NaN where nobody has measured.

    Raises:
        DataError: The file is not what it should be.
    """
    import numpy as np

    from layerwise.splits import Split
    from layerwise.tasks.molecules.scaffolds import random_split, scaffold_of, scaffold_split

    (path,) = files.values()
    smiles, targets = _rows(path, collection)
    kept = [(text, mol) for text in smiles if (mol := _mol(text)) is not None]
    found = np.empty(len(kept), object)
    found[:] = [text for text, _ in kept]
    readable = set(found)
    values = targets[[place for place, text in enumerate(smiles) if text in readable]]
    parts = random_split(len(kept)) if at_random else scaffold_split([scaffold_of(mol) for _, mol in kept])
    return {name: Split(found[places], values[places]) for name, places in zip(SPLITS, parts, strict=True)}


def _rows(path: Path, collection: Collection) -> tuple[list[str], np.ndarray]:
    import csv
    import lzma

    import numpy as np

    compressed = path.suffix == ".xz"
    with lzma.open(path, "rt", encoding="utf-8") if compressed else path.open(encoding="utf-8", newline="") as lines:
        try:
            rows = list(csv.DictReader(lines))
        except lzma.LZMAError as error:
            raise DataError(f"{path} is not compressed by xz", received=str(error)) from error
    missing = {"smiles", *collection.targets} - set(rows[0] if rows else ())
    if missing:
        raise DataError(f"{path} is not {collection.title}", received=f"no column {', '.join(sorted(missing))}")
    values = [[float(row[name]) if row[name] else float("nan") for name in collection.targets] for row in rows]
    return [row["smiles"].strip() for row in rows], np.array(values, "float32")


def _mol(text: str) -> object | None:
    from layerwise.errors import InputError
    from layerwise.tasks.molecules.smiles import parse
    from layerwise.tasks.molecules.standardise import standardised

    try:
        mol = parse(text)
        standardised(mol)
    except InputError:
        return None
    return mol


TOX21_TARGETS = (
    "NR-AR",
    "NR-AR-LBD",
    "NR-AhR",
    "NR-Aromatase",
    "NR-ER",
    "NR-ER-LBD",
    "NR-PPAR-gamma",
    "SR-ARE",
    "SR-ATAD5",
    "SR-HSE",
    "SR-MMP",
    "SR-p53",
)
ESOL = Collection(
    name="esol",
    title="ESOL, solubility in water",
    summary="1,128 molecules and the logarithm of how much of each dissolves in water (Delaney 2004).",
    file="ESOL_delaney-processed.csv",
    targets=("measured log solubility in mols per litre",),
    csv=("8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f189", 96_699),
    xz=("99c9dd52a64fa368368ae9b92f15f7d929084783061b62db31cf559dd19287c2", 27_000),
)
LIPOPHILICITY = Collection(
    name="lipophilicity",
    title="Lipophilicity, octanol against water",
    summary="4,200 molecules of pharmacy and their coefficient of distribution at pH 7.4 (from ChEMBL, AstraZeneca).",
    file="Lipophilicity.csv",
    targets=("exp",),
    csv=("aed41590cb30609d51d8e08ad3ff06495a76e80e211358801f596b10da69bacd", 282_606),
    xz=("6bbdd85f9b3d607344926b6469f6f3e9e3350183414af9e4f3f97de9e6f531cd", 61_440),
)
BBBP = Collection(
    name="bbbp",
    title="BBBP, the blood-brain barrier",
    summary="2,039 molecules, and whether each gets from the blood into the brain (Martins et al. 2012).",
    file="BBBP.csv",
    targets=("p_np",),
    csv=("d07a38487aeac5cee5508413e468043ef3097451d2a112701c2d60be9ec6b662", 148_743),
    xz=("16b9e598fca4d6d2f3f60722c6a36c5da6380787b50a2d89485fd71a58840ae0", 38_108),
)
TOX21 = Collection(
    name="tox21",
    title="Tox21, twelve assays of toxicity",
    summary="7,818 molecules in twelve assays of nuclear receptors and stress responses; not each in every one.",
    file="tox21.csv",
    targets=TOX21_TARGETS,
    csv=("7d7e7facd853a63e79ddce4e9c3fcb7a0d83a1c300b603031c0f2c64fbe77761", 525_119),
    xz=("a08f9d88f5d96fd743d5a8d044ea49f4b7ef0e4cba34abb9ed6a106e43e28130", 94_860),
)
COLLECTIONS = (ESOL, LIPOPHILICITY, BBBP, TOX21)
