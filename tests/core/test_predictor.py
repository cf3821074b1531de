import json
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
import sample_models as samples

from layerwise import weights
from layerwise.errors import InputError, LayerwiseError, NotFoundError, WeightsError
from layerwise.predictor import KEPT_VERSIONS, Predictor
from layerwise.runner import Runner
from layerwise.versions import VersionStore

ROW = [0.0, 0.1, 0.9, 1.1]


class Slow(Runner):
    """Takes its time to load, and counts how often it was."""

    built: ClassVar[list[str]] = []
    gate: ClassVar[threading.Event]

    def __init__(self, version):
        self.version = version
        if version.variant != "quick":
            self.gate.wait(10)
        self.built.append(version.variant)

    def run(self, inputs, session, cancelled):
        return {"text": self.version.variant}


@pytest.fixture
def slow():
    Slow.built, Slow.gate = [], threading.Event()
    variants = (samples.Variant(name="slow"), samples.Variant(name="quick"))
    return samples.spec_of("sample/slow", task=samples.Saying(), runner=Slow, variants=variants)


@pytest.fixture
def make(tmp_path):
    """`make(spec, ...)`: a predictor of these models, below `tmp_path`."""
    made = []

    def predictor_of(*specs):
        made.append(Predictor(samples.shelf(*specs), VersionStore(tmp_path)))
        return made[-1]

    yield predictor_of
    for predictor in made:
        predictor.close()


def grader(shift):
    """An untrained network whose logits all rise by `shift` for the first label."""
    import keras

    keras.utils.set_random_seed(0)
    model = samples.build_grader(samples.NETWORK.variants[0].config, samples.NETWORK.task)
    bias = model.get_layer("output").bias
    bias.assign([shift, 0.0, 0.0])
    return model


def corrupt(run):
    (path,) = (run.folder / "version").glob("weights-*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


# --- one answer ---


def test_a_network_answers_by_name_of_its_input_or_with_the_bare_value(make, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, grader(50))
    predictor = make(samples.NETWORK)
    answer = predictor.predict("sample/grades", {"values": ROW})
    assert answer["grade"]["low"] == pytest.approx(1.0)
    assert predictor.predict("sample/grades:small", ROW) == answer
    assert predictor.predict_batch("sample/grades", [ROW, {"values": ROW}])[1]["grade"] == pytest.approx(
        answer["grade"]
    )


def test_a_model_that_is_not_keras_answers(make, tmp_path):
    samples.promoted(tmp_path, samples.NUMPY, {"centroids": np.array([[9] * 4, ROW, [5] * 4], np.float32)})
    answer = make(samples.NUMPY).predict("sample/centroids", ROW)["grade"]
    assert max(answer, key=answer.get) == "middle"


def test_a_model_without_weights_answers_by_its_code_alone(make):
    predictor = make(samples.STREAMING)
    assert predictor.predict("sample/stream", {"text": "a b c"}) == {"text": "a b c"}
    assert predictor.version("sample/stream").id == "code"
    assert predictor.predict("sample/stream@code", {"text": "x"}) == {"text": "x"}


def test_a_model_that_needs_training_says_so(make):
    predictor = make(samples.NETWORK, samples.STATEFUL)
    for reference in ("sample/grades", "sample/counter"):
        with pytest.raises(NotFoundError, match=f"layerwise train {reference}"):
            predictor.predict(reference, ROW)


def test_names_that_are_not_there(make, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, grader(0))
    predictor = make(samples.NETWORK)
    for reference in ("sample/none", "sample/grades:none", "sample/grades@none", "not a name", "sample/grades@../../x"):
        with pytest.raises(NotFoundError):
            predictor.predict(reference, ROW)
    with pytest.raises(NotFoundError):
        predictor.stream("sample/none", ROW)  # at once, not at the first answer


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "give text"),
        ({"times": 2}, "give text"),
        ({"text": "a", "loud": 1}, "leave out loud"),
        ({"text": "a", "times": "often"}, "Times is no number"),
    ],
)
def test_inputs_that_do_not_fit_the_task(make, inputs, words):
    with pytest.raises(InputError, match=words):
        make(samples.STREAMING).predict("sample/stream", inputs)


def test_a_mistake_of_a_plugin_is_a_sentence_that_names_the_model_and_is_logged(make, caplog):
    predictor = make(samples.STREAMING)
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(LayerwiseError, match="sample/stream:default could not answer") as error,
    ):
        predictor.predict("sample/stream", {"text": "a BUG"})
    assert isinstance(error.value.__cause__, ZeroDivisionError)
    assert "ZeroDivisionError" in caplog.text
    assert predictor.predict("sample/stream", {"text": "fine"}) == {"text": "fine"}


