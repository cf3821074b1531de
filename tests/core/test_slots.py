import pytest
from fresh_process import run_python

from layerwise.errors import DeviceError
from layerwise.hardware import slots
from layerwise.hardware.slots import Device, parse_device, slots_of, visible_devices


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """`machine(2)`: a machine whose driver lists two GPUs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def make(count, **environment):
        command = tmp_path / "nvidia-smi"
        command.write_text("#!/bin/sh\n" + "echo 'NVIDIA L4, 23034'\n" * count)
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return make


@pytest.mark.parametrize("word", ["auto", "cpu", "gpu", "gpu:0", "gpu:12", "all"])
def test_a_device_word_reads_back_as_itself(word):
    assert str(parse_device(word)) == word
    assert str(parse_device(f" {word.upper()} ")) == word


@pytest.mark.parametrize("word", ["", "tpu", "gpu:", "gpu:-1", "gpu:one", "gpu0", "cpu:0", "gpu:0,1", "all:1"])
def test_other_words_are_refused_with_those_that_there_are(word):
    with pytest.raises(DeviceError, match=r"not known.*auto, cpu, gpu .*all"):
        parse_device(word)


@pytest.mark.parametrize("word", ["gpu", "gpu:0", "all"])
def test_a_gpu_on_a_machine_without_one_is_one_clear_sentence(word):
    with pytest.raises(DeviceError, match=r"no NVIDIA GPU on this machine.*auto"):
        parse_device(word, num_gpus=0)
    with pytest.raises(DeviceError, match="no NVIDIA GPU on this machine"):
        slots_of(parse_device(word), 0)


def test_a_number_beyond_the_last_gpu_says_which_there_are():
    with pytest.raises(DeviceError, match=r"no such GPU.*gpu:0 to gpu:1.*'gpu:2'"):
        parse_device("gpu:2", num_gpus=2)
    with pytest.raises(DeviceError, match=r"Expected: gpu:0\. Received: 'gpu:1'"):
        slots_of(Device("gpu", 1), 1)


def test_what_is_there_is_not_refused():
    assert parse_device("gpu:1", num_gpus=2) == Device("gpu", 1)
    assert parse_device("auto", num_gpus=0) == Device("auto")
    assert parse_device("cpu", num_gpus=0) == Device("cpu")


@pytest.mark.parametrize(
    ("word", "num_gpus", "alternatives"),
    [
        ("cpu", 2, [["cpu"]]),
        ("auto", 0, [["cpu"]]),
        ("auto", 2, [["gpu0"], ["gpu1"]]),
        ("gpu", 2, [["gpu0"], ["gpu1"]]),
        ("gpu:1", 2, [["gpu1"]]),
        ("all", 3, [["gpu0", "gpu1", "gpu2"]]),
    ],
)
def test_slots_of_a_device(word, num_gpus, alternatives):
    assert slots_of(parse_device(word), num_gpus) == tuple(map(tuple, alternatives))


def test_a_process_sees_the_gpus_of_its_slots(machine):
    machine(4)
    assert slots.num_gpus() == 4
    assert visible_devices(("gpu1", "gpu3")) == {"CUDA_VISIBLE_DEVICES": "1,3", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert visible_devices(("cpu",))["CUDA_VISIBLE_DEVICES"] == "-1"


def test_gpus_that_a_scheduler_kept_back_are_not_taken(machine):
    machine(4, CUDA_VISIBLE_DEVICES="2, 3")
    assert slots.num_gpus() == 2
    assert visible_devices(("gpu1",)) == {"CUDA_VISIBLE_DEVICES": "3"}


@pytest.mark.parametrize(
    ("variable", "count"), [("", 0), ("-1", 0), ("0,7,1", 1), ("GPU-1f2e,GPU-3d4c", 2), ("1,-1,0", 1)]
)
def test_the_variable_is_read_as_cuda_reads_it(machine, variable, count):
    machine(2, CUDA_VISIBLE_DEVICES=variable)
    assert slots.num_gpus() == count


def test_a_machine_without_a_driver_has_no_gpus_whatever_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert slots.num_gpus() == 0


def test_slots_imports_nothing_heavy():
    done = run_python("""
        import sys
        import layerwise.hardware.slots
        print([name for name in ("keras", "tensorflow", "numpy", "jax", "torch") if name in sys.modules])
    """)
    assert done.stdout.strip() == "[]", done.stderr
