from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerwise.data import Split, hold_out
from layerwise.pipelines import pipeline

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.parametrize("resident", [True, False])


def epoch(batches) -> list[np.ndarray]:
    return [targets.numpy() for _, targets in batches]


def test_without_a_shuffle_every_example_comes_in_its_order(resident: bool):
    inputs = np.arange(7 * 6, dtype=np.uint8).reshape(7, 2, 3)
    batches = list(pipeline(Split(inputs, np.arange(7)), 3, resident=resident))
    assert [len(targets) for _, targets in batches] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([part.numpy() for part, _ in batches]), inputs)
    assert batches[0][0].dtype == "uint8"


def test_shuffled_batches_are_full_and_take_single_examples_from_anywhere(resident: bool):
    split = Split(np.arange(103) * 10, np.arange(103))
    batches = list(pipeline(split, 10, shuffle_seed=1, resident=resident))
    assert [len(targets) for _, targets in batches] == [10] * 10
    seen = np.concatenate([targets.numpy() for _, targets in batches])
    assert len(set(seen.tolist())) == 100
    # A shuffle of batches, or within a small buffer, would keep the spread of a first batch small.
    assert np.ptp(batches[0][1].numpy()) > 50
    for inputs, targets in batches:
        np.testing.assert_array_equal(inputs.numpy(), targets.numpy() * 10)


def test_the_seed_decides_the_order_of_every_epoch(resident: bool):
    def epochs(seed: int) -> np.ndarray:
        batches = pipeline(Split(np.arange(20), np.arange(20)), 5, shuffle_seed=seed, resident=resident)
        return np.array([epoch(batches), epoch(batches)])

    first = epochs(1)
    np.testing.assert_array_equal(first, epochs(1))
    assert np.any(first != epochs(2))
    assert np.any(first[0] != first[1])


def test_several_inputs_keep_their_names_and_shapes(resident: bool):
    split = Split({"left": np.zeros([4, 2], np.float32), "right": np.arange(4)}, np.arange(4))
    batches = pipeline(split, 2, shuffle_seed=0, resident=resident)
    spec, _ = batches.element_spec
    assert (spec["left"].shape.as_list()[1:], spec["left"].dtype.name) == ([2], "float32")
    for inputs, targets in batches:
        np.testing.assert_array_equal(inputs["right"].numpy(), targets.numpy())


def test_a_part_of_a_memory_mapped_file_is_read(tmp_path: Path, resident: bool):
    pixels = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=(100, 4))
    pixels[:] = np.arange(100)[:, None]
    train, _ = hold_out(Split(pixels, np.arange(100)), 0.2, 0)
    batches = list(pipeline(train, 8, shuffle_seed=0, resident=resident))
    assert len(batches) == 10
    for inputs, targets in batches:
        np.testing.assert_array_equal(inputs.numpy(), np.repeat(targets.numpy()[:, None], 4, 1))


def test_a_split_smaller_than_a_batch_is_one_batch(resident: bool):
    split = Split(np.arange(3), np.arange(3))
    (targets,) = epoch(pipeline(split, 10, shuffle_seed=0, resident=resident))
    assert sorted(targets) == [0, 1, 2]
