"""How examples reach the trainer, and what the learning rate does."""

import mmap
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import TrainingConfig
from layerwise.datasets.feed import Feed
from layerwise.errors import DataError
from layerwise.splits import Split


class Recorder:
    """Stands where a Trainer stands, and keeps what it is given."""

    def place(self, inputs, targets):
        return inputs, targets


def split_of(count):
    return Split(np.arange(count, dtype=np.float32)[:, None], np.arange(count, dtype=np.int32))


def seen_in(feed, epoch, first=0):
    """The examples that an epoch trains on from step `first` on, in their order."""
    found = [np.empty(0, np.int32)]
    for (inputs, targets), order, start, stop in feed.chunks(Recorder(), epoch, first):
        positions = order[start:stop].reshape(-1)
        np.testing.assert_array_equal(inputs[positions, 0], targets[positions])
        found.append(targets[positions])
    return np.concatenate(found)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 64), st.integers(0, 99), st.integers(1, 5))
def test_an_epoch_is_a_shuffle_without_repetition(count, batch_size, seed, epoch):
    feed = Feed(split_of(count), batch_size, seed)
    order = feed.order(epoch)
    assert order.shape == (feed.steps_per_epoch, feed.batch_size)
    assert len(np.unique(order)) == order.size > count - feed.batch_size
    np.testing.assert_array_equal(order, Feed(split_of(count), batch_size, seed).order(epoch))


@pytest.mark.parametrize("chunk_bytes", [1, 700, 10**9])
def test_streamed_data_give_the_same_batches_as_resident_data(monkeypatch, chunk_bytes):
    monkeypatch.setattr("layerwise.datasets.feed.CHUNK_BYTES", chunk_bytes)
    resident, streamed = (Feed(split_of(1000), 32, 5, resident_bytes=limit) for limit in (10**9, 0))
    assert resident.is_resident
    assert not streamed.is_resident
    for epoch in (1, 2):
        np.testing.assert_array_equal(seen_in(resident, epoch), seen_in(streamed, epoch))
    for first in (0, 1, 17, 30, 31):  # 31 steps are all there are
        rest = seen_in(resident, 3)[32 * first :]
        np.testing.assert_array_equal(seen_in(resident, 3, first), rest)
        np.testing.assert_array_equal(seen_in(streamed, 3, first), rest)


def test_streamed_chunks_have_one_shape(monkeypatch):
    monkeypatch.setattr("layerwise.datasets.feed.CHUNK_BYTES", 32 * 8 * 7)
    shapes = {order.shape for _, order, _, _ in Feed(split_of(1000), 32, 0, resident_bytes=0).chunks(Recorder(), 1)}
    assert shapes == {(7, 32)}


def test_several_inputs_and_memory_mapped_files_are_fed(tmp_path):
    stored = np.memmap(tmp_path / "inputs.bin", dtype=np.float32, mode="w+", shape=(100, 3))
    stored[:] = np.arange(100)[:, None]
    split = Split({"a": stored, "b": np.arange(100)}, np.arange(100))
    for limit in (0, 10**9):
        for (inputs, targets), _, _, _ in Feed(split, 10, 0, resident_bytes=limit).chunks(Recorder(), 1):
            np.testing.assert_array_equal(inputs["a"][:, 0], targets)
            np.testing.assert_array_equal(inputs["b"], targets)


def test_streaming_holds_a_few_chunks_of_a_mapped_file_in_memory(monkeypatch, tmp_path):
    chunk_bytes = 2**20
    monkeypatch.setattr("layerwise.datasets.feed.CHUNK_BYTES", chunk_bytes)
    # A file with holes, 256 times as large as a chunk.
    stored = np.memmap(tmp_path / "inputs.bin", dtype=np.float32, mode="w+", shape=(2**16, 2**10))
    feed = Feed(Split(stored, np.arange(len(stored), dtype=np.int32)), 128, 0, resident_bytes=2**20)
    order_bytes = 3 * 8 * len(stored)
    tracemalloc.start()
    try:
        seen = sum(np.unique(targets).size for (_, targets), *_ in feed.chunks(Recorder(), 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == len(stored)
    assert peak < 4 * chunk_bytes + order_bytes


@pytest.mark.skipif(not hasattr(mmap, "MADV_RANDOM"), reason="this system takes no advice")
@pytest.mark.parametrize("limit", [0, 10**9])
def test_the_system_is_told_that_rows_of_a_mapped_file_are_read_in_no_order(limit):
    class Mapping:
        def __init__(self):
            self.advice = []

        def madvise(self, advice):
            self.advice.append(advice)

    stored = np.zeros((100, 3)).view(np.memmap)
    stored._mmap = Mapping()
    split = Split(stored, np.zeros(100, np.int32))
    for part in (split, split.select(np.arange(50))):
        Feed(part, 10, 0, resident_bytes=limit)
    assert stored._mmap.advice == ([] if limit else [mmap.MADV_RANDOM] * 2)


def test_small_data_make_a_small_batch_and_none_is_an_error():
    assert (Feed(split_of(5), 128, 0).batch_size, Feed(split_of(5), 128, 0).steps_per_epoch) == (5, 1)
    with pytest.raises(DataError, match="not a single example"):
        Feed(Split(np.zeros((0, 1)), np.zeros(0)), 128, 0)


def rates(steps, **config):
    from layerwise.optimizers import learning_rate_schedule

    schedule = learning_rate_schedule(TrainingConfig(learning_rate=1.0, **config), 10)
    return [schedule if isinstance(schedule, float) else float(schedule(step)) for step in steps]


def test_a_constant_rate_is_a_number():
    assert rates([0, 50], num_epochs=10, schedule="constant") == [1.0, 1.0]


def test_cosine_rises_in_the_warm_up_and_falls_to_zero():
    values = rates([0, 5, 10, 55, 100], num_epochs=10, schedule="cosine", warmup_epochs=1)
    assert values == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-6)


def test_linear_rises_in_the_warm_up_and_falls_to_zero():
    values = rates([0, 5, 10, 55, 100], num_epochs=10, schedule="linear", warmup_epochs=1)
    assert values == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-6)


def test_a_warm_up_longer_than_the_run_only_rises():
    values = rates(range(20), num_epochs=2, schedule="constant", warmup_epochs=9)
    assert values == sorted(values)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_every_optimizer_of_the_config_is_built(name, precision):
    import keras

    from layerwise.optimizers import build_optimizer, current_learning_rate

    config = TrainingConfig(optimizer=name, weight_decay=0.01, learning_rate=0.5, schedule="constant")
    try:
        keras.config.set_dtype_policy(precision)
        optimizer = build_optimizer(config, 10)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == (precision == "mixed_float16")
    assert current_learning_rate(optimizer) == pytest.approx(0.5)
