"""Sequences of DNA and proteins: letters, numbers, FASTA."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError, SpecError
from layerwise.tasks.sequences.alphabets import DNA, PROTEIN, alphabet_named
from layerwise.tasks.sequences.fasta import Record, parse, written


def test_letters_become_shares():
    np.testing.assert_array_equal(DNA.encode("ACGT"), np.eye(4))
    assert DNA.encode("R").tolist() == [[0.5, 0, 0.5, 0]]
    found = PROTEIN.encode("ACX")
    assert found.shape == (3, 20)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(found[2], 1 / 20)


def test_rna_and_rare_amino_acids_are_read_as_their_like():
    assert DNA.clean("acgu") == "ACGT"
    assert PROTEIN.clean("m u o") == "MCK"
    assert DNA.clean("  1 acgt acgt\n 61 nn") == "ACGTACGTNN"


@pytest.mark.parametrize(
    ("alphabet", "text", "said"),
    [
        (DNA, "ACGTEACG", "'E' at place 5, in 'ACGTEACG'"),
        (DNA, "AC-GT", "alignment"),
        (PROTEIN, "MKV*", "stop codon"),
        (PROTEIN, "MK1?V", "'\\?' at place 3"),
    ],
)
def test_letters_of_no_alphabet_are_named(alphabet, text, said):
    with pytest.raises(InputError, match=said):
        alphabet.clean(text)


@settings(deadline=None)
@given(st.text("ACGTRYSWKMBDHVN", max_size=50))
def test_the_other_strand_of_the_other_strand_is_the_first(sequence):
    other = DNA.complement(sequence)
    assert DNA.complement(other) == sequence
    # Base by base: A and T, C and G change places.
    np.testing.assert_allclose(DNA.encode(other)[::-1, ::-1], DNA.encode(sequence))


def test_proteins_have_no_other_strand():
    with pytest.raises(SpecError, match="Only DNA"):
        PROTEIN.complement("MK")


def test_alphabets_are_found_by_name():
    assert alphabet_named("protein") is PROTEIN
    with pytest.raises(SpecError, match="dna or protein"):
        alphabet_named("klingon")


def test_fasta_of_all_sorts():
    text = "; an old comment\r\n>sp|P1|A first one\r\nMKV\r\nLA\r\n\r\n>two\r\nmk\r\n"
    assert parse(text, PROTEIN) == [Record("sp|P1|A", "MKVLA", "first one"), Record("two", "MK")]
    assert parse("ACGT\nAC", DNA) == [Record("", "ACGTAC")]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("abc|_1", min_size=1), st.text("ACGTN", min_size=1)), min_size=1, max_size=5))
def test_fasta_that_was_written_is_read_again(pairs):
    records = [Record(name, sequence, "of a test") for name, sequence in pairs]
    assert parse(written(records), DNA) == records


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no DNA"),
        ("\n\n", "no DNA"),
        (">one\nACGT\n>two\n", "'two' is empty"),
        (">one\nACGT\n>two\nAXG", "Sequence 'two': .*'X' at place 2"),
        ("hello", "'E' at place 2|'L' at place 3|'O' at place 5"),
        (">a\nA\n>b\nA\n>c\nA", "too many"),
    ],
)
def test_fasta_that_cannot_be_read_is_explained(text, said):
    with pytest.raises(InputError, match=f"(?s){said}"):
        parse(text, DNA, most=2)