def test_memory_that_runs_out_is_no_mistake_of_a_plugin(make):
    class Greedy(samples.WordByWord):
        def run(self, inputs, session, cancelled):
            return {"text": "x" * 2**62}

    predictor = make(samples.spec_of("sample/greedy", task=samples.Saying(), runner=Greedy))
    with pytest.raises(LayerwiseError, match="memory ran out"):
        predictor.predict("sample/greedy", {"text": "a"})


def test_a_plugin_that_exits_while_loading_takes_nothing_with_it(make):
    def leave(version):
        raise SystemExit(3)

    predictor = make(samples.spec_of("sample/exits", task=samples.Saying(), runner=leave), samples.STREAMING)
    for _ in range(2):
        with pytest.raises(LayerwiseError, match="sample/exits:default could not be loaded"):
            predictor.predict("sample/exits", {"text": "a"})
    assert "could not be loaded" in predictor.warnings("sample/exits")[0]
    assert predictor.state("sample/exits") == "cold"
    assert predictor.predict("sample/stream", {"text": "a"}) == {"text": "a"}


# --- streaming and sessions ---


def test_streamed_answers_grow_and_the_last_is_the_whole(make):
    answers = list(make(samples.STREAMING).stream("sample/stream", {"text": "a b c"}))
    assert [answer["text"] for answer in answers] == ["a", "a b", "a b c"]


def test_a_model_that_does_not_stream_gives_one_answer(make, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, grader(0))
    assert len(list(make(samples.NETWORK).stream("sample/grades", ROW))) == 1


def test_closing_the_stream_cancels_and_lets_go_of_the_runner(make):
    predictor = make(samples.STREAMING)
    stream = predictor.stream("sample/stream", {"text": "a b c"})
    next(stream)
    runner = predictor._runners.all()[0].runner
    assert not runner.cancelled[-1].is_set()
    stream.close()
    assert runner.cancelled[-1].is_set()
    predictor.close()
    assert runner.closed.is_set()


def test_a_stream_can_be_cancelled_from_elsewhere(make):
    cancelled = threading.Event()
    stream = make(samples.STREAMING).stream("sample/stream", {"text": "a b c"}, cancelled=cancelled)
    assert next(stream) == {"text": "a"}
    cancelled.set()
    assert list(stream) == []


def test_a_mistake_in_the_middle_of_a_stream_is_explained(make):
    stream = make(samples.STREAMING).stream("sample/stream", {"text": "a BUG"})
    assert next(stream) == {"text": "a"}
    with pytest.raises(LayerwiseError, match="could not answer"):
        next(stream)


def test_a_stream_that_began_ends_with_the_runner_it_began_with(make):
    predictor = make(samples.STREAMING)
    stream = predictor.stream("sample/stream", {"text": "a b"})
    next(stream)
    runner = predictor._runners.all()[0].runner
    predictor.close()
    assert not runner.closed.is_set()
    assert list(stream) == [{"text": "a b"}]
    assert runner.closed.is_set()
    with pytest.raises(LayerwiseError, match="closed"):
        predictor.predict("sample/stream", {"text": "a"})


def test_sessions_are_told_apart_and_end(make, tmp_path):
    run = samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = make(samples.STATEFUL)

    def say(session):
        return predictor.predict("sample/counter", {"text": "hi"}, session)["text"]

    assert [say("ann"), say("bob"), say("ann")] == [f"1 by {run.id}", f"1 by {run.id}", f"2 by {run.id}"]
    predictor.end_session("ann")
    predictor.end_session("nobody")
    assert [say("ann"), say("bob")] == [f"1 by {run.id}", f"2 by {run.id}"]


def test_listeners_are_told_of_each_request_and_how_it_ended(make, tmp_path):
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor, told = make(samples.STATEFUL), []
    predictor.listeners.append(lambda reference, seconds, error: told.append((str(reference), seconds >= 0, error)))
    predictor.predict("sample/counter", {"text": "hi"})
    predictor.predict_batch("sample/counter", [{"text": "hi"}, {"text": "hi"}])
    assert list(predictor.stream("sample/counter", {"text": "hi"}))
    assert told == [("sample/counter:default", True, None)] * 3
    with pytest.raises(InputError) as raised:
        predictor.predict("sample/counter", {"colour": "red"})
    assert told[-1] == ("sample/counter:default", True, raised.value)
    with pytest.raises(NotFoundError):
        predictor.predict("sample/nothing", {"text": "hi"})
    predictor.warm("sample/counter")
    with predictor.looking_inside("sample/counter"):
        pass
    assert len(told) == 4, "neither an unknown name nor a look is a request"


