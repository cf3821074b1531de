"""Which weights the predictor answers with: loaded once, taken up when they are promoted, left alone when broken."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
import sample_models as samples

from layerwise import weights
from layerwise.errors import NotFoundError, WeightsError
from layerwise.predictor import KEPT_VERSIONS
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


def corrupt(run):
    (path,) = (run.folder / "version").glob("weights-*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


# --- loading ---


def test_twenty_threads_load_a_model_once(predictor_of, slow):
    predictor = predictor_of(slow)
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


def test_twenty_threads_ask_for_a_version_by_its_id_and_load_it_once(predictor_of, slow):
    predictor = predictor_of(slow)
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


def test_warming_returns_at_once(predictor_of, slow):
    predictor = predictor_of(slow)
    predictor.warm("sample/slow")
    assert predictor.state("sample/slow") == "loading"
    Slow.gate.set()
    predictor.predict("sample/slow", {"text": "a"})
    assert predictor.state("sample/slow") == "ready"
    assert Slow.built == ["slow"]
    with pytest.raises(NotFoundError):
        predictor.warm("sample/none")


def test_networks_can_be_built_in_many_threads_at_a_time(predictor_of, tmp_path):
    specs = [samples.spec_of(f"sample/net{number}") for number in range(4)]
    for number, spec in enumerate(specs):
        samples.promoted(tmp_path, spec, samples.grader(number))
    predictor = predictor_of(*specs)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda spec: predictor.predict(spec.name, ROW)["grade"]["low"], specs))
    assert answers == sorted(answers)
    assert len(set(answers)) == 4


def test_a_closed_predictor_finishes_loading_and_keeps_nothing(predictor_of, slow):
    predictor = predictor_of(slow)
    predictor.warm("sample/slow")
    predictor.close()
    Slow.gate.set()
    deadline = time.monotonic() + 5
    while predictor._slots["sample/slow", "slow"].state == "loading" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert predictor._runners.all() == []


# --- versions ---


def test_a_promoted_version_answers_the_next_request_and_a_rollback_too(predictor_of, tmp_path):
    versions = VersionStore(tmp_path)
    first = samples.promoted(tmp_path, samples.NETWORK, samples.grader(50))
    predictor = predictor_of(samples.NETWORK)
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    former = predictor._runners.all()[0]
    second = samples.promoted(tmp_path, samples.NETWORK, samples.grader(-50))
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] < 0.01
    assert predictor.version("sample/grades").id == second.id
    assert former.users == 0
    versions.rollback(samples.NETWORK)
    assert predictor.version("sample/grades").id == first.id
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    assert predictor.predict(f"sample/grades@{second.id}", ROW)["grade"]["low"] < 0.01
    assert predictor.warnings("sample/grades") == ()


def test_promoting_one_variant_leaves_the_other_alone(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.grader(50), variant="other")
    predictor = predictor_of(samples.NETWORK)
    predictor.predict("sample/grades:other", ROW)
    loaded = predictor._runners.all()
    samples.promoted(tmp_path, samples.NETWORK, samples.grader(-50), variant="small")
    assert predictor.predict("sample/grades:other", ROW)["grade"]["low"] > 0.99
    assert predictor._runners.all() == loaded


def test_a_version_answers_with_its_own_labels(predictor_of, tmp_path):
    labels = ["ant", "bee", "cat", "dog"]
    task = samples.Grading(labels=tuple(labels))
    model = samples.build_grader(samples.NETWORK.variants[0].config, task)
    samples.promoted(tmp_path, samples.NETWORK, model, task={"labels": labels})
    assert list(predictor_of(samples.NETWORK).predict("sample/grades", ROW)["grade"]) == labels


def test_when_the_promoted_weights_are_corrupted_the_former_version_goes_on(predictor_of, tmp_path):
    first = samples.promoted(tmp_path, samples.NETWORK, samples.grader(50))
    predictor = predictor_of(samples.NETWORK)
    predictor.predict("sample/grades", ROW)
    second = samples.save_version(tmp_path, samples.NETWORK, samples.grader(-50))
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
        samples.grader(-50),
        second.folder / "version",
        {"name": "sample/grades", "variant": "small", "task": {}, "config": {}},
    )
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] < 0.01
    assert predictor.warnings("sample/grades") == ()


def test_a_process_that_starts_with_corrupted_weights_takes_the_version_in_use_before(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.NETWORK, samples.grader(50))
    corrupt(samples.promoted(tmp_path, samples.NETWORK, samples.grader(0)))
    corrupt(samples.promoted(tmp_path, samples.NETWORK, samples.grader(-50)))
    predictor = predictor_of(samples.NETWORK)
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    assert "goes on serving" in predictor.warnings("sample/grades")[0]


def test_corrupted_weights_with_nothing_before_them_are_an_error(predictor_of, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, samples.grader(0))
    corrupt(run)
    predictor = predictor_of(samples.NETWORK)
    for reference in ("sample/grades", f"sample/grades@{run.id}"):
        with pytest.raises(WeightsError, match="corrupted"):
            predictor.predict(reference, ROW)


def test_an_unreadable_pointer_leaves_the_version_in_memory_in_use(predictor_of, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, samples.grader(50))
    predictor = predictor_of(samples.NETWORK)
    predictor.predict("sample/grades", ROW)
    VersionStore(tmp_path).pointer("sample/grades", "small").write_text("{broken")
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] > 0.99
    assert "which version is in use" in predictor.warnings("sample/grades")[0]
    assert predictor.version("sample/grades").id == run.id


def test_a_better_epoch_of_a_promoted_run_that_still_trains_is_taken_up(predictor_of, tmp_path):
    run = samples.promoted(tmp_path, samples.NETWORK, samples.grader(50))
    predictor = predictor_of(samples.NETWORK)
    predictor.predict("sample/grades", ROW)
    record = json.loads((run.folder / "version" / weights.RECORD_FILE).read_text())
    weights.save(samples.grader(-50), run.folder / "version", record)
    assert predictor.predict("sample/grades", ROW)["grade"]["low"] < 0.01
    assert predictor.predict(f"sample/grades@{run.id}", ROW)["grade"]["low"] < 0.01


def test_the_former_version_answers_while_another_takes_long_to_load(predictor_of, tmp_path, monkeypatch):
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
    predictor = predictor_of(spec)
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"1 by {old.id}"
    new = samples.promoted(tmp_path, spec, {"nothing": np.ones(1)})
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"2 by {old.id}"
    begin = time.monotonic()
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"3 by {old.id}"
    assert time.monotonic() - begin < 0.5  # the wait is over for all, not anew for each
    Stuck.gate.set()
    predictor._slots["sample/stuck", "default"].begin(spec).result(10)
    assert predictor.predict("sample/stuck", {"text": "hi"})["text"] == f"1 by {new.id}"


def test_promotions_during_a_storm_of_requests_lose_none(predictor_of, tmp_path):
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)}) for _ in range(2)]
    versions = VersionStore(tmp_path)
    versions.promote(samples.STATEFUL, runs[0])
    predictor = predictor_of(samples.STATEFUL)
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


def test_few_versions_asked_for_by_id_stay_in_memory(predictor_of, tmp_path):
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"n": np.zeros(1)}) for _ in range(KEPT_VERSIONS + 2)]
    predictor = predictor_of(samples.STATEFUL)
    for run in [*runs, *runs[-2:]]:
        predictor.predict(f"sample/counter@{run.id}", {"text": "hi"})
    assert {loaded.version.id for loaded in predictor._runners.all()} == {run.id for run in runs[-KEPT_VERSIONS:]}


def test_a_model_described_anew_is_loaded_anew_only_when_it_changed(predictor_of, tmp_path):
    predictor = predictor_of(samples.spec_of("sample/again", task=samples.Saying(), runner=samples.WordByWord))
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


def test_seeing_whether_another_version_was_promoted_costs_little(predictor_of, tmp_path):
    samples.promoted(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)})
    predictor = predictor_of(samples.STATEFUL)
    predictor.predict("sample/counter", {"text": "hi"})

    def seconds():
        begin = time.thread_time()  # however busy the machine is
        for _ in range(200):
            with predictor.using("sample/counter"):
                pass
        return (time.thread_time() - begin) / 200

    assert min(seconds() for _ in range(5)) < 1e-4


def test_the_pointer_is_told_from_one_written_in_the_same_moment(predictor_of, tmp_path):
    """Another inode tells two pointers of the same length and time apart."""
    runs = [samples.save_version(tmp_path, samples.STATEFUL, {"nothing": np.zeros(1)}) for _ in range(2)]
    versions = VersionStore(tmp_path)
    pointer = versions.pointer("sample/counter", "default")
    versions.promote(samples.STATEFUL, runs[0])
    os.utime(pointer, ns=(10**18, 10**18))
    predictor = predictor_of(samples.STATEFUL)
    predictor.predict("sample/counter", {"text": "hi"})
    text = pointer.read_text().replace(runs[0].id, runs[1].id)
    other = pointer.with_name("other")
    other.write_text(text)
    os.utime(other, ns=(10**18, 10**18))
    other.replace(pointer)
    assert predictor.predict("sample/counter", {"text": "hi"})["text"] == f"1 by {runs[1].id}"
