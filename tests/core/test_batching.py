"""Requests that come while another one is computed are computed together, and answered as if they were alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sample_models as samples
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.datasets.batches import map_arrays, power_of_two
from layerwise.runner import MOST_ENCODING, NetworkRunner
from layerwise.serving.batching import LARGEST_BATCH, MOST_SHAPES, Batcher
from layerwise.versions import VersionStore

PATIENCE = 20.0


class Network:
    """Doubles rows, can be held up while it computes, and notes the sizes of its batches."""

    def __init__(self):
        self.sizes, self.lock = [], threading.Lock()
        self.holding, self.began, self.go_on = False, threading.Event(), threading.Event()

    def __call__(self, batch):
        rows = batch["row"] if isinstance(batch, dict) else batch
        with self.lock:
            self.sizes.append(len(rows))
        if self.holding:
            self.began.set()
            assert self.go_on.wait(PATIENCE)
        if np.isnan(rows).any():
            raise ValueError("not a number")
        return map_arrays(lambda array: array * 2, batch)

    def again(self):
        """The same, which does not note the call with which it is compiled."""
        calls = []

        def forward(batch):
            calls.append(1)
            return self(batch) if len(calls) > 1 else batch

        return forward

    def hold(self):
        self.holding = True
        self.began.clear()
        self.go_on.clear()

    def release(self):
        self.holding = False
        self.go_on.set()


def row(number, length=3):
    return np.full((1, length), number, np.float32)


def compute(batcher, batch, cancelled=None):
    return batcher.compute(batch, cancelled or threading.Event())


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def batcher(network):
    return Batcher(network, network.again)


def together(batcher, network, examples, cancelled=()):
    """What comes of examples that all come while another one is computed: an array or an exception each.

    The first batches of a size are computed one by one, since their size is not compiled yet, so this is to be called
    for a size that is."""
    network.hold()
    first = len(network.sizes)
    with ThreadPoolExecutor(len(examples) + 1) as threads:
        leading = threads.submit(compute, batcher, row(0))
        assert network.began.wait(PATIENCE)
        futures = []
        for number, example in enumerate(examples):
            given_up = threading.Event()
            if number in cancelled:
                given_up.set()
            futures.append(threads.submit(compute, batcher, example, given_up))
            wait_until(lambda number=number: len(batcher._waiting) == number + 1)
        network.release()
        np.testing.assert_array_equal(leading.result(PATIENCE), row(0))
        found = [future.exception(PATIENCE) or future.result() for future in futures]
    return found, network.sizes[first + 1 :]


def compiled(batcher, network, *sizes, length=3):
    """Let the batcher have these sizes ready."""
    for size in sizes:
        together(batcher, network, [row(number, length) for number in range(size)])
        wait_until(lambda size=size: size in batcher.sizes(row(0, length)))
    wait_until(lambda: not batcher._is_compiling)


def test_one_that_comes_alone_is_computed_at_once_and_as_it_is(batcher, network):
    for number in range(3):
        np.testing.assert_array_equal(compute(batcher, row(number)), row(2 * number))
    assert network.sizes == [1, 1, 1]
    assert batcher.sizes(row(0)) == []


def test_those_that_come_meanwhile_are_computed_together(batcher, network):
    compiled(batcher, network, 8)
    found, sizes = together(batcher, network, [row(number) for number in range(8)])
    assert sizes == [8]
    for number, outputs in enumerate(found):
        np.testing.assert_array_equal(outputs, row(2 * number))


def test_nobody_waits_for_a_size_to_be_compiled(network):
    compiling, go_on = threading.Event(), threading.Event()

    def compile_again():
        compiling.set()
        assert go_on.wait(PATIENCE)
        return network.again()

    batcher = Batcher(network, compile_again)
    found, sizes = together(batcher, network, [row(number) for number in range(4)])
    assert compiling.wait(PATIENCE)
    assert sizes == [1, 1, 1, 1]
    assert len(found) == 4
    go_on.set()
    wait_until(lambda: batcher.sizes(row(0)) == [4])


def test_a_batch_is_padded_only_to_the_next_power_of_two(batcher, network):
    compiled(batcher, network, 4)
    _, sizes = together(batcher, network, [row(number) for number in range(3)])
    assert sizes == [4]
    # 8 is not ready yet: first four, then one.
    _, sizes = together(batcher, network, [row(number) for number in range(5)])
    assert sizes[0] == 4
    compiled(batcher, network, 64)
    found, sizes = together(batcher, network, [row(number) for number in range(40)])
    assert sizes[0] == 64
    np.testing.assert_array_equal(np.concatenate(found)[:, 0], 2 * np.arange(40))


def test_no_more_than_the_largest_batch_are_computed_together(batcher, network):
    compiled(batcher, network, 64)
    _, sizes = together(batcher, network, [row(number) for number in range(LARGEST_BATCH + 1)])
    assert sizes[0] == LARGEST_BATCH
    assert sum(sizes) >= LARGEST_BATCH + 1


def test_those_of_another_shape_are_computed_for_themselves_in_the_order_in_which_they_came(batcher, network):
    compiled(batcher, network, 4)
    examples = [row(1), row(2, 5), row(3), row(4, 5), row(5), row(6)]
    found, _ = together(batcher, network, examples)
    for example, outputs in zip(examples, found, strict=True):
        np.testing.assert_array_equal(outputs, 2 * example)


def test_the_one_who_waited_longest_comes_first(network):
    done = []

    def ask(number, length):
        compute(batcher, row(number, length))

    def noted(batch):
        done.append(int(batch[0, 0]))
        return network(batch)

    batcher = Batcher(noted, lambda: noted)

    network.hold()
    threads = [threading.Thread(target=ask, args=(0, 3))]
    threads[0].start()
    assert network.began.wait(PATIENCE)
    for number in range(1, 5):
        threads.append(threading.Thread(target=ask, args=(number, 3 + number)))
        threads[-1].start()
        wait_until(lambda number=number: len(batcher._waiting) == number)
    network.release()
    for thread in threads:
        thread.join(PATIENCE)
    assert done == [0, 1, 2, 3, 4]
    assert network.sizes == [1] * 5


def test_an_example_that_cannot_be_computed_does_not_fail_the_others(batcher, network):
    compiled(batcher, network, 4)
    found, sizes = together(batcher, network, [row(1), row(np.nan), row(3), row(4)])
    assert sizes[0] == 4
    assert isinstance(found[1], ValueError)
    for number in (1, 3, 4):
        np.testing.assert_array_equal(found[number - 1], row(2 * number))
    np.testing.assert_array_equal(compute(batcher, row(5)), row(10))


def test_what_nobody_waits_for_is_not_computed(batcher, network):
    compiled(batcher, network, 4)
    found, sizes = together(batcher, network, [row(number) for number in range(4)], cancelled=(0, 2))
    assert found[0] is None
    assert found[2] is None
    assert sum(sizes) == 2
    np.testing.assert_array_equal(found[3], row(6))


def test_several_inputs_and_outputs_are_kept_together(network):
    batcher = Batcher(network, network.again)
    examples = [{"row": row(number), "weight": np.array([[number]], np.int32)} for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            for number, outputs in enumerate(threads.map(lambda example: compute(batcher, example), examples)):
                np.testing.assert_array_equal(outputs["row"], row(2 * number))
                np.testing.assert_array_equal(outputs["weight"], [[2 * number]])


def test_large_examples_and_batches_are_computed_as_they_are(network):
    batcher = Batcher(network, network.again, largest_bytes=64)
    network.hold()
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(compute, batcher, row(number, 12)) for number in range(2)]
        wait_until(lambda: network.sizes == [1, 1])  # both at the same time
        network.release()
        assert [float(future.result()[0, 0]) for future in futures] == [0.0, 2.0]
    np.testing.assert_array_equal(compute(batcher, np.ones((3, 2))), 2 * np.ones((3, 2)))


def test_few_shapes_are_kept_compiled(batcher, network):
    for length in range(2, MOST_SHAPES + 4):
        network.hold()
        with ThreadPoolExecutor(3) as threads:
            futures = [threads.submit(compute, batcher, row(0, length))]
            assert network.began.wait(PATIENCE)
            futures += [threads.submit(compute, batcher, row(number, length)) for number in range(2)]
            wait_until(lambda: len(batcher._waiting) == 2)
            network.release()
            for future in futures:
                future.result(PATIENCE)
        wait_until(lambda length=length: batcher.sizes(row(0, length)) == [2])
    assert len(batcher._compiled) == MOST_SHAPES


def test_a_size_that_cannot_be_compiled_is_not_tried_again(network):
    tried = []

    def compile_again():
        tried.append(1)
        raise MemoryError

    batcher = Batcher(network, compile_again)
    for _ in range(3):
        found, sizes = together(batcher, network, [row(1), row(2)])
        assert sizes == [1, 1]
        np.testing.assert_array_equal(np.concatenate(found)[:, 0], [2, 4])
    assert tried == [1]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 3)), min_size=1, max_size=30), st.integers(1, 12))
def test_whatever_comes_together_everybody_gets_their_own(examples, num_threads):
    network = Network()
    batcher = Batcher(network, network.again)
    with ThreadPoolExecutor(num_threads) as threads:
        found = threads.map(lambda example: compute(batcher, row(*example)), examples)
        for (number, length), outputs in zip(examples, found, strict=True):
            np.testing.assert_array_equal(outputs, row(2 * number, length))
    assert all(size == power_of_two(size) for size in network.sizes)


def test_a_network_answers_those_who_come_together_as_one_by_one(tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    samples.promoted(tmp_path, samples.NETWORK, samples.build_grader(None, samples.NETWORK.task))
    runner = NetworkRunner(VersionStore(tmp_path).current(samples.NETWORK), samples.NETWORK)
    inputs, _ = samples.examples(32, seed=3)

    def ask(values):
        return runner.run({"values": values}, None, threading.Event())["grade"]

    alone = [ask(values) for values in inputs]
    example = runner.task.encode({"values": inputs[0]})
    with ThreadPoolExecutor(32) as threads:
        end = time.monotonic() + PATIENCE
        while not runner._batcher.sizes(example) and time.monotonic() < end:
            for one, other in zip(threads.map(ask, inputs), alone, strict=True):
                assert one == pytest.approx(other, abs=1e-6)
        for _ in range(5):
            for one, other in zip(threads.map(ask, inputs), alone, strict=True):
                assert one == pytest.approx(other, abs=1e-6)
    assert runner._batcher.sizes(example)


def test_few_inputs_are_read_at_a_time(tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.build_grader(None, samples.NETWORK.task))
    runner = NetworkRunner(VersionStore(tmp_path).current(samples.NETWORK), samples.NETWORK)
    reading, most = [], []

    class Slow(samples.Grading):
        def encode(self, inputs):
            reading.append(1)
            most.append(len(reading))
            time.sleep(0.002)
            reading.pop()
            return super().encode(inputs)

    runner.task = Slow()
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda values: runner.run({"values": values}, None, threading.Event()), np.zeros((64, 4))))
    assert 1 < max(most) <= MOST_ENCODING
