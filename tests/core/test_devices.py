import sys
import textwrap

import pytest
from fresh_process import require, run_python

from layerwise import devices
from layerwise.errors import DeviceError, MissingDependencyError


def test_prepare_sets_the_precision_and_describes_the_devices():
    import keras

    try:
        found = devices.prepare("mixed_bfloat16")
        assert keras.config.dtype_policy().compute_dtype == "bfloat16"
    finally:
        devices.prepare("float32")
    assert keras.config.dtype_policy().name == "float32"
    assert found == devices.describe()
    assert found[0]["kind"] == "CPU"
    assert found[0]["name"]


@pytest.mark.parametrize(
    ("flags", "precision"), [({"avx2"}, "float32"), ({"avx2", "amx_bf16"}, "mixed_bfloat16"), (set(), "float32")]
)
def test_a_processor_computes_in_16_bits_where_it_can_multiply_them(monkeypatch, flags, precision):
    import keras

    if any(device["kind"] != "CPU" for device in devices.describe()):
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr("layerwise.hardware.accelerators.cpu_flags", lambda: frozenset(flags))
    try:
        devices.prepare("auto")
        assert keras.config.dtype_policy().name == precision
    finally:
        devices.prepare("float32")


def test_the_precision_of_one_thing_is_not_that_of_the_next():
    import keras

    with devices.own_precision():
        devices.prepare("mixed_bfloat16")
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.layers.Dense(1).compute_dtype == "float32"


@pytest.mark.parametrize("values", [{"precision": "int4"}, {"device": "abacus"}])
def test_prepare_refuses_what_it_does_not_know(values):
    with pytest.raises(DeviceError, match=f"Expected: .*Received: '{next(iter(values.values()))}'"):
        devices.prepare(**values)


def test_a_gpu_that_is_not_there_is_one_clear_sentence():
    if any(device["kind"] == "GPU" for device in devices.describe()):
        pytest.skip("this machine has a GPU")
    for word in ("gpu", "gpu:1", "all"):
        with pytest.raises(DeviceError, match=rf"no NVIDIA GPU .*'{word}'.*layerwise\[gpu\]"):
            devices.prepare(device=word)


DETERMINISTIC = """
    from layerwise.devices import prepare
    prepare(device="{device}", deterministic=True)
    import keras
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf
        try:
            tf.random.normal((2,))  # without a seed: the one thing that determinism refuses everywhere
        except RuntimeError:
            print("settled")
    elif backend == "torch":
        import torch
        print("settled" if torch.are_deterministic_algorithms_enabled() else "free")
    else:
        import os
        print("settled" if "--xla_gpu_deterministic_ops=true" in os.environ["XLA_FLAGS"].split() else "free")
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    print(model(keras.ops.ones((2, 4))).shape[1])  # the flags are ones that the backend knows
"""


@pytest.mark.slow
@pytest.mark.parametrize("device", ["auto", "cpu"])
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_determinism_is_asked_of_each_backend(backend, device):
    require(backend)
    done = run_python(DETERMINISTIC.format(device=device), KERAS_BACKEND=backend)
    assert done.stdout.split() == ["settled", "3"], done.stderr


@pytest.mark.slow
def test_without_determinism_nothing_is_refused():
    done = run_python(
        "from layerwise.devices import prepare; prepare(); import tensorflow as tf; tf.random.normal((2,))"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("kind", "capability", "precision"),
    [
        ("GPU", "9.0", "mixed_bfloat16"),
        ("GPU", "8.0", "mixed_bfloat16"),
        ("GPU", "12.0", "mixed_bfloat16"),
        ("GPU", "7.5", "mixed_float16"),
        ("GPU", "6.1", "float32"),
        ("GPU", None, "float32"),
        ("TPU", None, "mixed_bfloat16"),
    ],
)
def test_the_precision_follows_what_a_device_can_multiply(kind, capability, precision):
    from layerwise.hardware.accelerators import precision_for

    device = {"name": "a device", "kind": kind, "memory": None, "compute_capability": capability}
    chosen, reason = precision_for(device)
    assert chosen == precision
    assert reason.endswith(".")


@pytest.mark.slow
def test_quiet_import_from_many_threads_writes_nothing():
    done = run_python("""
        import threading
        from layerwise.devices import quiet_import
        found = []
        threads = [threading.Thread(target=lambda: found.append(quiet_import())) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(len(found), len(set(map(id, found))), found[0].__name__)
    """)
    assert done.stdout.strip() == "8 1 keras"
    assert done.stderr == ""


FAKE_KERAS = """
    import os, sys
    os.write(2, b"2026-11-24 02:00:00.123456: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:31] no GPU\\n")
    os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
    os.write(2, b"I0000 00:00:1764000000.123456   4711 port.cc:153] oneDNN custom operations are on.\\n")
    print("a thread has something to say", file=sys.stderr)
    {ending}
"""


def test_what_others_write_during_the_import_is_kept(tmp_path):
    (tmp_path / "keras.py").write_text(textwrap.dedent(FAKE_KERAS.format(ending="")))
    done = run_python("from layerwise.devices import quiet_import; quiet_import()", PYTHONPATH=str(tmp_path))
    assert done.stderr == "a thread has something to say\n"


def test_when_the_import_fails_everything_is_shown(tmp_path):
    (tmp_path / "keras.py").write_text(textwrap.dedent(FAKE_KERAS.format(ending="raise ImportError('broken')")))
    done = run_python("from layerwise.devices import quiet_import; quiet_import()", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "cudart_stub" in done.stderr
    assert "ImportError: broken" in done.stderr


def test_a_backend_that_is_not_installed_is_named_with_its_remedy(tmp_path, monkeypatch):
    (tmp_path / "keras.py").write_text("raise ModuleNotFoundError('no jax', name='jax')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(MissingDependencyError, match=r'pip install "layerwise\[jax\]"'):
        devices.quiet_import()


def test_a_process_without_standard_error_can_import(tmp_path):
    (tmp_path / "keras.py").write_text("backend = None")
    done = run_python(
        "import os; os.close(2); from layerwise.devices import quiet_import; print(quiet_import().__name__)",
        PYTHONPATH=str(tmp_path),
    )
    assert done.stdout.strip() == "keras"
