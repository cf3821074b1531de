"""What a version that answers takes: parameters, memory of its weights, and where it computes."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerwise.workers.runner import WorkerRunner

if TYPE_CHECKING:
    from layerwise.serving.loading import Loaded


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What a version takes.

    Args:
        num_parameters: How many trainable parameters it has, or else how many weights; None when nobody says.
        weights_bytes: What its weights take in memory, on disk where they are in another process; None when nobody
            says.
        where: The device that it computes on, and whether in a process of its own.
    """

    num_parameters: int | None
    weights_bytes: int | None
    where: str


def footprint(loaded: Loaded) -> Footprint:
    """What a version takes that was loaded."""
    runner, record = loaded.runner, loaded.version.record
    weights = _weights_of(runner.model)
    num_bytes = runner.weights_bytes or sum(count * size for count, size in weights) or record.get("bytes")
    return Footprint(
        num_parameters=loaded.version.num_parameters or sum(count for count, _ in weights) or None,
        weights_bytes=num_bytes,
        where=_where(runner),
    )


def _where(runner: Any) -> str:
    if isinstance(runner, WorkerRunner):
        return "a process of its own"
    if runner.device:
        return runner.device
    return _device() if runner.model is not None else "CPU"


@functools.cache
def _device() -> str:
    """The device that Keras computes on unless told otherwise. It stays the same for the life of a process."""
    from layerwise.devices import describe

    devices = describe()
    first = next((device for device in devices if device["kind"] != "CPU"), devices[0])
    return f"{first['kind']} ({first['name']})" if first["name"] else first["kind"]


def _weights_of(model: Any) -> list[tuple[int, int]]:
    """How many numbers each weight of a network has, and the bytes of one: of Keras, or of PyTorch."""
    if hasattr(model, "trainable_variables"):
        found = model.weights
    elif hasattr(model, "named_parameters"):
        found = [*model.parameters(), *model.buffers()]
    else:
        return []
    return [(math.prod(weight.shape), _bytes_of(str(weight.dtype))) for weight in found]


def _bytes_of(dtype: str) -> int:
    """The bytes of a number of a type, by its name: "float32", "torch.bfloat16", "bool"."""
    bits = re.search(r"(\d+)", dtype)
    return -(-int(bits.group(1)) // 8) if bits else 1
