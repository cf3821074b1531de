import pytest

from layerwise.hardware import accelerators
from layerwise.hardware.advice import advice

CPU = {"name": "a processor", "kind": "CPU", "memory": None, "compute_capability": None}
GPU = {"name": "NVIDIA H100", "kind": "GPU", "memory": None, "compute_capability": "9.0"}


def effects(*arguments):
    return {row["setting"]: row["effect"] for row in advice(*arguments)}


def test_without_a_gpu_words_that_need_one_are_refused(monkeypatch):
    monkeypatch.setattr(accelerators, "cpu_flags", frozenset)  # of a processor that multiplies in 32 bits
    found = effects([CPU], 0, "tensorflow")
    assert found["--device auto"] == found["--device cpu"] == "Trains on the processor, one run at a time."
    assert found["--device gpu"] == found["--device all"] == "Refused: there is no NVIDIA GPU on this machine."
    assert "a processor" in found["--precision float32"]
    assert "Not needed" in found["--deterministic"]


def test_with_gpus_each_word_says_which_it_takes():
    found = effects([CPU, GPU], 2, "tensorflow")
    assert "each of 2 GPUs" in found["--device auto"]
    assert "multiple of 2" in found["--device all"]
    assert "NVIDIA H100" in found["--precision mixed_bfloat16"]
    assert "Measures" in found["--compiler auto"]
    assert "Slower" in found["--deterministic"]


def test_an_accelerator_of_another_make_is_taken_by_auto():
    tpu = {"name": "TPU v5e", "kind": "TPU", "memory": None, "compute_capability": None}
    assert "TPU v5e" in effects([CPU, tpu], 0, "jax")["--device auto"]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_what_a_backend_cannot_do_is_said(backend):
    found = effects([CPU, GPU], 2, backend)
    assert found["--cluster ADDRESS --workers N"].startswith("Refused")
    assert found["--device all"].startswith("Refused") == (backend == "torch")