def test_a_session_stays_with_the_version_it_began_with(make, tmp_path):
    old = samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = make(samples.STATEFUL)
    predictor.predict("sample/counter", {"text": "hi"}, "ann")
    new = samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.ones(1)})
    assert predictor.predict("sample/counter", {"text": "hi"}, "bob")["text"] == f"1 by {new.id}"
    assert predictor.predict("sample/counter", {"text": "hi"}, "ann")["text"] == f"2 by {old.id}"
    assert len(predictor._runners.all()) == 2
    predictor.end_session("ann")
    assert predictor.predict("sample/counter", {"text": "hi"}, "ann")["text"] == f"1 by {new.id}"
    assert len(predictor._runners.all()) == 1


def test_a_session_with_a_version_asked_for_by_id_outlives_those_that_are_kept(make, tmp_path):
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"n": np.zeros(1)}) for _ in range(KEPT_VERSIONS + 2)]
    predictor = make(samples.STATEFUL)
    for run in runs:
        predictor.predict(f"sample/counter@{run.id}", {"text": "hi"}, "ann")
    assert predictor.predict(f"sample/counter@{runs[0].id}", {"text": "hi"}, "ann")["text"] == f"2 by {runs[0].id}"
    predictor.end_session("ann")
    assert predictor.predict(f"sample/counter@{runs[0].id}", {"text": "hi"}, "ann")["text"] == f"1 by {runs[0].id}"
    predictor.end_session("ann")
    assert len(predictor._runners.all()) == KEPT_VERSIONS


# --- loading ---


def test_twenty_threads_load_a_model_once(make, slow):
    predictor = make(slow)
    assert predictor.state("sample/slow") == "cold"
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(predictor.predict, "sample/slow", {"text": "a"}) for _ in range(20)]
        time.sleep(0.2)
        assert predictor.state("sample/slow") == "loading"
        # Another model does not wait for it.
        assert predictor.predict("sample/slow:quick", {"text": "a"}) == {"text": "quick"}
        assert not any(answer.done() for answer in answers)
        Slow.gate.set()
        assert {answer.result(10)["text"] for answer in answers} == {"slow"}
    assert sorted(Slow.built) == ["quick", "slow"]
    assert predictor.states() == {"sample/slow:slow": "ready", "sample/slow:quick": "ready"}


def test_twenty_threads_ask_for_a_version_by_its_id_and_load_it_once(make, slow):
    predictor = make(slow)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(predictor.predict, "sample/slow@code", {"text": "a"}) for _ in range(20)]
        time.sleep(0.2)
        assert predictor.state("sample/slow@code") == "loading"
        Slow.gate.set()
        assert {answer.result(10)["text"] for answer in answers} == {"slow"}
    assert Slow.built == ["slow"]
    assert predictor.state("sample/slow@code") == "ready"
    predictor.predict("sample/slow", {"text": "a"})
    assert Slow.built == ["slow"]  # the version in use is the same one


def test_warming_returns_at_once(make, slow):
    predictor = make(slow)
    predictor.warm("sample/slow")
    assert predictor.state("sample/slow") == "loading"
    Slow.gate.set()
    predictor.predict("sample/slow", {"text": "a"})
    assert predictor.state("sample/slow") == "ready"
    assert Slow.built == ["slow"]
    with pytest.raises(NotFoundError):
        predictor.warm("sample/none")


def test_networks_can_be_built_in_many_threads_at_a_time(make, tmp_path):
    specs = [samples.spec_of(f"sample/net{number}") for number in range(4)]
    for number, spec in enumerate(specs):
        samples.promoted(tmp_path, spec, grader(number))
    predictor = make(*specs)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda spec: predictor.predict(spec.name, ROW)["grade"]["low"], specs))
    assert answers == sorted(answers)
    assert len(set(answers)) == 4


def test_a_closed_predictor_finishes_loading_and_keeps_nothing(make, slow):
    predictor = make(slow)
    predictor.warm("sample/slow")
    predictor.close()
    Slow.gate.set()
    deadline = time.monotonic() + 5
    while predictor._slots["sample/slow", "slow"].state == "loading" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert predictor._runners.all() == []


