"""What only a GPU can show: `pytest -m gpu` runs it, and says why it does not where there is none.

What makes sense on a CPU runs there too (slow), so that the code of a test that is skipped is known to work. Everything
is done by real runs of a model that trains in a second, or by gpu_probe.py in a process of its own.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_process import require, run_python
from training_helpers import assert_same_bits, config_of, finish, wait_for

from layerwise import jobs
from layerwise.hardware.slots import num_gpus, visible_devices
from layerwise.runs import RunStore

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NETWORKS = {"dense": {}, "convolutional": {"filters": 8}, "transformer": {"heads": 2}}
ON_EITHER = [pytest.param("cpu", marks=pytest.mark.slow), pytest.param("gpu", marks=pytest.mark.gpu)]
ENDLESS = {"num_epochs": 10_000}


@functools.cache
def gpus_seen_by(backend, slots=()):
    """How many GPUs a process sees: all of the machine, or those of its slots."""
    code = "import json; from layerwise.devices import describe; print(json.dumps(describe()))"
    done = run_python(code, KERAS_BACKEND=backend, **(visible_devices(slots) if slots else {}))
    assert done.returncode == 0, done.stderr[-3000:]
    return sum(device["kind"] == "GPU" for device in json.loads(done.stdout.splitlines()[-1]))


def lacking(backend, count):
    """Why a test on `count` GPUs cannot run, empty when it can. It is no failure, in CI neither."""
    if num_gpus() == 0:
        return "there is no NVIDIA GPU here"
    if num_gpus() < count:
        return f"there are fewer than {count} NVIDIA GPUs here"
    if importlib.util.find_spec(backend) is None:
        return f"{backend} is not installed"
    if gpus_seen_by(backend) < count:
        return f"{backend} is installed without support for NVIDIA GPUs"
    return ""


@pytest.fixture
def need(request):
    """`need("torch")`: the test is skipped unless that backend can be used on the device that it is marked for."""
    gpu = request.node.get_closest_marker("gpu")

    def need(backend):
        if gpu is None:
            require(backend)
        elif reason := lacking(backend, gpu.kwargs.get("count", 1)):
            pytest.skip(reason)

    return need


@pytest.fixture(params=["tensorflow", "jax", "torch"])
def backend(request, need, monkeypatch):
    """The backend of the processes that the test starts."""
    need(request.param)
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    return request.param


@pytest.fixture
def start(runs, spec):
    """`start("gpu", num_epochs=3)`: a run on that device with these settings."""

    def start(device, runs=runs, **settings):
        return jobs.start(runs, spec, config=config_of(spec, **settings), device=device)

    return start


@pytest.fixture
def usage(monkeypatch):
    """What the driver says of a GPU: see benchmarks/cards.py."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cards

    return cards.usage


