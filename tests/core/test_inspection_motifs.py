"""Motifs that filters have learned: found again where they were put, on either strand, with and without data."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspection_samples import opinion_network, subject_of
from scipy.stats import entropy, pearsonr

from layerwise.inspection import motifs
from layerwise.plots import Logo, Row, Table, Text
from layerwise.tasks import SequenceClassification
from layerwise.tasks.sequences.alphabets import DNA
from layerwise.tasks.sequences.matrices import consensus, information, most_like, position_weights
from layerwise.tasks.sequences.motif import Motif

BOX, OTHER = Motif(name="box", consensus="TATAAT"), Motif(name="other", consensus="TTGACA")
TASK = SequenceClassification(labels=("no", "yes"), alphabet="dna", length=40, motifs=(OTHER, BOX))
EVEN = np.full(4, 0.25)


def network(consensuses, width=8, padding="same", norm=True):
    """A convolution whose filters are these letters, with what stands before and after one in real networks."""
    inputs = keras.Input((40, 4), name="text")
    x = keras.layers.Dropout(0.1, name="noise")(inputs)
    x = keras.layers.Conv1D(len(consensuses), width, padding=padding, name="filters")(x)
    if norm:
        x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="found")(x)
    x = keras.layers.MaxPooling1D(2, name="nearby")(x)
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(x)))
    kernel = np.zeros((width, 4, len(consensuses)))
    for number, letters in enumerate(consensuses):
        kernel[1 : 1 + len(letters), :, number] = DNA.encode(letters) - 0.25
    model.get_layer("filters").set_weights([kernel, np.full(len(consensuses), -1.5)])
    return model


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("norm", [True, False])
def test_what_a_filter_answers_to_is_found_again(padding, norm):
    subject = subject_of(network(["TATAAT", "TGTCAA"], padding=padding, norm=norm), TASK)
    found = motifs.look(subject)
    assert found is not None
    assert found.is_long
    assert not found.needs_input
    said, row, table = found.show(None, found.settings(filters=2))
    assert isinstance(said, Text)
    assert "1,000 random sequences" in said.text
    assert isinstance(row, Row)
    assert isinstance(table, Table)
    assert {logo.title.partition(": ")[2] for logo in row.plots} == {"box", "other (other strand)"}
    for logo in row.plots:
        assert isinstance(logo, Logo)
        assert logo.heights.shape == (8, 4)
    letters = {row[0]: row[1] for row in table.rows}
    assert "TATAAT" in letters["1"].upper()
    assert "TGTCAA" in letters["2"].upper()
    assert [row[-3:] for row in sorted(table.rows)] == [
        ["box (TATAAT)", sorted(table.rows)[0][-2], "+"],
        ["other (TTGACA)", sorted(table.rows)[1][-2], "−"],
    ]


def test_where_a_filter_finds_its_motif_is_said():
    task = replace(TASK, motifs=())
    subject = subject_of(network(["TATAAT"]), task)
    random = np.random.default_rng(0)
    encoded = np.eye(4, dtype="float32")[random.integers(0, 4, (50, 40))]
    encoded[:, 20:26] = DNA.encode("TATAAT")
    convolution, activation = motifs.first_convolution(subject)
    assert (convolution.name, activation.name) == ("filters", "found")
    (item,) = motifs.filters_of(subject, task, convolution, activation, encoded, EVEN)
    assert item.place == 20, "the filter has a place before the motif, and places count from 1"
    assert item.count >= 50
    assert item.likeness is None


def test_a_filter_that_never_answers_is_left_out():
    subject = subject_of(network(["TATAAT", "A"]), TASK)
    _, *logos, table = motifs.look(subject).show(None, motifs.look(subject).settings())
    assert len(table.rows) == 1
    assert sum(len(row.plots) for row in logos) == 1


def test_other_networks_have_no_such_look():
    assert motifs.look(subject_of(opinion_network())) is None
    inputs = keras.Input((40, 4))
    dense = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    strided = keras.Model(inputs, keras.layers.Conv1D(2, 3, strides=2)(inputs))
    for model in (dense, strided):
        assert motifs.look(subject_of(model, TASK)) is None


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), min_size=1, max_size=6))
def test_information_is_the_relative_entropy(rows):
    weights = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    background = np.array([0.3, 0.2, 0.2, 0.3])
    expected = [entropy(row, background, base=2) for row in weights]
    np.testing.assert_allclose(information(weights, background), expected, atol=1e-9)


def test_weights_count_letters_and_nothing_is_impossible():
    windows = DNA.encode("ACGTACGAACNN").reshape(3, 4, 4)
    found = position_weights(windows, EVEN)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[0], [3.25 / 4, 0.25 / 4, 0.25 / 4, 0.25 / 4])
    assert found.min() > 0
    assert consensus(found, np.array([2, 2, 0.1, 0.1]), "ACGT") == "ACga"


@settings(deadline=None, max_examples=30)
@given(st.text("ACGT", min_size=6, max_size=12), st.integers(0, 6), st.integers(0, 6))
def test_a_motif_is_most_like_itself_wherever_it_stands(letters, before, after):
    weights = DNA.encode("N" * before + letters + "N" * after)
    if len(set(letters)) == 1:
        return
    for turned, strands in ((weights, "+"), (weights[::-1, ::-1], "−")):
        found = most_like(turned, (Motif(name="same", consensus=letters),), DNA)
        assert found.correlation == pytest.approx(1)
        assert found.strand == strands or letters == DNA.complement(letters)


def test_the_correlation_is_that_of_scipy():
    random = np.random.default_rng(0)
    weights = random.dirichlet(np.ones(4), 9)
    found = most_like(weights, (BOX,), DNA)
    known = {"+": DNA.encode("TATAAT"), "−": DNA.encode("ATTATA")}
    expected = max(
        pearsonr(weights[max(shift, 0) : shift + 6].ravel(), part[max(-shift, 0) :][: 9 - shift].ravel()).statistic
        for part in known.values()
        for shift in range(-1, 5)
    )
    assert found.correlation == pytest.approx(expected)
    assert most_like(weights, (), DNA) is None