# --- versions ---


def test_a_promoted_version_answers_the_next_request_and_a_rollback_too(make, tmp_path):
    versions = VersionStore(tmp_path)
    first = samples.promoted(tmp_path, samples.NETWORK, grader(50))
    predictor = make(samples.NETWORK)
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    former = predictor._runners.all()[0]
    second = samples.promoted(tmp_path, samples.NETWORK, grader(-50))
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] < 0.01
    assert predictor.version("sample/grades").id == second.id
    assert former.users == 0
    versions.rollback(samples.NETWORK)
    assert predictor.version("sample/grades").id == first.id
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    assert predictor.predict(f"sample/grades@{second.id}", ROW)["grade"]["low"] < 0.01
    assert predictor.warnings("sample/grades") == ()


def test_promoting_one_variant_leaves_the_other_alone(make, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, grader(50), variant="other")
    predictor = make(samples.NETWORK)
    predictor.predict("sample/grades:other", ROW)
    loaded = predictor._runners.all()
    samples.promoted(tmp_path, samples.NETWORK, grader(-50), variant="small")
    assert predictor.predict("sample/grades:other", ROW)["grade"]["low"] > 0.99
    assert predictor._runners.all() == loaded


def test_a_version_answers_with_its_own_labels(make, tmp_path):
    labels = ["ant", "bee", "cat", "dog"]
    task = samples.Grading(labels=tuple(labels))
    model = samples.build_grader(samples.NETWORK.variants[0].config, task)
    samples.promoted(tmp_path, samples.NETWORK, model, task={"labels": labels})
    assert list(make(samples.NETWORK).predict("sample/grades", ROW)["grade"]) == labels


def test_when_the_promoted_weights_are_corrupted_the_former_version_goes_on(make, tmp_path):
    first = samples.promoted(tmp_path, samples.NETWORK, grader(50))
    predictor = make(samples.NETWORK)
    predictor.predict("sample/grades", ROW)
    second = samples.save_version(tmp_path, samples.NETWORK, grader(-50))
    corrupt(second)
    VersionStore(tmp_path).promote(samples.NETWORK, second)
    for _ in range(2):
        assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    (warning,) = predictor.warnings("sample/grades")
    assert first.id in warning
    assert "corrupted" in warning
    assert predictor.version("sample/grades").id == first.id
    # Once the weights are right the version is taken up, with no further promotion.
    weights.save(
        grader(-50), second.folder / "version", {"name": "sample/grades", "variant": "small", "task": {}, "config": {}}
    )
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] < 0.01
    assert predictor.warnings("sample/grades") == ()


def test_a_process_that_starts_with_corrupted_weights_takes_the_version_in_use_before(make, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, grader(50))
    corrupt(samples.promoted(tmp_path, samples.NETWORK, grader(0)))
    corrupt(samples.promoted(tmp_path, samples.NETWORK, grader(-50)))
    predictor = make(samples.NETWORK)
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    assert "goes on serving" in predictor.warnings("sample/grades")[0]


def test_corrupted_weights_with_nothing_before_them_are_an_error(make, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, grader(0))
    corrupt(run)
    predictor = make(samples.NETWORK)
    for reference in ("sample/grades", f"sample/grades@{run.id}"):
        with pytest.raises(WeightsError, match="corrupted"):
            predictor.predict(reference, ROW)


def test_an_unreadable_pointer_leaves_the_version_in_memory_in_use(make, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, grader(50))
    predictor = make(samples.NETWORK)
    predictor.predict("sample/grades", ROW)
    VersionStore(tmp_path).pointer("sample/grades", "small").write_text("{broken")
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    assert "which version is in use" in predictor.warnings("sample/grades")[0]
    assert predictor.version("sample/grades").id == run.id


def test_a_better_epoch_of_a_promoted_run_that_still_trains_is_taken_up(make, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, grader(50))
    predictor = make(samples.NETWORK)
    predictor.predict("sample/grades", ROW)
    record = json.loads((run.folder / "version" / weights.RECORD_FILE).read_text())
    weights.save(grader(-50), run.folder / "version", record)
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] < 0.01
    assert predictor.predict(f"sample/grades@{run.id}", ROW)["grade"]["low"] < 0.01


