"""The predictor when many ask, when memory is short, and when an answer does not come to an end."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sample_models as samples

from layerwise.errors import BusyError, LateError, LayerwiseError
from layerwise.runner import Runner
from layerwise.serving.gates import most_at_once
from layerwise.serving.warm_pool import WarmPool
from layerwise.serving.watchdog import MOST_LATE

PATIENCE = 20.0
ROW = [0.0, 0.1, 0.9, 1.1]


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Held(Runner):
    """Answers "ok" at once, and anything else when it is let; notes what it was asked."""

    def __init__(self, version):
        self.go_on, self.asked = threading.Event(), []

    def run(self, inputs, session, cancelled):
        self.asked.append(inputs["text"])
        if inputs["text"] != "ok":
            assert self.go_on.wait(PATIENCE)
        return {"text": inputs["text"]}


class HeldParts(Held):
    """Says one part at once, and the second when it is let."""

    def run(self, inputs, session, cancelled):
        yield {"text": "first"}
        assert self.go_on.wait(PATIENCE)
        yield {"text": "second"}


HELD = samples.spec_of("sample/held", task=samples.Saying(), runner=Held)
HELD_PARTS = samples.spec_of("sample/parts", task=samples.Saying(), runner=HeldParts)


@pytest.fixture
def make(predictor_of):
    """`make(spec, ...)`: a predictor of these models, whose answers are let go on at the end."""
    made = []

    def make(*specs):
        made.append(predictor_of(*specs))
        return made[-1]

    yield make
    for predictor in made:
        for loaded in predictor._runners.all():
            if isinstance(loaded.runner, Held):
                loaded.runner.go_on.set()


def runner_of(predictor, reference):
    with predictor.using(reference) as loaded:
        return loaded.runner


# --- queues ---


def test_when_the_queue_is_full_a_visitor_is_told_so_and_the_others_are_answered(make, monkeypatch):
    monkeypatch.setenv("LAYERWISE_QUEUE", "2")
    predictor = make(HELD)
    runner = runner_of(predictor, "sample/held")
    assert predictor.position("sample/held") == 0
    with ThreadPoolExecutor(most_at_once(runner) + 2) as threads:
        futures = []
        for number in range(most_at_once(runner)):
            futures.append(threads.submit(predictor.predict, "sample/held", {"text": "x"}))
            wait_until(lambda number=number: len(runner.asked) == number + 1)
        for position in (2, 3):
            futures.append(threads.submit(predictor.predict, "sample/held", {"text": "x"}))
            wait_until(lambda position=position: predictor.position("sample/held") == position)
        with pytest.raises(BusyError, match="sample/held:default is busy") as caught:
            predictor.predict("sample/held", {"text": "one more"})
        assert caught.value.position == 3
        assert caught.value.retry_after >= 1
        assert predictor.loads() == {"sample/held:default": (most_at_once(runner), 2)}
        runner.go_on.set()
        assert all(future.result(PATIENCE) == {"text": "x"} for future in futures)
    assert predictor.predict("sample/held", {"text": "ok"}) == {"text": "ok"}
    assert predictor.position("sample/held") == 0


def test_one_who_stops_waiting_for_a_place_gets_nothing(make):
    predictor = make(HELD)
    runner = runner_of(predictor, "sample/held")
    with ThreadPoolExecutor(most_at_once(runner) + 1) as threads:
        for number in range(most_at_once(runner)):
            threads.submit(predictor.predict, "sample/held", {"text": "x"})
            wait_until(lambda number=number: len(runner.asked) == number + 1)
        given_up = threading.Event()
        stream = predictor.stream("sample/held", {"text": "late"}, cancelled=given_up)
        waiting = threads.submit(list, stream)
        wait_until(lambda: predictor.position("sample/held") == 2)
        given_up.set()
        assert waiting.result(PATIENCE) == []
        runner.go_on.set()
    assert "late" not in runner.asked


def test_a_storm_of_requests_to_a_network_is_answered_as_one_by_one(make, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.build_grader(None, samples.NETWORK.task))
    predictor = make(samples.NETWORK)
    predictor._answers.most = 0
    inputs, _ = samples.examples(200, seed=1)
    alone = [predictor.predict("sample/grades", row)["grade"] for row in inputs]
    with ThreadPoolExecutor(32) as threads:
        found = threads.map(lambda row: predictor.predict("sample/grades", row)["grade"], inputs)
        for one, other in zip(found, alone, strict=True):
            assert one == pytest.approx(other, abs=1e-6)


# --- what does not come to an end ---


@pytest.fixture
def impatient(make):
    predictor = make(HELD, HELD_PARTS)
    for name in ("sample/held", "sample/parts"):
        runner_of(predictor, name)
    predictor._watchdog.seconds = 0.05
    return predictor


def test_an_endless_answer_is_told_and_others_go_on(impatient):
    with pytest.raises(LateError, match=r"sample/held:default could not answer: it did not come to an end"):
        impatient.predict("sample/held", {"text": "x"})
    impatient._watchdog.seconds = PATIENCE
    assert impatient.predict("sample/held", {"text": "ok"}) == {"text": "ok"}


def test_a_stream_that_stops_in_the_middle_is_told(impatient):
    stream = impatient.stream("sample/parts", {"text": "x"})
    assert next(stream) == {"text": "first"}
    with pytest.raises(LateError):
        next(stream)


def test_a_model_that_is_late_all_the_time_is_not_asked_and_not_closed_while_it_works(impatient):
    runner = runner_of(impatient, "sample/held")
    (loaded,) = (loaded for loaded in impatient._runners.all() if loaded.runner is runner)
    for _ in range(MOST_LATE):
        with pytest.raises(LateError):
            impatient.predict("sample/held", {"text": "x"})
    with pytest.raises(LateError, match="is not asked any more"):
        impatient.predict("sample/held", {"text": "x"})
    assert len(runner.asked) == MOST_LATE
    assert loaded.users == 1 + MOST_LATE
    runner.go_on.set()
    wait_until(lambda: loaded.users == 1)
    assert impatient.predict("sample/held", {"text": "ok"}) == {"text": "ok"}


def test_how_long_an_answer_may_take_is_a_setting(make, monkeypatch):
    monkeypatch.setenv("LAYERWISE_ANSWER_SECONDS", "2.5")
    assert make(HELD)._watchdog.seconds == 2.5


# --- answers that are given again ---


def test_a_network_computes_the_answer_to_the_same_question_once_for_each_version(make, tmp_path):
    first = samples.promoted(tmp_path, samples.NETWORK, samples.build_grader(None, samples.NETWORK.task))
    predictor = make(samples.NETWORK)
    runner, asked = runner_of(predictor, "sample/grades"), []
    forward = runner._forward
    runner._forward = lambda batch: asked.append(1) or forward(batch)
    answers = [predictor.predict("sample/grades", ROW) for _ in range(5)]
    assert len(asked) == 1
    assert all(answer == answers[0] for answer in answers)
    assert list(predictor.stream("sample/grades", {"values": ROW})) == answers[:1]
    predictor.predict("sample/grades", [1.0, *ROW[1:]])
    assert len(asked) == 2
    samples.promoted(tmp_path, samples.NETWORK, samples.build_grader(None, samples.NETWORK.task))
    other = predictor.predict("sample/grades", ROW)
    assert other["grade"] != answers[0]["grade"]
    assert predictor.predict(f"sample/grades@{first.id}", ROW) == answers[0]


def test_what_may_be_answered_otherwise_is_asked_each_time(make):
    predictor = make(HELD)
    for _ in range(3):
        predictor.predict("sample/held", {"text": "ok"})
    assert runner_of(predictor, "sample/held").asked == ["ok"] * 3


# --- memory ---


def specs(count):
    return [samples.spec_of(f"sample/m{number}", data="grades") for number in range(count)]


@pytest.fixture
def many(make, tmp_path):
    """A predictor of four networks, of which no two fit into memory together."""
    four = specs(4)
    for spec in four:
        samples.promoted(tmp_path, spec, samples.build_grader(None, spec.task))
    predictor = make(*four)
    predictor._pool.most = 1
    return predictor


def states(predictor):
    return [predictor.state(f"sample/m{number}") for number in range(4)]


@pytest.mark.slow
def test_models_that_do_not_fit_into_memory_take_turns_and_come_back(many):
    assert states(many) == ["cold"] * 4
    first = [many.predict(f"sample/m{number}", ROW) for number in range(4)]
    assert states(many) == ["cold", "cold", "cold", "ready"]
    many._answers.clear()
    again = [many.predict(f"sample/m{number}", ROW)["grade"] for number in range(4)]
    for one, other in zip(first, again, strict=True):
        assert one["grade"] == pytest.approx(other)
    assert len(many._runners.all()) == 1


@pytest.mark.slow
def test_a_model_in_use_is_not_unloaded(many):
    with many.using("sample/m0") as loaded:
        many.predict("sample/m1", ROW)
        many.predict("sample/m2", ROW)
        assert states(many) == ["ready", "cold", "ready", "cold"]
        assert loaded.users == 2
    many.predict("sample/m3", ROW)
    assert states(many) == ["cold", "cold", "cold", "ready"]


@pytest.mark.slow
def test_what_is_unloaded_is_gone_from_memory(many):
    many.predict("sample/m0", ROW)
    network = weakref.ref(runner_of(many, "sample/m0").model)
    many.predict("sample/m1", ROW)
    gc.collect()
    assert network() is None


@pytest.mark.slow
def test_a_version_asked_for_by_its_id_is_unloaded_too(many, tmp_path):
    run = samples.save_version(tmp_path, specs(1)[0], samples.build_grader(None, samples.NETWORK.task))
    many.predict(f"sample/m0@{run.id}", ROW)
    many.predict("sample/m1", ROW)
    assert len(many._runners.all()) == 1
    many.predict(f"sample/m0@{run.id}", ROW)


def test_a_storm_while_models_take_turns_loses_no_request(many):
    many._answers.most = 0
    inputs, _ = samples.examples(60, seed=2)

    def ask(number):
        return many.predict(f"sample/m{number % 4}", inputs[number])["grade"]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(60)))
    for number in (0, 17, 59):
        assert found[number] == pytest.approx(ask(number), abs=1e-6)
    assert all(loaded.users == 1 for loaded in many._runners.all())


def test_a_session_keeps_its_model_in_memory(make, tmp_path):
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    samples.promoted(tmp_path, samples.NETWORK, samples.build_grader(None, samples.NETWORK.task))
    predictor = make(samples.STATEFUL, samples.NETWORK)
    predictor._pool.most = 1
    predictor.predict("sample/counter", {"text": "hi"}, "ann")
    predictor.predict("sample/grades", ROW)
    assert predictor.predict("sample/counter", {"text": "hi"}, "ann")["text"].startswith("2 ")


def test_sessions_of_which_nothing_is_heard_any_more_are_ended(make, tmp_path, monkeypatch):
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = make(samples.STATEFUL)

    def say(session):
        return int(predictor.predict("sample/counter", {"text": "hi"}, session)["text"].split()[0])

    for number in range(300):
        assert say(f"visitor {number}") == 1
    assert say("visitor 7") == 2
    (loaded,) = predictor._runners.all()
    assert loaded.users == 301
    monkeypatch.setattr("layerwise.serving.sessions.SESSION_SECONDS", -1.0)
    assert say("somebody") == 1
    assert loaded.users == 2
    assert len(loaded.runner.counts) == 1
    monkeypatch.undo()
    assert say("visitor 7") == 1


class Piece:
    """A loaded model, as far as the pool looks at it."""

    def __init__(self, name, size, used_at, elsewhere=0):
        self.name, self.bytes, self.used_at, self.elsewhere = name, size, used_at, elsewhere
        self.runner, self.version = self, self
        self.reference = name

    def memory(self):
        return self.elsewhere


def pool_of(most, pieces, resident=0, in_use=()):
    def unload(piece):
        if piece.name in in_use:
            return False
        pieces.remove(piece)
        return True

    return WarmPool(most, lambda: list(pieces), unload, lambda: resident)


@pytest.mark.parametrize(
    ("most", "resident", "needed", "in_use", "left"),
    [
        (100, 0, 0, (), "abc"),
        (None, 10**12, 10**12, (), "abc"),
        (59, 0, 0, (), "bc"),  # 60 in all: the oldest is enough
        (100, 0, 41, (), "bc"),
        (100, 115, 0, (), "c"),  # 15 too many, and a has 10 and b 20
        (59, 0, 0, ("a",), "ac"),
        (1, 0, 0, ("a", "b", "c"), "abc"),
        (1, 0, 0, (), "c"),  # what was just loaded
    ],
)
def test_the_pool_unloads_what_was_used_longest_ago_and_no_more_than_needed(most, resident, needed, in_use, left):
    pieces = [Piece("b", 20, 2.0), Piece("a", 10, 1.0), Piece("c", 30, 3.0)]
    keep = pieces[2]
    pool_of(most, pieces, resident, in_use).make_room(needed, keep)
    assert sorted(piece.name for piece in pieces) == sorted(left)


def test_the_pool_counts_the_processes_of_plugins(caplog):
    pieces = [Piece("a", 10, 1.0, elsewhere=50), Piece("b", 10, 2.0, elsewhere=60)]
    assert pool_of(100, pieces, resident=20).used() == 130


def test_the_budget_is_a_setting(make, monkeypatch):
    monkeypatch.setenv("LAYERWISE_MEMORY", "300M")
    used, most = make(HELD).memory()
    assert most == 300 * 2**20
    assert used > 10 * 2**20


def test_a_model_takes_at_least_the_memory_of_its_parameters(many):
    with many.using("sample/m0") as loaded:
        assert loaded.bytes >= 4 * loaded.runner.model.count_params() > 0


def test_a_closed_predictor_loads_nothing_again(many):
    many.predict("sample/m0", ROW)
    many.close()
    with pytest.raises(LayerwiseError, match="closed"):
        many.predict("sample/m0", ROW)
    assert many._runners.all() == []
