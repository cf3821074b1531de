"""A small example of a table of molecules: well-known ones, with what RDKit computes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.tasks.csv_files import write_csv
from layerwise.tasks.molecules.standardise import read_molecule

if TYPE_CHECKING:
    from layerwise.tasks.molecule_property import MoleculeProperty

MOLECULES = {
    "methane": "C",
    "methanol": "CO",
    "methylamine": "CN",
    "ethane": "CC",
    "ethanol": "CCO",
    "acetonitrile": "CC#N",
    "formic acid": "OC=O",
    "acetaldehyde": "CC=O",
    "propane": "CCC",
    "acetone": "CC(C)=O",
    "acetic acid": "CC(=O)O",
    "urea": "NC(N)=O",
    "ethylene glycol": "OCCO",
    "dimethyl sulfoxide": "CS(C)=O",
    "chloroform": "ClC(Cl)Cl",
    "glycine": "NCC(=O)O",
    "alanine": "CC(N)C(=O)O",
    "lactic acid": "CC(O)C(=O)O",
    "glycerol": "OCC(O)CO",
    "hexane": "CCCCCC",
    "diethyl ether": "CCOCC",
    "isoprene": "C=CC(C)=C",
    "citric acid": "OC(=O)CC(O)(CC(O)=O)C(O)=O",
    "cyclohexane": "C1CCCCC1",
    "cyclohexanone": "O=C1CCCCC1",
    "morpholine": "C1COCCN1",
    "piperidine": "C1CCNCC1",
    "benzene": "c1ccccc1",
    "toluene": "Cc1ccccc1",
    "phenol": "Oc1ccccc1",
    "aniline": "Nc1ccccc1",
    "styrene": "C=Cc1ccccc1",
    "benzoic acid": "OC(=O)c1ccccc1",
    "vanillin": "COc1cc(C=O)ccc1O",
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "dopamine": "NCCc1ccc(O)c(O)c1",
    "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "lidocaine": "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "pyridine": "c1ccncc1",
    "furan": "c1ccoc1",
    "thiophene": "c1ccsc1",
    "imidazole": "c1c[nH]cn1",
    "naphthalene": "c1ccc2ccccc2c1",
    "indole": "c1ccc2[nH]ccc2c1",
    "quinoline": "c1ccc2ncccc2c1",
    "nicotine": "CN1CCCC1c1cccnc1",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "biphenyl": "c1ccc(cc1)-c1ccccc1",
    "serotonin": "NCCc1c[nH]c2ccc(O)cc12",
    "camphor": "CC1(C)C2CCC1(C)C(=O)C2",
    "menthol": "CC(C)C1CCC(C)CC1O",
}
"""By their names, as SMILES."""


def write_sample(task: MoleculeProperty, folder: Path) -> None:
    """Write those that the task's network can take, with one property or, where the task has several, two.

    Args:
        folder: An empty folder.
    """
    found = {name: read_molecule(smiles) for name, smiles in MOLECULES.items()}
    computed = _numbers() if task.kind == "number" else _yes_no()
    targets = [*computed][: len(task.targets)]
    rows = [
        (name, molecule.smiles, *(computed[target](molecule.mol) for target in targets))
        for name, molecule in found.items()
        if molecule.num_atoms <= task.atoms
    ]
    write_csv(folder / "molecules.csv", ("name", "smiles", *targets), rows)


def _numbers() -> Mapping[str, Callable[[Any], float]]:
    from rdkit.Chem import rdMolDescriptors

    return {
        "computed logP": lambda mol: round(rdMolDescriptors.CalcCrippenDescriptors(mol)[0], 2),
        "polar surface": lambda mol: round(rdMolDescriptors.CalcTPSA(mol), 2),
    }


def _yes_no() -> Mapping[str, Callable[[Any], int]]:
    return {
        "has a ring": lambda mol: int(mol.GetRingInfo().NumRings() > 0),
        "has nitrogen": lambda mol: int(any(atom.GetSymbol() == "N" for atom in mol.GetAtoms())),
    }
