"""Molecules as numbers, against RDKit and by hand: fingerprints, descriptors, graphs, scaffolds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem, Crippen, Descriptors, rdMolDescriptors

from layerwise.tasks.molecules.attribution import without_each_atom
from layerwise.tasks.molecules.fingerprints import (
    descriptor_names,
    descriptors,
    fingerprint,
    similarities,
    similarity_bits,
)
from layerwise.tasks.molecules.graphs import FEATURES, atom_features, bond_kinds, graphs
from layerwise.tasks.molecules.neighbours import TrainingMolecules, molecules_file
from layerwise.tasks.molecules.scaffolds import random_split, scaffold_of, scaffold_split
from layerwise.tasks.molecules.standardise import read_molecule
from layerwise.tasks.molecules.statistics import FURTHEST, Statistics

KNOWN = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "OCC1OC(O)C(O)C(O)C1O", "CCO", "C", "Cc1ccccc1"]
MOLS = [read_molecule(text).mol for text in KNOWN]
each_mol = pytest.mark.parametrize("mol", MOLS, ids=KNOWN)


@each_mol
def test_fingerprints_are_those_of_rdkit(mol):
    counts = AllChem.GetHashedMorganFingerprint(mol, 2, nBits=64).GetNonzeroElements()
    expected = np.zeros(64)
    expected[list(counts)] = np.log1p(list(counts.values()))
    np.testing.assert_allclose(fingerprint(mol, 64), expected, rtol=1e-6)


def test_a_fingerprint_by_hand():
    # Ethanol: three atoms, and around each what is one bond away; two bonds away is nothing new.
    assert np.expm1(fingerprint(MOLS[3], 1 << 16)).sum() == pytest.approx(6)


@each_mol
def test_similarity_is_that_of_tanimoto(mol):
    bits = [similarity_bits(other) for other in MOLS]
    found = similarities(similarity_bits(mol), bits)
    sets = [set(other.GetOnBits()) for other in bits]
    own = set(similarity_bits(mol).GetOnBits())
    np.testing.assert_allclose(found, [len(own & other) / len(own | other) for other in sets])
    assert DataStructs.TanimotoSimilarity(similarity_bits(mol), bits[0]) == pytest.approx(found[0])


@each_mol
def test_descriptors_are_those_of_rdkit(mol):
    values = dict(zip(descriptor_names(), descriptors(mol), strict=True))
    assert values["CrippenClogP"] == pytest.approx(Crippen.MolLogP(mol))
    assert values["tpsa"] == pytest.approx(rdMolDescriptors.CalcTPSA(mol))
    assert values["amw"] == pytest.approx(Descriptors.MolWt(mol))
    assert values["MQN1"] == sum(atom.GetSymbol() == "C" for atom in mol.GetAtoms())
    assert values["PEOE_VSA_1"] == pytest.approx(Descriptors.PEOE_VSA1(mol))
    assert len(values) == len(descriptor_names())


def test_statistics_standardise_and_survive_their_file():
    values = np.stack([descriptors(mol) for mol in MOLS])
    learned = Statistics.of(Statistics.learned(values).as_file())
    encoded = learned.encode(values)
    assert encoded.shape == (len(MOLS), len(learned.names))
    inner = np.abs(encoded).max(axis=0) < FURTHEST
    np.testing.assert_allclose(encoded.mean(axis=0)[inner], 0, atol=1e-4)
    np.testing.assert_allclose(encoded.std(axis=0)[inner], 1, atol=1e-4)
    strange = np.full_like(values[:1], 1e9)
    strange[0, :5] = np.nan
    assert np.abs(learned.encode(strange)).max() <= FURTHEST


def test_atoms_and_bonds_by_hand():
    found = graphs([MOLS[3], MOLS[4]], 5)  # ethanol and methane
    assert found["mask"].tolist() == [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
    assert found["bonds"][0, :3, :3].tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert found["bonds"].sum() == 4
    names = list(FEATURES)
    oxygen = dict(zip(names, found["atoms"][0, 2].tolist(), strict=True))
    assert (oxygen["O"], oxygen["1 neighbours"], oxygen["1 hydrogens"], oxygen["SP3"]) == (1, 1, 1, 1)
    assert oxygen["C"] == oxygen["is aromatic"] == oxygen["charge"] == 0
    assert not found["atoms"][:, 3:].any()


@each_mol
def test_shares_of_atoms_add_up(mol):
    rows = atom_features(mol)
    total = dict(zip(FEATURES, rows.sum(axis=0).tolist(), strict=True))
    # Hydrogens have shares of their own, which no atom of the graph carries.
    contributions = rdMolDescriptors._CalcCrippenContribs(mol)
    assert total["share of logP"] == pytest.approx(sum(logp for logp, _ in contributions), abs=1e-4)
    assert total["share of the polar surface"] * 20 == pytest.approx(rdMolDescriptors.CalcTPSA(mol), abs=1e-3)
    assert rows.shape == (mol.GetNumAtoms(), len(FEATURES))


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(KNOWN), st.integers(0, 1000))
def test_a_graph_does_not_depend_on_the_order_of_its_atoms(text, seed):
    mol = Chem.MolFromSmiles(text)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms())
    turned = Chem.RenumberAtoms(mol, order.tolist())
    np.testing.assert_allclose(atom_features(turned), atom_features(mol)[order], atol=1e-5)
    np.testing.assert_array_equal(bond_kinds(turned), bond_kinds(mol)[np.ix_(order, order)])


@each_mol
def test_atoms_taken_for_none_one_after_the_other(mol):
    changed = without_each_atom(mol)
    assert len(changed) == mol.GetNumAtoms()
    for place, other in enumerate(changed):
        assert [atom.GetIdx() for atom in other.GetAtoms() if not atom.GetAtomicNum()] == [place]
        assert other.GetNumBonds() == mol.GetNumBonds()
        assert np.isfinite(atom_features(other)).all()
        descriptors(other)
    assert Chem.MolToSmiles(mol) in [Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in KNOWN], "it stays"


def test_scaffolds():
    assert [scaffold_of(mol) for mol in MOLS[3:]] == ["", "", "c1ccccc1"]
    assert scaffold_of(MOLS[0]) == "c1ccccc1"


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60))
def test_no_scaffold_is_on_two_sides(scaffolds):
    parts = scaffold_split(scaffolds)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(scaffolds)))
    sides = [{scaffolds[place] for place in part} for part in parts]
    assert sum(map(len, sides)) == len(set(scaffolds))
    assert len(parts[0]) <= 0.8 * len(scaffolds)


def test_scaffolds_by_hand():
    # Sizes 3, 2, 2, 1: of the equally large the one that comes later in the data first.
    parts = scaffold_split(["a", "b", "c", "a", "b", "c", "a", "d"], (5 / 8, 2 / 8))
    assert [part.tolist() for part in parts] == [[0, 3, 6, 2, 5], [1, 4], [7]]


def test_a_random_split_is_the_same_each_time():
    parts = random_split(50, seed=3)
    assert [len(part) for part in parts] == [40, 5, 5]
    assert all((one == other).all() for one, other in zip(parts, random_split(50, seed=3), strict=True))
    assert sorted(np.concatenate(parts).tolist()) == list(range(50))


def test_the_nearest_training_molecules():
    values = np.array([[1.5], [np.nan], [3.0], [4.0], [5.0], [6.0]])
    training = TrainingMolecules.of(molecules_file([Chem.MolToSmiles(mol) for mol in MOLS], values, ("x",)))
    first, second, *_ = training.nearest(MOLS[0], 3)
    assert first.smiles == KNOWN[0]
    assert (first.similarity, first.values) == (1, (1.5,))
    assert second.similarity < 1
    assert np.isnan(training.values[1, 0])
    assert training.nearest_similarity(MOLS[1]) == 1
    nearest = [sorted(similarities(bits, training.bits))[-2] for bits in training.bits]
    assert training.threshold() == pytest.approx(np.quantile(nearest, 0.05))
