"""The predictor: one answer, answers that grow, and sessions."""

import logging
import threading

import numpy as np
import pytest
import sample_models as samples

from layerwise.errors import InputError, LayerwiseError, NotFoundError
from layerwise.predictor import KEPT_VERSIONS

ROW = [0.0, 0.1, 0.9, 1.1]


# --- one answer ---


def test_a_network_answers_by_name_of_its_input_or_with_the_bare_value(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.grader(50))
    predictor = predictor_of(samples.NETWORK)
    answer = predictor.predict("sample/grades", {"values": ROW})
    assert answer["grade"]["low"] == pytest.approx(1.0)
    assert predictor.predict("sample/grades:small", ROW) == answer
    assert predictor.predict_batch("sample/grades", [ROW, {"values": ROW}])[1]["grade"] == pytest.approx(
        answer["grade"]
    )


def test_a_model_that_is_not_keras_answers(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.NUMPY, {"centroids": np.array([[9] * 4, ROW, [5] * 4], np.float32)})
    answer = predictor_of(samples.NUMPY).predict("sample/centroids", ROW)["grade"]
    assert max(answer, key=answer.get) == "middle"


def test_a_model_without_weights_answers_by_its_code_alone(predictor_of):
    predictor = predictor_of(samples.STREAMING)
    assert predictor.predict("sample/stream", {"text": "a b c"}) == {"text": "a b c"}
    assert predictor.version("sample/stream").id == "code"
    assert predictor.predict("sample/stream@code", {"text": "x"}) == {"text": "x"}


def test_a_model_that_needs_training_says_so(predictor_of):
    predictor = predictor_of(samples.NETWORK, samples.STATEFUL)
    for reference in ("sample/grades", "sample/counter"):
        with pytest.raises(NotFoundError, match=f"layerwise train {reference}"):
            predictor.predict(reference, ROW)


def test_names_that_are_not_there(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.grader(0))
    predictor = predictor_of(samples.NETWORK)
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
def test_inputs_that_do_not_fit_the_task(predictor_of, inputs, words):
    with pytest.raises(InputError, match=words):
        predictor_of(samples.STREAMING).predict("sample/stream", inputs)


def test_a_mistake_of_a_plugin_is_a_sentence_that_names_the_model_and_is_logged(predictor_of, caplog):
    predictor = predictor_of(samples.STREAMING)
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(LayerwiseError, match="sample/stream:default could not answer") as error,
    ):
        predictor.predict("sample/stream", {"text": "a BUG"})
    assert isinstance(error.value.__cause__, ZeroDivisionError)
    assert "ZeroDivisionError" in caplog.text
    assert predictor.predict("sample/stream", {"text": "fine"}) == {"text": "fine"}


def test_memory_that_runs_out_is_no_mistake_of_a_plugin(predictor_of):
    class Greedy(samples.WordByWord):
        def run(self, inputs, session, cancelled):
            return {"text": "x" * 2**62}

    predictor = predictor_of(samples.spec_of("sample/greedy", task=samples.Saying(), runner=Greedy))
    with pytest.raises(LayerwiseError, match="memory ran out"):
        predictor.predict("sample/greedy", {"text": "a"})


def test_a_plugin_that_exits_while_loading_takes_nothing_with_it(predictor_of):
    def leave(version):
        raise SystemExit(3)

    predictor = predictor_of(samples.spec_of("sample/exits", task=samples.Saying(), runner=leave), samples.STREAMING)
    for _ in range(2):
        with pytest.raises(LayerwiseError, match="sample/exits:default could not be loaded"):
            predictor.predict("sample/exits", {"text": "a"})
    assert "could not be loaded" in predictor.warnings("sample/exits")[0]
    assert predictor.state("sample/exits") == "cold"
    assert predictor.predict("sample/stream", {"text": "a"}) == {"text": "a"}


# --- streaming and sessions ---


def test_streamed_answers_grow_and_the_last_is_the_whole(predictor_of):
    answers = list(predictor_of(samples.STREAMING).stream("sample/stream", {"text": "a b c"}))
    assert [answer["text"] for answer in answers] == ["a", "a b", "a b c"]


