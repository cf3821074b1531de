"""Molecules as they are given made into those that a network was trained on: one molecule, without charges that
hydrogens can balance, written in one way."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from layerwise.errors import InputError
from layerwise.tasks.molecules.smiles import parse

USUAL = frozenset(["H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I"])
"""The elements that molecules of pharmacy are made of."""


@dataclass(frozen=True, eq=False)
class Molecule:
    """A molecule, ready to be described.

    Args:
        smiles: Its canonical SMILES, of RDKit.
        mol: The RDKit Mol.
        notes: What was changed, and what is unusual: a sentence each.
        is_usual: Whether it is an organic molecule of usual elements.
    """

    smiles: str
    mol: Any
    notes: tuple[str, ...] = ()
    is_usual: bool = True

    @property
    def num_atoms(self) -> int:
        """How many atoms it has, without hydrogen."""
        return self.mol.GetNumAtoms()


def read_molecule(text: Any) -> Molecule:
    """The molecule of a SMILES: of salts and mixtures the largest organic part, uncharged where hydrogens allow it
    (RDKit's MolStandardize).

    Raises:
        InputError: It is no SMILES (`layerwise.tasks.molecules.smiles.parse`), or a hydrogen alone.

    Example:
        >>> found = read_molecule("[Na+].CC(=O)[O-]")
        >>> found.smiles, found.notes[0]
        ('CC(=O)O', 'Of 2 parts the largest organic one is looked at; left out: [Na+].')
    """
    return standardised(parse(text))


def standardised(mol: Any) -> Molecule:
    """As `read_molecule`, of an RDKit Mol.

    Raises:
        InputError: Nothing is left of it.
    """
    from rdkit import Chem

    notes = []
    parts = Chem.GetMolFrags(mol)
    if len(parts) > 1:
        whole, mol = mol, _chooser().choose(mol)
        kept = Chem.MolToSmiles(mol)
        others = sorted({smiles for smiles in Chem.MolToSmiles(whole).split(".") if smiles != kept})
        left = f"; left out: {', '.join(others)}" if others else ", which stands there several times"
        notes.append(f"Of {len(parts)} parts the largest organic one is looked at{left}.")
    mol = Chem.RemoveHs(mol)
    if any(atom.GetFormalCharge() for atom in mol.GetAtoms()):
        before = Chem.MolToSmiles(mol)
        mol = _uncharger().uncharge(mol)
        if Chem.MolToSmiles(mol) != before:
            notes.append("Its charges were balanced by hydrogens.")
    smiles = Chem.MolToSmiles(mol)
    # Anew, so that atoms stand in one order however it was written.
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or not mol.GetNumAtoms():
        raise InputError("Nothing is left of the molecule once it is standardised", received=repr(smiles))
    symbols = {atom.GetSymbol() for atom in mol.GetAtoms()}
    strange = sorted(symbols - USUAL)
    if strange:
        notes.append(f"It holds {', '.join(strange)}, which the molecules of pharmacy do not.")
    if "C" not in symbols:
        notes.append("It has no carbon, so it is no organic molecule.")
    return Molecule(smiles, mol, tuple(notes), is_usual=not strange and "C" in symbols)


@functools.cache
def _chooser() -> Any:
    from rdkit.Chem.MolStandardize import rdMolStandardize

    return rdMolStandardize.LargestFragmentChooser(preferOrganic=True)


@functools.cache
def _uncharger() -> Any:
    from rdkit.Chem.MolStandardize import rdMolStandardize

    return rdMolStandardize.Uncharger()