def test_the_former_version_answers_while_another_takes_long_to_load(make, tmp_path, monkeypatch):
    from layerwise.serving import in_use

    class Stuck(samples.Counter):
        gate = threading.Event()
        is_first = True

        def __init__(self, version):
            super().__init__(version)
            if not Stuck.is_first:
                self.gate.wait(10)
            Stuck.is_first = False

    monkeypatch.setattr(in_use, "SWITCH_SECONDS", 1.0)
    spec = samples.spec_of("sample/stuck", task=samples.Saying(), runner=Stuck)
    old = samples.promoted(tmp_path, spec, {"nothing": np.zeros(1)})
    predictor = make(spec)
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"1 by {old.id}"
    new = samples.promoted(tmp_path, spec, {"nothing": np.ones(1)})
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"2 by {old.id}"
    begin = time.monotonic()
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"3 by {old.id}"
    assert time.monotonic() - begin < 0.5  # the wait is over for all, not anew for each
    Stuck.gate.set()
    predictor._slots["sample/stuck", "default"].begin(spec).result(10)
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"1 by {new.id}"


def test_promotions_during_a_storm_of_requests_lose_none(make, tmp_path):
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)}) for _ in range(2)]
    versions = VersionStore(tmp_path)
    versions.promote(samples.STATEFUL, runs[0])
    predictor = make(samples.STATEFUL)
    ended = threading.Event()

    def ask():
        answered = 0
        while not ended.is_set():
            predictor.predict("sample/counter", {"text": "hi"})
            answered += 1
        return answered

    with ThreadPoolExecutor(6) as pool:
        workers = [pool.submit(ask) for _ in range(6)]
        for number in range(1, 25):
            run = runs[number % 2]
            versions.promote(samples.STATEFUL, run)
            assert predictor.predict("sample/counter", {"text": "hi"})["text"].endswith(run.id)
        ended.set()
        assert all(worker.result() > 0 for worker in workers)
    (loaded,) = predictor._runners.all()
    assert loaded.users == 1


def test_few_versions_asked_for_by_id_stay_in_memory(make, tmp_path):
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"n": np.zeros(1)}) for _ in range(KEPT_VERSIONS + 2)]
    predictor = make(samples.STATEFUL)
    for run in [*runs, *runs[-2:]]:
        predictor.predict(f"sample/counter@{run.id}", {"text": "hi"})
    assert {loaded.version.id for loaded in predictor._runners.all()} == {run.id for run in runs[-KEPT_VERSIONS:]}


def test_a_model_described_anew_is_loaded_anew_only_when_it_changed(make, tmp_path):
    predictor = make(samples.spec_of("sample/again", task=samples.Saying(), runner=samples.WordByWord))
    predictor.predict("sample/again", {"text": "a"})
    loaded = predictor._runners.all()
    predictor._registry = samples.shelf(
        samples.spec_of("sample/again", task=samples.Saying(), runner=samples.WordByWord)
    )
    predictor.predict("sample/again", {"text": "a"})
    assert predictor._runners.all() == loaded
    predictor._registry = samples.shelf(samples.spec_of("sample/again", task=samples.Saying(), runner=samples.Counter))
    assert predictor.predict("sample/again", {"text": "a"})["text"] == "1 by code"
    assert loaded[0].runner.closed.is_set()


def test_seeing_whether_another_version_was_promoted_costs_little(make, tmp_path):
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = make(samples.STATEFUL)
    predictor.predict("sample/counter", {"text": "hi"})

    def seconds():
        begin = time.thread_time()  # however busy the machine is
        for _ in range(200):
            with predictor.using("sample/counter"):
                pass
        return (time.thread_time() - begin) / 200

    assert min(seconds() for _ in range(5)) < 1e-4


def test_the_pointer_is_told_from_one_written_in_the_same_moment(make, tmp_path):
    """Another inode tells two pointers of the same length and time apart."""
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)}) for _ in range(2)]
    versions = VersionStore(tmp_path)
    pointer = versions.pointer("sample/counter", "default")
    versions.promote(samples.STATEFUL, runs[0])
    os.utime(pointer, ns=(10**18, 10**18))
    predictor = make(samples.STATEFUL)
    predictor.predict("sample/counter", {"text": "hi"})
    text = pointer.read_text().replace(runs[0].id, runs[1].id)
    other = pointer.with_name("other")
    other.write_text(text)
    os.utime(other, ns=(10**18, 10**18))
    other.replace(pointer)
    assert predictor.predict("sample/counter", {"text": "hi"})["text"] == f"1 by {runs[1].id}"