def test_a_model_that_does_not_stream_gives_one_answer(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.grader(0))
    assert len(list(predictor_of(samples.NETWORK).stream("sample/grades", ROW))) == 1


def test_closing_the_stream_cancels_and_lets_go_of_the_runner(predictor_of):
    predictor = predictor_of(samples.STREAMING)
    stream = predictor.stream("sample/stream", {"text": "a b c"})
    next(stream)
    runner = predictor._runners.all()[0].runner
    assert not runner.cancelled[-1].is_set()
    stream.close()
    assert runner.cancelled[-1].is_set()
    predictor.close()
    assert runner.closed.is_set()


def test_a_stream_can_be_cancelled_from_elsewhere(predictor_of):
    cancelled = threading.Event()
    stream = predictor_of(samples.STREAMING).stream("sample/stream", {"text": "a b c"}, cancelled=cancelled)
    assert next(stream) == {"text": "a"}
    cancelled.set()
    assert list(stream) == []


def test_a_mistake_in_the_middle_of_a_stream_is_explained(predictor_of):
    stream = predictor_of(samples.STREAMING).stream("sample/stream", {"text": "a BUG"})
    assert next(stream) == {"text": "a"}
    with pytest.raises(LayerwiseError, match="could not answer"):
        next(stream)


def test_a_stream_that_began_ends_with_the_runner_it_began_with(predictor_of):
    predictor = predictor_of(samples.STREAMING)
    stream = predictor.stream("sample/stream", {"text": "a b"})
    next(stream)
    runner = predictor._runners.all()[0].runner
    predictor.close()
    assert not runner.closed.is_set()
    assert list(stream) == [{"text": "a b"}]
    assert runner.closed.is_set()
    with pytest.raises(LayerwiseError, match="closed"):
        predictor.predict("sample/stream", {"text": "a"})


def test_sessions_are_told_apart_and_end(predictor_of, tmp_path):
    run = samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = predictor_of(samples.STATEFUL)

    def say(session):
        return predictor.predict("sample/counter", {"text": "hi"}, session)["text"]

    assert [say("ann"), say("bob"), say("ann")] == [f"1 by {run.id}", f"1 by {run.id}", f"2 by {run.id}"]
    predictor.end_session("ann")
    predictor.end_session("nobody")
    assert [say("ann"), say("bob")] == [f"1 by {run.id}", f"2 by {run.id}"]


def test_listeners_are_told_of_each_request_and_how_it_ended(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor, told = predictor_of(samples.STATEFUL), []
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


def test_a_session_stays_with_the_version_it_began_with(predictor_of, tmp_path):
    old = samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = predictor_of(samples.STATEFUL)
    predictor.predict("sample/counter", {"text": "hi"}, "ann")
    new = samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.ones(1)})
    assert predictor.predict("sample/counter", {"text": "hi"}, "bob")["text"] == f"1 by {new.id}"
    assert predictor.predict("sample/counter", {"text": "hi"}, "ann")["text"] == f"2 by {old.id}"
    assert len(predictor._runners.all()) == 2
    predictor.end_session("ann")
    assert predictor.predict("sample/counter", {"text": "hi"}, "ann")["text"] == f"1 by {new.id}"
    assert len(predictor._runners.all()) == 1


def test_a_session_with_a_version_asked_for_by_id_outlives_those_that_are_kept(predictor_of, tmp_path):
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"n": np.zeros(1)}) for _ in range(KEPT_VERSIONS + 2)]
    predictor = predictor_of(samples.STATEFUL)
    for run in runs:
        predictor.predict(f"sample/counter@{run.id}", {"text": "hi"}, "ann")
    assert predictor.predict(f"sample/counter@{runs[0].id}", {"text": "hi"}, "ann")["text"] == f"2 by {runs[0].id}"
    predictor.end_session("ann")
    assert predictor.predict(f"sample/counter@{runs[0].id}", {"text": "hi"}, "ann")["text"] == f"1 by {runs[0].id}"
    predictor.end_session("ann")
    assert len(predictor._runners.all()) == KEPT_VERSIONS