def probe(name, device):
    """What a function of gpu_probe.py finds on a device."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("gpu_probe.py")), name, device],
        env={**os.environ, **visible_devices(("cpu" if device == "cpu" else "gpu0",)), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def finished(run):
    """The epochs of a run, which must end well."""
    last = finish(run, seconds=280)[-1]
    assert last["event"] == "finished", f"{last}\n{run.log_text()[-3000:]}"
    return run.history()


def starts_of(run):
    return [event for event in run.events() if event["event"] == "started"]


@pytest.mark.parametrize(
    ("device", "precision"),
    [
        pytest.param("cpu", "mixed_bfloat16", marks=pytest.mark.slow),
        pytest.param("gpu", "float32", marks=pytest.mark.gpu),
        pytest.param("gpu", "mixed_bfloat16", marks=pytest.mark.gpu),
        pytest.param("gpu", "mixed_float16", marks=pytest.mark.gpu),
    ],
)
@pytest.mark.parametrize(
    "network",
    [pytest.param(name, marks=[] if name == "dense" else pytest.mark.long) for name in NETWORKS],
)
def test_every_network_learns_what_it_learns_on_a_cpu(start, backend, network, device, precision):
    settings = {**NETWORKS[network], "num_epochs": 20, "learning_rate": 0.003}
    run, reference = start(device, precision=precision, **settings), start("cpu", **settings)
    epochs, expected = finished(run), finished(reference)
    # They begin with the same weights and batches, so what 16 bits or the GPU round shows little at first.
    assert epochs[0]["loss"] == pytest.approx(expected[0]["loss"], rel=0.1)
    assert expected[-1]["val_accuracy"] > 0.95
    assert epochs[-1]["val_accuracy"] == pytest.approx(expected[-1]["val_accuracy"], abs=0.05)


@pytest.mark.parametrize("device", ON_EITHER)
def test_a_gradient_that_overflows_is_skipped_and_halves_the_scale(backend, device):
    found = probe("overflow", device)
    assert found["scales"] == [2.0**15, 2.0**14, 2.0**14]
    assert found["changed"][0] == 0
    assert found["changed"][1] > 0


@pytest.mark.parametrize(
    ("device", "deterministic", "backend"),
    [
        # Not TensorFlow: test_resume.py kills that.
        *(pytest.param("cpu", True, name, marks=pytest.mark.slow) for name in ("jax", "torch")),
        *(
            pytest.param("gpu", deterministic, name, marks=pytest.mark.gpu)
            for name in ("tensorflow", "jax", "torch")
            for deterministic in (True, False)
        ),
    ],
    indirect=["backend"],
)
@pytest.mark.parametrize("network", ["dense", pytest.param("convolutional", marks=pytest.mark.long)])
def test_a_killed_run_goes_on(start, backend, processes, home, network, device, deterministic):
    # PyTorch takes a step at a time, and on a CPU many times as long for it.
    epochs = 40 if (backend, device) == ("torch", "cpu") else 150
    settings = {"num_epochs": epochs, "dropout": 0.3, "checkpoint_minutes": 0.0, "deterministic": deterministic}
    settings |= NETWORKS[network]
    run = start(device, **settings)
    checkpoints = (event for event in jobs.follow(run, poll=0.01) if event["event"] == "checkpoint")
    assert next(event["epoch"] for event in checkpoints if event["epoch"] > 1) < epochs, "it ended before it was killed"
    processes[-1].kill()
    processes[-1].wait()
    assert run.state == "failed"
    jobs.resume(run)
    assert [event["epoch"] for event in finished(run)] == list(range(1, epochs + 1))
    second = starts_of(run)[1]
    assert second["epoch"] > 1
    if deterministic:
        reference = start(device, RunStore(home.with_name("other")), **settings)
        finished(reference)
        assert_same_bits(run, reference)


@pytest.mark.parametrize(
    ("device", "backend"),
    [
        # Not JAX, which begins to fill what a CPU cannot hold until the system kills it.
        *(pytest.param("cpu", name, marks=pytest.mark.slow) for name in ("tensorflow", "torch")),
        *(pytest.param("gpu", name, marks=pytest.mark.gpu) for name in ("tensorflow", "jax", "torch")),
    ],
    indirect=["backend"],
)
def test_a_network_that_no_memory_holds_is_refused_in_a_sentence(start, backend, device):
    run = start(device, hidden_units=(2**20, 2**30))
    assert finish(run)[-1]["event"] == "failed"
    assert run.reason.startswith("The device's memory ran out"), run.reason
    assert "smaller batch_size or network" in run.reason


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ResourceExhaustedError", "{{function_node __f}} OOM when allocating tensor with shape[8,8] and type float"),
        (
            "ResourceExhaustedError",
            "Graph execution error:\n\nDetected at node a:\nOut of memory while trying to allocate 9",
        ),
        ("InternalError", "cudaSetDevice() on GPU:0 failed. Status: out of memory"),
        (
            "JaxRuntimeError",
            "RESOURCE_EXHAUSTED: Failed to allocate request for 2.0GiB (2147483648B) on device ordinal 0",
        ),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB"),
        ("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        ("RuntimeError", "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_what_each_backend_says_of_its_memory_is_understood(kind, message):
    reason = jobs.sentence_of(type(kind, (Exception,), {})(message))
    assert reason.startswith("The device's memory ran out (")
    assert "{{" not in reason
    assert reason.endswith("What to do: use a smaller batch_size or network.")


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert jobs.sentence_of(ValueError("there is no room")) == "An unexpected ValueError: there is no room"


@pytest.mark.gpu
def test_memory_that_runs_out_in_a_step_is_said_in_a_sentence(start, backend, usage):
    # What the wide layers give must be kept until the backward pass: two gigabytes each, and twice the card in all.
    batch, width = 512, 2**20
    layers = 2 * usage("gpu0")["memory_total"] // (4 * batch * width)
    run = start("gpu", hidden_units=(width, 16) * layers, batch_size=batch, validation_fraction=0.0)
    assert finish(run, seconds=280)[-1]["event"] == "failed"
    assert run.reason.startswith("The device's memory ran out"), run.reason


@pytest.mark.gpu
def test_a_run_takes_the_memory_that_it_needs_and_not_the_card(start, backend, usage):
    before = usage("gpu0")
    run = start("gpu:0", **ENDLESS)
    wait_for(run, "progress")
    during = usage("gpu0")
    run.request_stop()
    finish(run)
    # CUDA and its libraries take up to two gigabytes; a backend that takes all that it may takes three quarters.
    assert 0 < during["memory_used"] - before["memory_used"] < max(2**31, 0.25 * during["memory_total"])


@pytest.mark.parametrize("device", ON_EITHER)
def test_tensorflow_and_torch_share_a_device_in_one_process(need, monkeypatch, device):
    for name in ("tensorflow", "torch"):
        need(name)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    found = probe("sharing", device)
    assert found["place"] == ("cuda" if device == "gpu" else "cpu")
    assert found["gradient"] > 0
    assert found["losses"][1] < found["losses"][0]
    assert found["free"] > 0.5


@pytest.mark.parametrize("device", ON_EITHER)
def test_tensorflow_and_torch_share_a_device_in_two_processes(start, need, monkeypatch, device):
    monkeypatch.setenv("LAYERWISE_JOBS_PER_DEVICE", "2")
    found = []
    for name in ("tensorflow", "torch"):
        need(name)
        monkeypatch.setenv("KERAS_BACKEND", name)
        found.append(start(device if device == "cpu" else "gpu:0", **ENDLESS))
    for run in found:
        wait_for(run, "progress")
    assert [run.state for run in found] == ["running", "running"]
    for run in found:
        run.request_stop()
        assert finish(run)[-1]["event"] == "stopped"


@pytest.mark.parametrize("device", ON_EITHER)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"], indirect=True)
def test_xla_is_chosen_by_what_was_measured(start, backend, device, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    run = start(device, num_epochs=1, **NETWORKS["transformer"])
    finished(run)
    [file] = (tmp_path / "cache" / "compilers").iterdir()
    found = json.loads(file.read_text(encoding="utf-8"))
    seconds = found["seconds_per_step"]
    assert found["xla"] == (seconds["true"] < seconds["false"])
    assert starts_of(run)[0]["compiler"] == ("xla" if found["xla"] else "graph")


@pytest.mark.parametrize(
    ("slot", "count"),
    [
        pytest.param("cpu", 0, marks=pytest.mark.slow),
        pytest.param("gpu0", 1, marks=pytest.mark.gpu),
        pytest.param("gpu1", 1, marks=pytest.mark.gpu(count=2)),
    ],
)
def test_a_process_sees_the_gpu_of_its_slot_and_no_other(backend, slot, count):
    assert gpus_seen_by(backend, (slot,)) == count


@pytest.mark.gpu(count=2)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"], indirect=True)
def test_all_gpus_together_take_the_steps_of_one(start, backend):
    batch_size = 16 * num_gpus()
    one, every = (start(device, batch_size=batch_size, num_epochs=3) for device in ("gpu:0", "all"))
    expected = finished(one)
    assert finished(every)[0]["loss"] == pytest.approx(expected[0]["loss"], rel=1e-3)
    assert [starts_of(run)[0]["replicas"] for run in (one, every)] == [1, num_gpus()]


@pytest.mark.gpu(count=2)
def test_two_runs_train_at_once_on_a_gpu_each(start, backend, usage):
    before = [usage(slot)["memory_used"] for slot in ("gpu0", "gpu1")]
    found = [start(device, **ENDLESS) for device in ("gpu:0", "gpu:1")]
    for run in found:
        wait_for(run, "progress")
    assert [run.state for run in found] == ["running", "running"]
    during = [usage(slot)["memory_used"] for slot in ("gpu0", "gpu1")]
    for run in found:
        run.request_stop()
        assert finish(run)[-1]["event"] == "stopped"
    assert all(now > former for former, now in zip(before, during, strict=True))


def test_what_the_driver_says_is_read(usage, tmp_path, monkeypatch):
    command = tmp_path / "nvidia-smi"
    command.write_text(
        "#!/bin/sh\ncase $* in *name,*) echo 'NVIDIA L4, 23034';; *--id=0*) echo '1024, 23034, 37';; esac\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert usage("gpu0") == {"memory_used": 2**30, "memory_total": 23034 * 2**20, "utilization": 37}
