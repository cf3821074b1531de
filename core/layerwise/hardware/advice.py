"""What each setting of a training would do on this machine, in words, for `layerwise doctor`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.errors import DeviceError
from layerwise.hardware.slots import parse_device, slots_of

Advice = dict[str, str]


def advice(devices: Sequence[Mapping[str, Any]], num_gpus: int, backend: str) -> list[Advice]:
    """What the settings of `layerwise train` would do here.

    Args:
        devices: What `layerwise.devices.describe` gives.
        num_gpus: The NVIDIA GPUs that runs may take (`layerwise.hardware.slots`).
        backend: That of Keras.

    Returns:
        For each: `setting` as it is written on the command line, and `effect`, a sentence.
    """
    return [
        *(
            _row(f"--device {word}", _device(word, devices, num_gpus, backend))
            for word in ("auto", "cpu", "gpu", "all")
        ),
        *(_row(f"--precision {name}", effect) for name, effect in _precisions(devices)),
        _row("--compiler auto", _compiler(devices, backend)),
        _row("--deterministic", _determinism(num_gpus)),
        _row("--cluster ADDRESS --workers N", _cluster(backend)),
    ]


def _row(setting: str, effect: str) -> Advice:
    return {"setting": setting, "effect": effect}


def _device(word: str, devices: Sequence[Mapping[str, Any]], num_gpus: int, backend: str) -> str:
    try:
        alternatives = slots_of(parse_device(word), num_gpus)
    except DeviceError as error:
        return f"Refused: {error.what[0].lower()}{error.what[1:]}."
    if word == "all" and num_gpus > 1 and backend == "torch":
        return "Refused: with PyTorch a training uses one GPU."
    if alternatives == (("cpu",),):
        other = next((device["name"] for device in devices if device["kind"] != "CPU"), None)
        if word == "auto" and other:
            return f"Trains on {other}; its memory is taken as it is needed."
        return "Trains on the processor, one run at a time."
    if word == "all":
        return f"One run on {num_gpus} GPUs; batch_size must be a multiple of {num_gpus}."
    each = "on the GPU" if num_gpus == 1 else f"on each of {num_gpus} GPUs"
    return f"One run at a time {each}; memory is taken as it is needed."


def _precisions(devices: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    from layerwise.hardware.accelerators import precision_for

    found: dict[str, list[str]] = {}
    for device in devices:
        name, reason = precision_for(device)
        found.setdefault(name, []).append(f"Suits {device['name']}. {reason}")
    return [(name, " ".join(dict.fromkeys(reasons))) for name, reasons in found.items()]


def _compiler(devices: Sequence[Mapping[str, Any]], backend: str) -> str:
    if backend == "torch":
        return "PyTorch runs each step as it is."
    if any(device["kind"] != "CPU" for device in devices):
        return "Measures the first steps with XLA and without, once for each network, and keeps the faster."
    return "XLA for dense networks, none for convolutions; other networks are measured once, the faster way is kept."


def _determinism(num_gpus: int) -> str:
    if num_gpus:
        return "Slower on a GPU; operations without a deterministic form are refused."
    return "Not needed on a processor: there the same seed gives the same weights anyway."


def _cluster(backend: str) -> str:
    if backend != "tensorflow":
        return f"Refused: a cluster trains with TensorFlow, and the backend is {backend}."
    if importlib.util.find_spec("ray") is None:
        return 'Needs Ray: pip install "layerwise[cluster]".'
    return "Ray shares the batches among the workers; ADDRESS local starts them on this machine."
