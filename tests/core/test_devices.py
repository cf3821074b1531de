import sys
import textwrap

import pytest
from fresh_process import run_python

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


@pytest.mark.parametrize("values", [{"precision": "int4"}, {"device": "abacus"}])
def test_prepare_refuses_what_it_does_not_know(values):
    with pytest.raises(DeviceError, match=f"Expected: .*Received: '{next(iter(values.values()))}'"):
        devices.prepare(**values)


def test_a_gpu_that_is_not_there_is_one_clear_sentence():
    if any(device["kind"] == "GPU" for device in devices.describe()):
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match=r"no GPU .*layerwise\[gpu\]"):
        devices.prepare(device="gpu")


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
