"""Molecules as graphs in arrays: what each atom is, and which bonds there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P", "B", "Si", "Se")
HYBRIDIZATIONS = ("SP", "SP2", "SP3")
MOST_NEIGHBOURS, MOST_HYDROGENS = 4, 3
BONDS = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")
"""The kinds of bonds; in an array kind i is i + 1, and 0 is no bond."""
FEATURES = (
    *ELEMENTS,
    "another element",
    *(f"{count} neighbours" for count in range(MOST_NEIGHBOURS + 1)),
    "more neighbours",
    *(f"{count} hydrogens" for count in range(MOST_HYDROGENS + 1)),
    *HYBRIDIZATIONS,
    "another hybridization",
    "charge",
    "is aromatic",
    "is in a ring",
    "is in a small ring",
    "is stereocentre",
    "partial charge",
    "share of logP",
    "share of the refractivity",
    "share of the polar surface",
)
"""What is known of an atom. The last three add up to Crippen's logP and molar refractivity (Wildman and Crippen 1999)
and to the polar surface (Ertl et al. 2000), here in units that are near 1."""


def atom_features(mol: Any) -> np.ndarray:
    """What is known of each atom, float32 [atoms, len(FEATURES)]."""
    from rdkit.Chem import rdMolDescriptors, rdPartialCharges

    rdPartialCharges.ComputeGasteigerCharges(mol)
    crippen = rdMolDescriptors._CalcCrippenContribs(mol)
    polar = rdMolDescriptors._CalcTPSAContribs(mol)
    rings = mol.GetRingInfo()
    rows = []
    for atom in mol.GetAtoms():
        place = atom.GetIdx()
        neighbours, hydrogens = atom.GetDegree(), atom.GetTotalNumHs()
        rows.append(
            [
                *_one_of(atom.GetSymbol(), ELEMENTS),
                *_one_of(neighbours, range(MOST_NEIGHBOURS + 1)),
                *_one_of(min(hydrogens, MOST_HYDROGENS), range(MOST_HYDROGENS + 1))[:-1],
                *_one_of(str(atom.GetHybridization()), HYBRIDIZATIONS),
                atom.GetFormalCharge(),
                atom.GetIsAromatic(),
                atom.IsInRing(),
                rings.IsAtomInRingOfSize(place, 3) or rings.IsAtomInRingOfSize(place, 4),
                atom.HasProp("_CIPCode"),
                atom.GetDoubleProp("_GasteigerCharge"),
                crippen[place][0],
                crippen[place][1] / 3,
                polar[place] / 20,
            ]
        )
    # Charges of metals and of placeholders cannot be computed.
    return np.nan_to_num(np.asarray(rows, "float32"), posinf=0, neginf=0)


def bond_kinds(mol: Any) -> np.ndarray:
    """The kind of the bond between each two atoms, uint8 [atoms, atoms]: 0 for none, otherwise 1 + its place in BONDS;
    what is none of these counts as single."""
    kinds = np.zeros((mol.GetNumAtoms(), mol.GetNumAtoms()), "uint8")
    for bond in mol.GetBonds():
        name = str(bond.GetBondType())
        kind = BONDS.index(name) + 1 if name in BONDS else 1
        one, other = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        kinds[one, other] = kinds[other, one] = kind
    return kinds


def graphs(mols: Sequence[Any], atoms: int) -> dict[str, np.ndarray]:
    """Molecules as arrays of one size.

    Args:
        mols: RDKit Mols of `atoms` atoms at most.

    Returns:
        "atoms" float32 [molecules, atoms, features], "bonds" uint8 [molecules, atoms, atoms] as `bond_kinds` has them,
        "mask" float32 [molecules, atoms]: 1 where there is an atom, 0 for padding.
    """
    found = {
        "atoms": np.zeros((len(mols), atoms, len(FEATURES)), "float32"),
        "bonds": np.zeros((len(mols), atoms, atoms), "uint8"),
        "mask": np.zeros((len(mols), atoms), "float32"),
    }
    for place, mol in enumerate(mols):
        count = mol.GetNumAtoms()
        found["atoms"][place, :count] = atom_features(mol)
        found["bonds"][place, :count, :count] = bond_kinds(mol)
        found["mask"][place, :count] = 1
    return found


def _one_of(value: Any, known: Sequence[Any]) -> list[bool]:
    """A place for each known value, and one for all others."""
    found = [value == each for each in known]
    return [*found, not any(found)]
