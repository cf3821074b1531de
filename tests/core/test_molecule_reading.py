"""SMILES with all that can be wrong in them, and what becomes of salts, charges and metals."""

import contextlib
import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from layerwise.errors import InputError
from layerwise.tasks.molecules.smiles import LONGEST, parse
from layerwise.tasks.molecules.standardise import read_molecule

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
WRONG = [
    ("", "no molecule"),
    (None, "no molecule"),
    ("CC(C", "opening parenthesis.*'[(]' at place 3 of 'CC[(]C'"),
    ("CC)C", "closing parenthesis.*place 3"),
    ("C1CC2C1", "ring is not closed: number 2"),
    ("C%12CC", "ring is not closed: number 12"),
    ("CCX", "no SMILES.*'X' at place 3"),
    ("hello world", "no SMILES.*'h' at place 1"),
    ("C[C@@H", "no SMILES.*place 6"),
    ("[Xx]", "no SMILES"),
    ("CC(C)(C)(C)C", "too many bonds: C, atom 2.*5 bonds"),
    ("c1ccnc1", "not aromatic.*atoms 1, 2, 3, 4, 5.*nH"),
    ("CcC", "outside of a ring: atom 2"),
    ("C" * (LONGEST + 1), "too long.*2,001"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[repr(text)[:16] for text, _ in WRONG])
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(InputError, match=said):
        read_molecule(text)


def test_a_name_may_follow():
    assert Chem.MolToSmiles(parse(f"{ASPIRIN} aspirin")) == ASPIRIN


def test_each_thread_hears_its_own_errors():
    found = {}

    def ask(text, said):
        for _ in range(30):
            try:
                parse(text)
            except InputError as error:
                found.setdefault(said, set()).add(said in str(error))

    asked = (("CC(C", "opening"), ("CC)C", "closing"), ("C1CC", "ring is not"))
    threads = [threading.Thread(target=ask, args=each) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {said: {True} for _, said in asked}


@pytest.mark.parametrize(
    ("text", "smiles", "said"),
    [
        ("[Na+].CC(=O)[O-]", "CC(=O)O", "Of 2 parts .* left out: "),
        ("CCO.CCO", "CCO", "several times"),
        ("C[NH3+].[Cl-]", "CN", "balanced by hydrogens"),
        ("[H]C([H])([H])O", "CO", None),
        ("CC[Hg]CC", "C[CH2][Hg][CH2]C", "Hg, which"),
        ("O", "O", "no carbon"),
        ("C[N+](C)(C)C", "C[N+](C)(C)C", None),
    ],
)
def test_molecules_are_standardised(text, smiles, said):
    found = read_molecule(text)
    assert found.smiles == smiles
    notes = " ".join(found.notes)
    assert re.search(said, notes) if said else not notes
    assert found.is_usual == ("Hg" not in text and text != "O")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_the_same_molecule_is_the_same_however_it_is_written(seed):
    mol = Chem.MolFromSmiles("CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O")
    (written,) = Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)
    again = read_molecule(written)
    assert again.smiles == Chem.MolToSmiles(mol)
    assert read_molecule(again.smiles).smiles == again.smiles


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="CNOcno()[]=#123@+-.Hl%X ", max_size=14))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(InputError):
        assert read_molecule(text).num_atoms >= 1
