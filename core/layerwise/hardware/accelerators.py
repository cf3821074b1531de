"""The devices that Keras' backend sees, and which precision suits each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras

from layerwise.hardware.environment import cpu_flags, cpu_name, memory, nvidia_gpus


def describe() -> list[dict[str, Any]]:
    """The devices that Keras' backend sees.

    Returns:
        For each: `name` as its maker writes it, `kind` ("CPU", "GPU" or "TPU"), `memory` in bytes or None when
        it is not known, and for an NVIDIA GPU its `compute_capability` ("9.0"), None for others.
    """
    backend = keras.backend.backend()
    accelerators = _ACCELERATORS[backend]() if backend in _ACCELERATORS else []
    return [_device(cpu_name(), "CPU", memory()), *accelerators]


def _device(name: str, kind: str, memory: int | None, capability: Any = None) -> dict[str, Any]:
    return {"name": name, "kind": kind, "memory": memory, "compute_capability": capability}


def _tensorflow() -> list[dict[str, Any]]:
    import tensorflow as tf

    found = []
    visible = [device for device in tf.config.get_visible_devices() if device.device_type in ("GPU", "TPU")]
    memories = {gpu["name"]: gpu["memory"] for gpu in nvidia_gpus()} if visible else {}
    for device in visible:
        details = tf.config.experimental.get_device_details(device)
        name = details.get("device_name", device.name)
        capability = ".".join(map(str, details.get("compute_capability", ()))) or None
        found.append(_device(name, device.device_type, memories.get(name), capability))
    return found


def _jax() -> list[dict[str, Any]]:
    import jax

    return [
        _device(
            device.device_kind,
            device.platform.upper(),
            _jax_memory(device),
            getattr(device, "compute_capability", None),
        )
        for device in jax.devices()
        if device.platform != "cpu"
    ]


def _jax_memory(device: Any) -> int | None:
    try:
        return (device.memory_stats() or {}).get("bytes_limit")
    except RuntimeError:  # backends that keep no statistics
        return None


def _torch() -> list[dict[str, Any]]:
    import torch

    if os.environ.get("KERAS_TORCH_DEVICE") == "cpu" or not torch.accelerator.is_available():
        return []
    kind = torch.accelerator.current_accelerator()
    if kind is None or kind.type != "cuda":  # Apple's and Intel's, of which no properties are known
        return [_device(f"GPU ({kind})", "GPU", None)]
    every = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    return [_device(item.name, "GPU", item.total_memory, f"{item.major}.{item.minor}") for item in every]


_ACCELERATORS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def precision_for(device: Mapping[str, Any]) -> tuple[str, str]:
    """The precision that suits a device, and why: by the units that it has, not by a measurement.

    Args:
        device: One of `describe`.

    Returns:
        The name of a precision and a sentence.

    Source: NVIDIA's table of what tensor cores of each compute capability multiply (CUDA C++ Programming Guide,
    "Compute Capabilities").
    """
    if device["kind"] == "TPU":
        return "mixed_bfloat16", "TPUs multiply in bfloat16."
    if device["kind"] == "CPU":
        if cpu_flags() & {"amx_bf16", "avx512_bf16"}:
            return "mixed_bfloat16", "This processor multiplies in bfloat16; small networks may be faster in float32."
        return "float32", "This processor computes 16 bits by way of 32, which takes longer."
    if device["compute_capability"] is None:
        return "float32", "What it multiplies fastest is not known."
    capability = float(device["compute_capability"])
    if capability >= 8:
        return (
            "mixed_bfloat16",
            "Its tensor cores multiply in bfloat16, with the range of float32: no loss scaling needed.",
        )
    if capability >= 7:
        return "mixed_float16", "Its tensor cores multiply in float16; the loss is scaled so that small gradients stay."
    return "float32", "It has no tensor cores."
