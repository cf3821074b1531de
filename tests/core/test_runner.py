import threading
from dataclasses import dataclass

import numpy as np
import pytest
import sample_models as samples

from layerwise.errors import InputError, LayerwiseError, WeightsError
from layerwise.runner import NetworkRunner, Runner, last_answer, make_runner
from layerwise.tasks.fields import Field
from layerwise.versions import VersionStore


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def trained(home):
    """A network that was trained until it knows its three classes, and the version that it was saved as."""
    import keras

    keras.utils.set_random_seed(0)
    model = samples.build_grader(samples.NETWORK.variants[0].config, samples.NETWORK.task)
    inputs, targets = samples.examples(600)
    model.compile(keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(inputs, targets, batch_size=100, epochs=10, verbose=0)
    samples.promoted(home, samples.NETWORK, model)
    return model, VersionStore(home).current(samples.NETWORK)


@pytest.fixture(scope="module")
def runner(trained):
    return NetworkRunner(trained[1], samples.NETWORK)


def ask(runner, values):
    return runner.run({"values": values}, None, threading.Event())


def test_the_answer_is_that_of_the_network_that_was_trained(trained, runner):
    inputs, targets = samples.examples(200, seed=1)
    answers = [ask(runner, row)["grade"] for row in inputs]
    expected = np.asarray(trained[0](inputs))
    expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    np.testing.assert_allclose([list(answer.values()) for answer in answers], expected, atol=1e-5)
    right = [
        max(answer, key=answer.get) == samples.LABELS[target] for answer, target in zip(answers, targets, strict=True)
    ]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17, 64, 65, 150])
def test_a_batch_gives_the_same_answers_as_one_at_a_time(runner, count):
    inputs, _ = samples.examples(count, seed=count)
    together = runner.run_batch([{"values": row} for row in inputs])
    alone = [ask(runner, row) for row in inputs]
    assert len(together) == count
    for one, other in zip(together, alone, strict=True):
        assert one["grade"] == pytest.approx(other["grade"], abs=1e-5)


def test_batches_are_padded_to_powers_of_two_so_that_few_are_compiled(runner, monkeypatch):
    sizes = []
    forward = runner._forward
    monkeypatch.setattr(runner, "_forward", lambda batch: sizes.append(len(batch)) or forward(batch))
    for count in range(1, 140):
        runner.run_batch([{"values": row} for row in samples.examples(count)[0]])
    assert set(sizes) == {1, 2, 4, 8, 16, 32, 64}


def test_outputs_are_those_of_the_network_for_any_number_of_examples(trained, runner):
    for count in (1, 5, 256):
        inputs, _ = samples.examples(count)
        np.testing.assert_allclose(runner.outputs(inputs), np.asarray(trained[0](inputs)), atol=1e-5)


@dataclass(frozen=True, kw_only=True)
class TwoRows(samples.Grading):
    """Rows of any length and a weight: a dict of two arrays whose shapes differ from example to example."""

    @property
    def inputs(self):
        return (Field(name="row", kind="json"), Field(name="weight", kind="number"))

    def encode(self, inputs):
        return {"row": np.array([inputs["row"]], np.float32), "weight": np.array([[inputs["weight"]]], np.float32)}

    def decode(self, outputs):
        return [{"sum": float(total)} for total in outputs[:, 0]]

    def warm_input(self):
        raise NotImplementedError


def build_weighted_sum(config, task):
    import keras

    row, weight = keras.Input((None,), name="row"), keras.Input((1,), name="weight")
    total = keras.layers.Dense(1, use_bias=False, name="scale")(weight)
    return keras.Model({"row": row, "weight": weight}, total * keras.ops.sum(row, axis=1, keepdims=True))


def test_examples_of_different_shapes_and_several_inputs_share_a_batch(tmp_path):
    spec = samples.spec_of("sample/sums", task=TwoRows(), build=build_weighted_sum)
    model = build_weighted_sum(None, None)
    model.set_weights([np.array([[2.0]], np.float32)])
    samples.promoted(tmp_path, spec, model)
    runner = make_runner(spec, VersionStore(tmp_path).current(spec))
    runner.warm()  # there is no input to warm up with, which is no error
    batch = [{"row": list(range(length)), "weight": length} for length in (3, 1, 5, 3, 1, 3)]
    assert [answer["sum"] for answer in runner.run_batch(batch)] == [
        pytest.approx(2 * len(item["row"]) * sum(item["row"])) for item in batch
    ]


def test_two_threads_can_use_one_runner(runner):
    inputs, _ = samples.examples(40, seed=5)
    expected = grades(runner, inputs)
    found = {}

    def work(number):
        found[number] = grades(runner, inputs)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What is computed together may be rounded otherwise than what is computed alone.
    assert [found[number] for number in range(4)] == [pytest.approx(expected, abs=1e-5)] * 4


def grades(runner, inputs):
    return [probability for row in inputs for probability in ask(runner, row)["grade"].values()]


def test_an_unusable_input_is_the_tasks_own_error(runner):
    with pytest.raises(InputError, match="Four numbers"):
        ask(runner, [1, 2])


def test_corrupted_weights_are_refused(trained, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, trained[0])
    (path,) = (run.folder / "version").glob("weights-*")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="corrupted"):
        make_runner(samples.NETWORK, VersionStore(tmp_path).current(samples.NETWORK))


def test_make_runner_takes_the_models_own_and_refuses_what_is_none(tmp_path):
    version = VersionStore(tmp_path)
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    assert isinstance(make_runner(samples.STATEFUL, version.current(samples.STATEFUL)), samples.Counter)
    wrong = samples.spec_of("sample/counter", task=samples.Saying(), runner=lambda version: "hello")
    with pytest.raises(LayerwiseError, match=r"runner of sample/counter is unusable.*'hello'"):
        make_runner(wrong, version.current(wrong))


def test_the_last_of_partial_answers_is_the_whole_one():
    assert last_answer({"text": "all"}) == {"text": "all"}
    assert last_answer(iter([{"text": "a"}, {"text": "a b"}])) == {"text": "a b"}
    with pytest.raises(LayerwiseError, match="gave no answer"):
        last_answer(iter([]))


def test_a_runner_needs_only_run():
    class Echo(Runner):
        def run(self, inputs, session, cancelled):
            yield {"text": inputs["text"][0]}
            yield {"text": inputs["text"]}

    echo = Echo()
    echo.warm()
    echo.end_session("anyone")
    assert echo.run_batch([{"text": "one"}, {"text": "two"}]) == [{"text": "one"}, {"text": "two"}]
    with pytest.raises(LayerwiseError, match="no outputs"):
        echo.outputs(np.zeros((1, 4)))
    echo.close()
