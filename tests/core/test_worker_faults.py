"""Whatever a plugin does while it answers: one sentence for who asked it, an answer for everybody else."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from worker_helpers import left_over, mark_of, marked, opened, wait_until

from layerwise import jobs
from layerwise.errors import LayerwiseError, WorkerError
from layerwise.plugins.failures import ANSWERS, FailureStore
from layerwise.workers import guardian, limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="some of these faults are those of Linux")

DEADLY = {
    "loop": "did not answer within 2 s and was ended",
    "gil": "did not answer within 2 s and was ended",
    "os-exit": "ended itself with exit status 3",
    "segmentation-fault": "was killed by a segmentation fault",
    "kill": "was killed (SIGKILL)",
    "memory": "used more than",
    "closes": "let go of its connection",
    "garbage": "sent something that is no answer",
    "others": "ended itself with exit status 4",
}
"""Faults that end the process, and what is said of them."""
SURVIVED = {
    "exception": "because of a mistake in its code. Received: ValueError: a mistake of the plugin",
    "sys-exit": "because of a mistake in its code. Received: SystemExit: 3",
    "own-class": "The answer holds something that cannot leave its process",
    "function": "The answer holds something that cannot leave its process",
}
"""Faults after which the same process goes on."""
TIMES = {"ANSWER_SECONDS": "2", "LOADING_SECONDS": "6", "WORKER_MEMORY": "400M"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("home"), **TIMES) as workspace:
        workspace.predictor.predict("steady/turn", "abc")
        mark = mark_of(workspace)
        yield workspace
    assert not marked(mark), "processes are left over"


def asked_meanwhile(workspace, ask):
    """The error that `ask` raises, while somebody else asks another model and is answered within 2 seconds."""
    errors = []

    def work():
        try:
            ask()
        except LayerwiseError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        begin = time.monotonic()
        assert workspace.predictor.predict("steady/turn", "abc")["value"] == "cba"
        assert time.monotonic() - begin < 2
        thread.join(0.1)
    return errors[0] if errors else None


def answers_again(workspace):
    assert workspace.predictor.predict("faulty/echo", {"text": "well"}) == {"text": "well"}


@pytest.mark.parametrize(
    "place",
    ["run", pytest.param("encode", marks=pytest.mark.slow), pytest.param("decode", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("fault", DEADLY)
def test_what_ends_its_process_is_told_in_one_sentence(workspace, fault, place):
    inputs = {"text": "a", "fault": fault, "place": place}
    error = asked_meanwhile(workspace, lambda: workspace.predictor.predict("faulty/echo", inputs))
    assert isinstance(error, WorkerError)
    assert str(error).startswith(f"faulty/echo:nothing could not answer: its process {DEADLY[fault]}")
    assert "What to do: ask again" in str(error)
    answers_again(workspace)


@pytest.mark.parametrize(
    ("fault", "place"),
    [(fault, place) for fault in ("exception", "sys-exit") for place in ("encode", "run", "decode")]
    + [("own-class", "run"), ("function", "run")],
)
def test_what_its_process_survives_is_told_too(workspace, fault, place):
    inputs = {"text": "a", "fault": fault, "place": place}
    error = asked_meanwhile(workspace, lambda: workspace.predictor.predict("faulty/echo", inputs))
    assert not isinstance(error, WorkerError)
    assert SURVIVED[fault] in str(error)
    answers_again(workspace)


def test_what_is_printed_is_no_answer(workspace):
    inputs = {"text": "well", "fault": "prints", "place": "run"}
    assert workspace.predictor.predict("faulty/echo", inputs) == {"text": "well"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", {**DEADLY, "exception": "", "sys-exit": "", "prints": ""})
def test_a_fault_while_it_is_built(workspace, fault):
    reference = f"faulty/echo:{fault}"
    error = asked_meanwhile(workspace, lambda: workspace.predictor.predict(reference, {"text": "well"}))
    if fault == "prints":
        assert error is None
        return
    expected = DEADLY.get(fault, "because of a mistake in its code").replace("answer within 2", "answer within 6")
    assert str(error).startswith(f"{reference} could not be loaded")
    assert expected.replace("did not answer", "was not ready") in str(error)
    assert workspace.predictor.state(reference) == "cold"
    answers_again(workspace)


def test_an_endless_answer_is_left_and_its_process_goes_on(workspace):
    stream = workspace.predictor.stream("faulty/echo", {"text": "", "fault": "endless"})
    assert [next(stream)["text"] for _ in range(3)] == ["1", "2", "3"]
    stream.close()
    workers = [loaded for loaded in workspace.predictor._runners.all() if loaded.spec.name == "faulty/echo"]
    assert workers
    wait_until(lambda: not any(loaded.runner._worker.is_busy for loaded in workers))
    answers_again(workspace)


@pytest.mark.slow
def test_an_endless_answer_that_nobody_leaves_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_PARTS", 0.1)
    with opened(tmp_path, ANSWER_SECONDS="10") as workspace:
        with pytest.raises(WorkerError, match="did not come to an end within 1 s"):
            workspace.predictor.predict("faulty/echo", {"text": "", "fault": "endless"})
        answers_again(workspace)


def test_where_it_hung_is_kept_for_the_author(tmp_path):
    with opened(tmp_path, ANSWER_SECONDS="1") as workspace:
        with pytest.raises(WorkerError):
            workspace.predictor.predict("faulty/echo", {"text": "a", "fault": "gil", "place": "run"})
        failure = FailureStore(home=tmp_path).find("faulty", ANSWERS, "")
        assert failure.reason == "The process of faulty/echo:nothing did not answer within 1 s and was ended."
        assert "in hold_the_interpreter" in failure.traceback
        assert "in listen" not in failure.traceback
        workspace.registry.check()
        report = next(report for report in workspace.registry.snapshot().plugins if report.name == "faulty")
        assert (report.status, report.reason) == ("loaded", failure.reason)
        assert report.traceback == failure.traceback
        answers_again(workspace)


@pytest.mark.slow
def test_who_asked_at_the_same_time_is_told_and_can_ask_again(workspace):
    answers_again(workspace)
    errors = []

    def ask():
        try:
            workspace.predictor.predict("faulty/echo", {"text": "a", "fault": "loop", "place": "run"})
        except WorkerError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 4
    assert len(set(errors)) == 1
    answers_again(workspace)


@pytest.mark.slow
def test_after_three_deaths_in_a_row_it_is_off_until_somebody_enables_it(tmp_path):
    with opened(tmp_path) as workspace:
        predictor, registry = workspace.predictor, workspace.registry
        deadly = {"text": "a", "fault": "os-exit", "place": "run"}
        for _ in range(2):
            with pytest.raises(WorkerError, match="ask again"):
                predictor.predict("faulty/echo", deadly)
        answers_again(workspace)  # which breaks the row
        for _ in range(2):
            with pytest.raises(WorkerError, match="ask again"):
                predictor.predict("faulty/echo", deadly)
        with pytest.raises(WorkerError, match="layerwise plugins --enable faulty"):
            predictor.predict("faulty/echo", deadly)
        with pytest.raises(LayerwiseError, match=r"The plugin faulty is off.*died 3 times in a row"):
            predictor.predict("faulty/echo", {"text": "well"})
        number = registry.snapshot().number
        assert registry.check().number == number + 1
        assert "faulty/echo" not in registry.snapshot().models
        report = next(report for report in registry.snapshot().plugins if report.name == "faulty")
        assert report.status == "quarantined"
        assert "ended itself with exit status 3" in report.reason
        assert predictor.predict("steady/turn", "abc")["value"] == "cba"
        registry.set_enabled("faulty", True)
        answers_again(workspace)
        assert not FailureStore(home=tmp_path).find("faulty", ANSWERS, "")
        with pytest.raises(WorkerError, match="ask again"):
            predictor.predict("faulty/echo", deadly)
        assert FailureStore(home=tmp_path).find("faulty", ANSWERS, "")


def test_a_fault_while_it_is_loaded_counts_too(tmp_path):
    with opened(tmp_path) as workspace:
        for words in ("ask again", "ask again", "--enable faulty", "The plugin faulty is off"):
            with pytest.raises(LayerwiseError, match=words):
                workspace.predictor.predict("faulty/echo:os-exit", {"text": "a"})


@pytest.mark.slow
def test_nothing_hangs_at_the_end_while_a_plugin_does(tmp_path):
    with opened(tmp_path) as workspace:
        answers_again(workspace)
        mark = mark_of(workspace)
        inputs = {"text": "a", "fault": "gil", "place": "run"}
        errors = []

        def ask():
            try:
                workspace.predictor.predict("faulty/echo", inputs)
            except WorkerError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: workspace.predictor._runners.all()[0].runner._worker.is_busy)
        begin = time.monotonic()
    assert time.monotonic() - begin < 10
    thread.join(5)
    assert "its process was ended" in str(errors[0])
    assert not marked(mark)


IN_TRAINING = {
    "exception": "ValueError: a mistake of the plugin",
    "sys-exit": "SystemExit: 3",
    "os-exit": "Its process was killed",
    "segmentation-fault": "Its process was killed",
    "kill": "Its process was killed",
    "closes": "",
    "garbage": "",
    "others": "Its process was killed",
    "leaves-process": "",
    "leaves-thread": "",
}
"""Faults in a training, and what is said of them; empty for those that it survives."""


@pytest.mark.slow
@pytest.mark.parametrize("fault", IN_TRAINING)
def test_a_fault_in_a_training_ends_that_alone_and_leaves_nothing(workspace, fault):
    spec = workspace.registry.snapshot().model("faulty/learn")
    run = jobs.start(workspace.runs, spec, variant=fault)
    while run.is_active:
        assert workspace.predictor.predict("steady/turn", "abc")["value"] == "cba"
        time.sleep(0.2)
    assert IN_TRAINING[fault] in run.reason, run.reason
    assert run.state == ("failed" if run.reason else "finished")
    folder = str(run.folder).encode()
    wait_until(lambda: not any(folder in command or b"sleep" in command for command in left_over(workspace.home)), 30)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["loop", "gil"])
def test_a_training_that_hangs_is_ended_when_somebody_asks_again(workspace, fault, monkeypatch):
    monkeypatch.setattr(jobs, "STUBBORN_SECONDS", 1.0)
    spec = workspace.registry.snapshot().model("faulty/learn")
    run = jobs.start(workspace.runs, spec, variant=fault)
    wait_until(lambda: any(event["event"] == "preparing" for event in run.events()), 60)
    jobs.stop(run)
    jobs.stop(run)  # at once: it may still be about to stop
    assert run.is_active
    time.sleep(2)
    jobs.stop(run)
    wait_until(lambda: not run.is_active)
    assert run.reason == "Its process was killed. It can be resumed."


def test_a_process_that_was_just_becoming_another_program_is_ended_too(monkeypatch):
    token = "a-token-of-this-test"
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, guardian.VARIABLE: token}, start_new_session=True)
    known, looks = guardian._is_marked, []

    def not_yet(pid, mark):
        looks.extend([pid] if pid == process.pid else [])
        return None if pid == process.pid and len(looks) < 4 else known(pid, mark)

    monkeypatch.setattr(guardian, "_is_marked", not_yet)
    try:
        guardian.end_marked(token)
        assert process.wait(30) == -signal.SIGKILL
    finally:
        process.kill()


def test_processes_of_the_system_and_those_that_have_ended_are_waited_for_by_nobody():
    process = subprocess.Popen(["true"])
    wait_until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "Z")
    assert guardian._is_marked(process.pid, b"LAYERWISE_WORKER=any") is False
    process.wait()
    assert guardian._is_marked(process.pid, b"LAYERWISE_WORKER=any") is False
    assert guardian._is_marked(os.getpid(), b"LAYERWISE_WORKER=any") is False
