from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.errors import DataError
from layerwise.splits import Rows, Split, hold_out

fractions = st.floats(0.01, 0.99)
seeds = st.integers(0, 2**32 - 1)


def numbered(targets) -> Split:
    """A split whose inputs are the numbers of its examples, so that a test sees which went where."""
    targets = np.asarray(targets)
    return Split(np.arange(len(targets)), targets)


@given(st.lists(st.integers(-3, 40), min_size=2, max_size=200), fractions, seeds)
def test_holding_out_divides_the_examples_and_keeps_the_share_of_each_label(labels, fraction, seed):
    split = numbered(labels)
    train, validation = hold_out(split, fraction, seed)
    assert sorted([*np.asarray(train.inputs), *np.asarray(validation.inputs)]) == list(range(len(labels)))
    assert len(validation) == min(max(round(fraction * len(labels)), 1), len(labels) - 1)
    share = len(validation) / len(labels)
    for label in set(labels):
        held_out = np.count_nonzero(np.asarray(validation.targets) == label)
        assert abs(held_out - share * labels.count(label)) < 1
    for part in (train, validation):
        np.testing.assert_array_equal(np.asarray(part.targets), np.asarray(labels)[np.asarray(part.inputs)])
        assert np.all(np.diff(np.asarray(part.inputs)) > 0)


@given(st.integers(2, 100), fractions, seeds)
def test_holding_out_of_numbers_divides_the_examples(count, fraction, seed):
    split = numbered(np.linspace(0, 1, count))
    train, validation = hold_out(split, fraction, seed)
    assert sorted([*np.asarray(train.inputs), *np.asarray(validation.inputs)]) == list(range(count))
    assert len(validation) == min(max(round(fraction * count), 1), count - 1)


@pytest.mark.parametrize("targets", [np.arange(100) % 3, np.linspace(0, 1, 100), np.zeros([100, 2], int)])
def test_the_seed_decides_what_is_held_out(targets):
    def held_out(seed: int) -> list[int]:
        return np.asarray(hold_out(numbered(targets), 0.2, seed)[1].inputs).tolist()

    assert held_out(3) == held_out(3)
    assert held_out(3) != held_out(4)


def test_every_example_is_as_likely_to_be_held_out():
    # Labels that occur once each leave the choice to the ties between them.
    counts = np.zeros(20)
    for seed in range(600):
        counts[np.asarray(hold_out(numbered(np.arange(20)), 0.25, seed)[1].inputs)] += 1
    # Binomial(600, 0.25): mean 150, standard deviation 10.6.
    assert np.all(np.abs(counts - 150) < 50)


def test_holding_out_nothing_gives_the_split_itself():
    split = numbered([1, 2, 3])
    assert hold_out(split, 0.0, 0) == (split, None)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 7, float("nan")])
def test_an_unusable_fraction_is_refused(fraction):
    with pytest.raises(DataError, match="0 to below 1"):
        hold_out(numbered([1, 2, 3]), fraction, 0)


def test_one_example_cannot_be_divided():
    with pytest.raises(DataError, match="at least two examples"):
        hold_out(numbered([1]), 0.5, 0)


class Reading:
    """An array of a user's own that says what is read of it: `count` rows of 2, each its position."""

    dtype = np.dtype(np.int64)

    def __init__(self, count: int) -> None:
        self.shape = (count, 2)
        self.read: list[int] = []

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        self.read += positions.tolist()
        return np.stack([positions, positions], axis=1)


def test_nothing_is_read_before_it_is_asked_for():
    array = Reading(1_000_000)
    _, validation = hold_out(Split(array, np.arange(1_000_000) % 4), 0.25, 0)
    again, _ = hold_out(validation, 0.5, 1)
    assert again.inputs.shape == (125_000, 2)
    assert array.read == []
    rows = again.inputs[np.array([5, 3])]
    assert array.read == again.inputs.positions[[5, 3]].tolist() == rows[:, 0].tolist()


def test_parts_of_a_memory_mapped_file_can_be_had(tmp_path: Path):
    pixels = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=(200, 8, 8, 1))
    pixels[:] = np.arange(200)[:, None, None, None]
    for part in hold_out(Split(pixels, np.arange(200)), 0.25, 0):
        assert isinstance(part.inputs.array, np.memmap)
        np.testing.assert_array_equal(np.asarray(part.inputs)[:, 7, 7, 0], np.asarray(part.targets))


def test_several_inputs_are_divided_alike():
    split = Split({"left": np.arange(10), "right": np.arange(10) * 2}, np.arange(10) % 2)
    for part in hold_out(split, 0.4, 1):
        np.testing.assert_array_equal(np.asarray(part.inputs["left"]) * 2, np.asarray(part.inputs["right"]))


def test_rows_are_indexed_as_the_array_of_them_would_be():
    array = np.arange(40).reshape(10, 4)
    positions = np.array([7, 1, 1, 4])
    rows, expected = Rows(array, positions), array[positions]
    assert (rows.shape, rows.ndim, rows.dtype, len(rows)) == (expected.shape, 2, expected.dtype, 4)
    for index in (0, -1, slice(1, 3), np.array([3, 0]), np.array([True, False, False, True])):
        np.testing.assert_array_equal(rows[index], expected[index])
    np.testing.assert_array_equal(np.asarray(rows, dtype=float), expected.astype(float))
    with pytest.raises(IndexError):
        rows[4]


def test_rows_of_rows_reach_the_array_at_once():
    array = np.arange(10)
    rows = Rows.of(Rows.of(array, np.array([2, 4, 6, 8])), np.array([3, 0]))
    assert rows.array is array
    assert np.asarray(rows).tolist() == [8, 2]


def test_a_split_has_as_many_inputs_as_targets():
    with pytest.raises(DataError, match="3 inputs and 2 targets"):
        Split(np.zeros(3), np.zeros(2))
    with pytest.raises(DataError, match="3 right and 2 targets"):
        Split({"left": np.zeros(2), "right": np.zeros(3)}, np.zeros(2))
    with pytest.raises(DataError, match="Received: a list"):
        Split(np.zeros(2), [1, 2])
