"""The trace of a protein: where the alpha carbon of each residue is."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LONGEST_BOND = 4.3
"""Alpha carbons that follow each other are 3.8 Å apart, or 2.9 Å before some prolines; more is a gap in the chain."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A trace.

    Args:
        title: What it is.
        sequence: A letter for each residue, X for one that is none of the twenty.
        coordinates: Of the alpha carbons, float64 [residues, 3] in Å.
    """

    title: str
    sequence: str
    coordinates: np.ndarray

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def gaps(self) -> list[int]:
        """After which residues, counted from 1, some are missing."""
        lengths = np.linalg.norm(np.diff(self.coordinates, axis=0), axis=1)
        return [int(place) + 1 for place in np.flatnonzero(lengths > LONGEST_BOND)]


@functools.lru_cache(maxsize=1)
def shipped_chains() -> Mapping[str, Chain]:
    """Those that are there, by their PDB ids. The Protein Data Bank's entries are in the public domain (CC0 1.0)."""
    known = json.loads(Path(__file__).with_name("structures.json").read_text(encoding="utf-8"))["chains"]
    return {
        name: Chain(item["title"], item["sequence"], np.array(item["alpha_carbons"], "float64"))
        for name, item in known.items()
    }
