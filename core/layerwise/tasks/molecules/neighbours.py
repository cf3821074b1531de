"""The molecules that a network was trained on: which of them are like a given one, and whether it is like any."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from layerwise.tasks.molecules.fingerprints import similarities, similarity_bits
from layerwise.text.text_file import TextFile

FILE = "molecules.csv"
INSIDE_SHARE = 0.95
"""The domain is as wide as this share of the training molecules needs."""
MOST_COMPARED = 2000
"""Training molecules whose nearest others are looked for; of more a part, evenly taken."""


@dataclass(frozen=True)
class Neighbour:
    """A training molecule.

    Args:
        smiles: Canonical.
        values: What is known of it, a number for each target, NaN where there is none.
        similarity: Tanimoto's, to the molecule that was asked for.
    """

    smiles: str
    values: tuple[float, ...]
    similarity: float


def molecules_file(smiles: Sequence[str], values: np.ndarray, targets: Sequence[str]) -> TextFile:
    """Training molecules with their values [molecules, targets], for a task's field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["smiles", *targets])
    for text, row in zip(smiles, values, strict=True):
        writer.writerow([text, *("" if math.isnan(value) else f"{value:.5g}" for value in row)])
    return TextFile(FILE, buffer.getvalue())


class TrainingMolecules:
    """Training molecules that can be compared with.

    Args:
        smiles: Of each.
        values: float64 [molecules, targets], NaN where there is none.
        bits: The groups that each has (`layerwise.tasks.molecules.fingerprints.similarity_bits`).
    """

    def __init__(self, smiles: Sequence[str], values: np.ndarray, bits: Sequence[Any]) -> None:
        self.smiles, self.values, self.bits = list(smiles), values, list(bits)

    @classmethod
    def of(cls, file: TextFile) -> Self:
        """Those of a file that `molecules_file` wrote."""
        from rdkit import Chem

        _, *rows = csv.reader(io.StringIO(file.content))
        smiles = [row[0] for row in rows]
        values = np.array([[float(cell) if cell else math.nan for cell in row[1:]] for row in rows], "float64")
        return cls(smiles, values, [similarity_bits(Chem.MolFromSmiles(text)) for text in smiles])

    def nearest(self, mol: Any, count: int) -> list[Neighbour]:
        """The most similar ones, the nearest first."""
        found = similarities(similarity_bits(mol), self.bits)
        order = np.argsort(-found, kind="stable")[:count]
        return [Neighbour(self.smiles[at], tuple(self.values[at].tolist()), float(found[at])) for at in order]

    def nearest_similarity(self, mol: Any) -> float:
        """The similarity of the most similar one, 0 where there is none."""
        return float(similarities(similarity_bits(mol), self.bits).max(initial=0.0))

    def threshold(self) -> float:
        """The similarity to the nearest other one that 95 % of them reach. A molecule that is less like any of them is
        another sort of molecule than they are."""
        count = len(self.bits)
        if count < 2:
            return 0.0
        chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_COMPARED)).astype(int))
        nearest = []
        for place in chosen.tolist():
            found = similarities(self.bits[place], self.bits)
            found[place] = 0.0
            nearest.append(found.max())
        return float(np.quantile(nearest, 1 - INSIDE_SHARE))
