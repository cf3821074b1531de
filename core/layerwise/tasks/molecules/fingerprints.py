"""Molecules as numbers: which groups of atoms they have, and what can be computed of them.

The count of each circular group of atoms is Morgan's fingerprint (Rogers and Hahn 2010, "Extended-connectivity
fingerprints", J. Chem. Inf. Model. 50), folded into a fixed number of places.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

RADIUS = 2
"""Bonds around an atom that belong to its group: ECFP4."""
NUM_COUNTS = 42
"""Molecular quantum numbers."""
SIMILARITY_BITS = 2048
"""Places of the fingerprint by which molecules are compared."""


def fingerprint(mol: Any, bits: int) -> np.ndarray:
    """log(1 + how often each group of atoms occurs), float32 [bits]: the second of a group says less than the first."""
    return np.log1p(_generator(bits).GetCountFingerprintAsNumPy(mol).astype("float32"))


def similarity_bits(mol: Any) -> Any:
    """The groups that a molecule has, as an RDKit bit vector, for `similarities`."""
    return _generator(SIMILARITY_BITS).GetFingerprint(mol)


def similarities(bits: Any, others: Sequence[Any]) -> np.ndarray:
    """Tanimoto's similarity of a molecule to others, from 0 to 1: groups that both have as a share of those that one of
    them has. float64 [others]."""
    from rdkit import DataStructs

    return np.asarray(DataStructs.BulkTanimotoSimilarity(bits, list(others)), "float64")


def descriptor_names() -> list[str]:
    """What each number of `descriptors` is: sizes, polarity, the octanol-water coefficient by Crippen, shapes; surface
    by its polarity; and the counts of atoms, bonds and rings of each sort that are called molecular quantum numbers
    (Nguyen et al. 2009, ChemMedChem 4)."""
    surfaces = [f"{function.__name__}{place}" for function, count in _surfaces() for place in range(1, count + 1)]
    return [*_properties().GetPropertyNames(), *surfaces, *(f"MQN{place}" for place in range(1, NUM_COUNTS + 1))]


def descriptors(mol: Any) -> np.ndarray:
    """What RDKit computes of a molecule, float64 [descriptors]. What cannot be computed is NaN."""
    from rdkit.Chem.rdMolDescriptors import MQNs_

    surfaces = [value for function, _ in _surfaces() for value in function(mol)]
    return np.asarray([*_properties().ComputeProperties(mol), *surfaces, *MQNs_(mol)], "float64")


@functools.cache
def _generator(bits: int) -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=bits)


@functools.cache
def _properties() -> Any:
    from rdkit.Chem.rdMolDescriptors import Properties

    return Properties()


@functools.cache
def _surfaces() -> list[tuple[Any, int]]:
    """Functions that divide the surface of a molecule, and how many numbers each gives."""
    from rdkit.Chem import MolFromSmiles, rdMolDescriptors

    methane = MolFromSmiles("C")
    functions = (rdMolDescriptors.SlogP_VSA_, rdMolDescriptors.SMR_VSA_, rdMolDescriptors.PEOE_VSA_)
    return [(function, len(function(methane))) for function in functions]
