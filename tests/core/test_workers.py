"""Models of strangers answer in processes of their own, and in no other way than in this one."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from worker_helpers import FAULTS, mark_of, marked, opened, wait_until

from layerwise.errors import InputError, LayerwiseError
from layerwise.plots import LinePlot
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.tasks.annotations import AnnotatedPicture
from layerwise.workers.limits import Limits, is_isolating, limits
from layerwise.workers.memory import memory_of
from layerwise.workers.runner import WorkerRunner

TOY = FAULTS.with_name("toy")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("home")) as workspace:
        yield workspace


def turned(workspace, value, how="same", session=None):
    return workspace.predictor.predict("steady/turn", {"value": value, "how": how}, session)


def process_of(workspace):
    return turned(workspace, "abc", "back")["process"]


# --- answers ---


def test_a_strangers_model_answers_in_another_process_always_the_same(workspace):
    answer = turned(workspace, "abc", "back")
    assert answer["value"] == "cba"
    assert answer["process"] != os.getpid()
    assert process_of(workspace) == answer["process"]
    with workspace.predictor.using("steady/turn") as loaded:
        assert isinstance(loaded.runner, WorkerRunner)
        assert loaded.runner.model is None


def test_without_isolation_it_answers_in_this_one(tmp_path):
    with opened(tmp_path, ISOLATION="off") as workspace:
        assert process_of(workspace) == os.getpid()


def test_models_that_are_built_in_are_not_isolated(workspace):
    runners = workspace.predictor._runners
    snapshot = workspace.registry.snapshot()
    assert {spec.name for spec in snapshot.models.values() if runners.isolates(spec)} == {
        "faulty/echo",
        "faulty/learn",
        "steady/turn",
    }


VALUES = {
    "text": "ein Wörtchen",
    "numbers": [1, 2.5, True, None, float("inf"), 2**70, 1 + 2j],
    "bytes": b"\x00\xff" * 10,
    "path": Path("a") / "b.png",
    "mapping": {"a": {"b": (1, 2)}, 3: {4, 5}},
    "array": np.arange(12, dtype=np.float32).reshape(3, 4),
    "integers": np.arange(3, dtype=np.uint8)[::-1],
    "names": np.array(["a", "bc"]),
    "scalar": np.float32(0.5),
    "sound": (16_000, np.zeros(8, np.float32)),
    "objects": np.array([{"a": 1}, None], dtype=object),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_come_back_as_they_went(workspace, name):
    value, back = VALUES[name], turned(workspace, VALUES[name])["value"]
    assert type(back) is type(value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype
        assert back.tolist() == value.tolist()
        assert back.flags.writeable
    elif name == "sound":
        assert back[0] == 16_000
        assert np.array_equal(back[1], value[1])
    else:
        assert back == value


def test_pictures_come_back_as_they_went(workspace, tmp_path):
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "picture.jpg")
    for picture in (Image.new("RGBA", (3, 2), "red"), Image.open(tmp_path / "picture.jpg")):
        back = turned(workspace, picture)["value"]
        assert isinstance(back, Image.Image)
        assert (back.mode, back.size, back.tobytes()) == (picture.mode, picture.size, picture.tobytes())


def test_large_values_come_whole(workspace):
    value = np.random.default_rng(0).random((1500, 1000))
    assert np.array_equal(turned(workspace, value)["value"], value)


def test_plots_and_pictures_with_boxes_are_those_of_layerwise(workspace):
    value = turned(workspace, "", "plots")["value"]
    assert isinstance(value["plot"][0], LinePlot)
    assert value["plot"][0].lines[0].x.tolist() == [0, 1, 2]
    assert isinstance(value["boxes"], AnnotatedPicture)
    assert value["boxes"].as_text() == "thing: 1"


def test_an_error_of_a_plugins_own_kind_is_the_nearest_of_layerwise(workspace):
    with pytest.raises(InputError) as caught:
        turned(workspace, 7, "refuse")
    assert type(caught.value) is InputError
    assert str(caught.value) == "This cannot be turned. Expected: a text. Received: 7. What to do: give another one."


def test_an_input_that_cannot_be_sent_is_an_error_and_nothing_ends(workspace):
    process = process_of(workspace)
    with pytest.raises(LayerwiseError, match="The input holds something that cannot leave its process"):
        turned(workspace, lambda: None)
    assert process_of(workspace) == process


def test_several_inputs_and_encoded_examples(workspace):
    batch = workspace.predictor.predict_batch("steady/turn", [{"value": "ab"}, {"value": "cd"}])
    assert [answer["value"] for answer in batch] == ["ba", "dc"]
    with workspace.predictor.using("steady/turn") as loaded:
        assert loaded.runner.outputs(np.ones(3)).tolist() == [2, 2, 2]


def test_what_is_registered_is_known_there(workspace):
    assert turned(workspace, "", "models")["value"] == sorted(workspace.registry.snapshot().models)


def test_threads_that_ask_at_the_same_time_are_answered_at_the_same_time(workspace):
    process_of(workspace)
    begin = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: turned(workspace, 0.5 + number / 100, "wait")["value"], range(8)))
    assert answers == [0.5 + number / 100 for number in range(8)]
    assert time.monotonic() - begin < 3


# --- streams and sessions ---


def stream(workspace, value, how="letters", session=None, cancelled=None):
    inputs = {"value": value, "how": how}
    return workspace.predictor.stream("steady/turn", inputs, session=session, cancelled=cancelled)


def test_parts_come_one_after_the_other(workspace):
    assert [part["value"] for part in stream(workspace, "abc")] == ["a", "ab", "abc"]
    assert turned(workspace, "abc", "letters")["value"] == "abc"


def test_a_stream_that_is_left_ends_there_before_the_next_request(workspace):
    parts = stream(workspace, "abcdef", session="ann")
    assert next(parts)["value"] == "a"
    parts.close()
    assert turned(workspace, "", "note", "ann")["value"] == "left off, cancelled"


def test_a_stream_can_be_cancelled_while_it_is_waited_for(workspace):
    cancelled = threading.Event()
    parts = stream(workspace, "a" * 1000, "slow", session="bob", cancelled=cancelled)
    next(parts)
    threading.Timer(0.3, cancelled.set).start()
    assert len(list(parts)) < 20
    assert turned(workspace, "", "note", "bob")["value"] == "left off, cancelled"


def test_a_mistake_in_the_middle_of_a_stream(workspace):
    parts = stream(workspace, "abc", "breaks")
    assert next(parts)["value"] == "a"
    with pytest.raises(LayerwiseError, match="ZeroDivisionError: in the middle"):
        next(parts)


def test_sessions_are_kept_apart_and_end(workspace):
    list(stream(workspace, "ab", session="ann"))
    assert turned(workspace, "", "note", "ann")["value"] == "left off, not cancelled"
    assert turned(workspace, "", "note", "eve")["value"] == "nothing"
    workspace.predictor.end_session("ann")
    wait_until(lambda: turned(workspace, "", "note", "ann")["value"] == "nothing")


# --- its process ---


@on_linux
def test_a_process_that_was_killed_is_started_again_by_the_next_request(workspace):
    process = process_of(workspace)
    os.kill(process, signal.SIGKILL)
    with workspace.predictor.using("steady/turn") as loaded:
        wait_until(lambda: loaded.runner._worker.death)
    assert process_of(workspace) != process


@on_linux
def test_it_ends_with_its_plugin(tmp_path):
    with opened(tmp_path) as workspace:
        process = process_of(workspace)
        workspace.registry.set_enabled("steady", False)
        wait_until(lambda: not marked(mark_of(workspace)))
        workspace.registry.set_enabled("steady", True)
        assert process_of(workspace) != process


@on_linux
def test_a_plugin_that_was_changed_answers_as_it_is_now(tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    code = (FAULTS / "steady.py").read_text(encoding="utf-8").replace("steady/turn", "changing/turn")
    (folder / "changing.py").write_text(code, encoding="utf-8")
    with opened(tmp_path, PLUGINS="") as workspace:
        asked = {"value": "abc", "how": "back"}
        assert workspace.predictor.predict("changing/turn", asked)["value"] == "cba"
        (folder / "changing.py").write_text(code.replace("value[::-1]", "value.upper()"), encoding="utf-8")
        workspace.registry.check()
        assert workspace.predictor.predict("changing/turn", asked)["value"] == "ABC"


@on_linux
def test_no_process_outlives_a_parent_that_was_killed(tmp_path):
    code = f"""
        import os, signal, sys, threading, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from worker_helpers import mark_of, opened
        from pathlib import Path

        with opened(Path({str(tmp_path)!r})) as workspace:
            workspace.predictor.predict("steady/turn", "abc")
            inputs = {{"text": "a", "fault": "gil-with-others", "place": "run"}}
            threading.Thread(target=workspace.predictor.predict, args=("faulty/echo", inputs), daemon=True).start()
            print(mark_of(workspace), flush=True)
            time.sleep(60)
    """
    host = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    mark = host.stdout.readline().strip()
    # The two workers, and two processes that one of them has started before it held its interpreter.
    wait_until(lambda: len(marked(mark)) == 4, seconds=60)
    host.kill()
    host.wait()
    wait_until(lambda: not marked(mark))


@on_linux
def test_a_worker_without_a_network_starts_within_a_second_or_so(workspace):
    """Measured in its own processor time: the machine may be busy."""
    process = process_of(workspace)
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    assert (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK") < 1.5
    maps = Path(f"/proc/{process}/maps").read_text()
    assert "tensorflow" not in maps


@on_linux
def test_the_system_is_to_end_a_worker_first(workspace):
    assert Path(f"/proc/{process_of(workspace)}/oom_score_adj").read_text().strip() == "900"


@on_linux
def test_a_request_that_meets_a_dying_process_is_answered_by_the_next(workspace):
    process_of(workspace)
    with workspace.predictor.using("steady/turn") as loaded:
        worker = loaded.runner._worker
        threading.Thread(target=worker.end, args=("was ended by a test",), kwargs={"with_stack": True}).start()
        wait_until(lambda: worker._verdict)
        assert loaded.runner.run({"value": "ab", "how": "back"}, None, threading.Event())["value"] == "ba"
        assert loaded.runner._worker is not worker


def test_a_worker_that_is_killed_while_plugins_load_blames_none(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_PLUGINS", str(FAULTS))
    Registry(tmp_path, keeps_journal=False).snapshot()
    assert not (tmp_path / "loading").exists()
    Registry(tmp_path).snapshot()
    assert (tmp_path / "loading").exists()


def test_models_are_looked_into_in_this_process(workspace):
    with workspace.predictor.looking_inside("steady/turn") as loaded:
        assert not isinstance(loaded.runner, WorkerRunner)
        assert loaded.runner.run({"value": "ab", "how": "back"}, None, threading.Event())["process"] == os.getpid()
    assert process_of(workspace) != os.getpid()


@on_linux
def test_what_kills_its_process_while_it_is_loaded_is_not_looked_into(tmp_path):
    with (
        opened(tmp_path) as workspace,
        pytest.raises(LayerwiseError, match="segmentation fault"),
        workspace.predictor.looking_inside("faulty/echo:segmentation-fault"),
    ):
        pass


def test_a_closed_workspace_refuses_and_leaves_nobody(tmp_path):
    with opened(tmp_path) as workspace:
        process_of(workspace)
        with workspace.predictor.using("steady/turn") as loaded:
            pass
        mark = mark_of(workspace)
    with pytest.raises(LayerwiseError, match="closed"):
        process_of(workspace)
    with pytest.raises(LayerwiseError, match="closed"):
        loaded.runner.outputs(np.ones(1))
    assert not marked(mark)


# --- limits ---


def test_limits_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("LAYERWISE_ANSWER_SECONDS", "7.5")
    monkeypatch.setenv("LAYERWISE_LOADING_SECONDS", "soon")
    monkeypatch.setenv("LAYERWISE_WORKER_MEMORY", "1.5 GiB")
    monkeypatch.setenv("LAYERWISE_WORKER_THREADS", "3")
    assert limits() == Limits(answer_seconds=7.5, loading_seconds=300, memory=3 * 2**29, threads=3)


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (16, 8)])
def test_no_worker_computes_on_the_whole_machine(monkeypatch, cores, threads):
    monkeypatch.delenv("LAYERWISE_WORKER_THREADS", raising=False)
    monkeypatch.setattr("layerwise.workers.limits.cores", lambda: cores)
    assert limits().threads == threads


@on_linux
def test_a_worker_is_told_with_how_many_threads_it_may_compute(tmp_path, monkeypatch):
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):  # what is said already holds
        monkeypatch.delenv(name, raising=False)
    with opened(tmp_path, WORKER_THREADS="3") as workspace:
        environment = Path(f"/proc/{process_of(workspace)}/environ").read_bytes().split(b"\0")
    assert b"TF_NUM_INTRAOP_THREADS=3" in environment
    assert b"OMP_NUM_THREADS=3" in environment


@pytest.mark.parametrize(("text", "size"), [("800M", 800 * 2**20), ("2g", 2**31), ("1000000", 10**6), ("4KB", 4096)])
def test_sizes(monkeypatch, text, size):
    monkeypatch.setenv("LAYERWISE_WORKER_MEMORY", text)
    assert limits().memory == size


@pytest.mark.parametrize("text", ["", "much", "-1", "0"])
def test_what_is_no_size_is_half_of_the_memory(monkeypatch, text):
    monkeypatch.setattr("layerwise.workers.limits.memory", lambda: 1000)
    monkeypatch.setenv("LAYERWISE_WORKER_MEMORY", text)
    assert limits().memory == 500


@pytest.mark.parametrize(("text", "expected"), [("", True), ("on", True), ("off", False), ("OFF", False), ("0", False)])
def test_isolation_can_be_switched_off(monkeypatch, text, expected):
    monkeypatch.setenv("LAYERWISE_ISOLATION", text)
    assert is_isolating() is expected


@on_linux
def test_the_memory_of_a_process_is_that_of_all_it_has_started():
    code = "import subprocess, sys, time; block = bytearray(b'x') * (100 * 2**20); print('.', flush=True); {then}"
    inner = code.format(then="time.sleep(60)")
    outer = code.format(then=f"subprocess.run([sys.executable, '-c', {inner!r}])")
    with subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        process.stdout.readline()
        assert 200 * 2**20 < memory_of(process.pid) < 300 * 2**20
        os.killpg(process.pid, signal.SIGKILL)
    assert memory_of(process.pid) == 0


# --- networks ---


@pytest.mark.slow
def test_a_network_answers_there_as_here_and_is_looked_into_here(home, monkeypatch):
    monkeypatch.syspath_prepend(str(TOY))  # of this process alone: the worker is told
    import layerwise_toy

    from layerwise import weights
    from layerwise.inspection import open_inspector
    from layerwise.versions import VersionStore

    spec = Registry(home).snapshot().model("toy/bars")
    config = spec.variants[0].config
    model = layerwise_toy.build(config, spec.task)
    run = RunStore(home).create(spec, "small", config)
    record = {"name": spec.name, "variant": "small", "task": spec.task.parameters(), "config": {}}
    weights.save(model, run.folder / "version", record)
    VersionStore(home).promote(spec, run)
    pictures, _ = layerwise_toy.bars(3, seed=0)
    with opened(home) as there, opened(home, ISOLATION="off") as here:
        asked = [{"image": picture} for picture in pictures]
        batches = [workspace.predictor.predict_batch("toy/bars", asked) for workspace in (there, here)]
        for answer, expected in zip(*batches, strict=True):
            assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
        with there.predictor.using("toy/bars") as loaded:
            assert isinstance(loaded.runner, WorkerRunner)
        *_, plots = open_inspector(there, "toy/bars").look("saliency", asked[0])
        assert plots
