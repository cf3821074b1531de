"""What a device word means, and which parts of a machine it takes for itself, so that two runs never share one.

A device word is `auto`, `cpu`, `gpu` (any one), `gpu:1` (this one) or `all` (every GPU of the machine), the same
on the command line, on the page and in Python. A slot is what one run at a time may hold: "cpu", "gpu0", "gpu1" ...
Nothing heavy is imported here: a queue gives a process its slots before any backend is loaded.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from layerwise.errors import DeviceError
from layerwise.hardware.environment import nvidia_gpus

DEVICE_WORDS = ("auto", "cpu", "gpu", "all")
"""The device words that name no single GPU."""
_NUMBER = re.compile(r"-?\d+")
_EXPECTED = "auto, cpu, gpu (any one), gpu:0, gpu:1 ... (this one) or all (every GPU)"


@dataclass(frozen=True)
class Device:
    """A device word, read.

    `kind` is "auto", "cpu", "gpu" or "all"; `index` the number of the GPU that was asked for, None for any.
    """

    kind: str
    index: int | None = None

    def __str__(self) -> str:
        return self.kind if self.index is None else f"{self.kind}:{self.index}"

    @property
    def pinned(self) -> Device:
        """The same device for a process that sees nothing but the GPUs of its slots: the one that was meant by its
        number is the only one there."""
        return Device(self.kind)


def parse_device(text: str, num_gpus: int | None = None) -> Device:
    """The device that a word names.

    Args:
        text: The word; case and spaces around it do not matter.
        num_gpus: How many GPUs there are, to refuse those that are not; None refuses none.

    Raises:
        DeviceError: It is no such word, or names a GPU that is not there.

    Example:
        >>> parse_device("gpu:1")
        Device(kind='gpu', index=1)
        >>> parse_device("all", num_gpus=0)
        Traceback (most recent call last):
        layerwise.errors.DeviceError: There is no NVIDIA GPU on this machine. Received: 'all'. What to do: leave the ...
    """
    match = re.fullmatch(r"(auto|cpu|gpu|all)|gpu:(\d{1,4})", text.strip().lower())
    if match is None:
        raise DeviceError("The device is not known", expected=_EXPECTED, received=repr(text))
    device = Device(match[1]) if match[1] else Device("gpu", int(match[2]))
    if num_gpus is not None:
        refuse_missing(device, num_gpus)
    return device


def refuse_missing(device: Device, num_gpus: int) -> None:
    """Say so when a device needs a GPU that is not among `num_gpus`.

    Raises:
        DeviceError: It does.
    """
    if device.kind in ("auto", "cpu"):
        return
    if num_gpus == 0:
        raise DeviceError(
            "There is no NVIDIA GPU on this machine",
            received=repr(str(device)),
            remedy="leave the device at auto; layerwise doctor lists what is there",
        )
    if device.index is not None and device.index >= num_gpus:
        there = "gpu:0" if num_gpus == 1 else f"gpu:0 to gpu:{num_gpus - 1}"
        raise DeviceError("There is no such GPU on this machine", expected=there, received=repr(str(device)))


def slots_of(device: Device, num_gpus: int) -> tuple[tuple[str, ...], ...]:
    """The alternatives of slots that a run on `device` can hold, the best first; it holds all of one alternative.

    Args:
        num_gpus: How many GPUs the machine has.

    Raises:
        DeviceError: The device needs a GPU that is not there.

    Example:
        >>> slots_of(Device("gpu"), 2), slots_of(Device("all"), 2), slots_of(Device("auto"), 0)
        ((('gpu0',), ('gpu1',)), (('gpu0', 'gpu1'),), (('cpu',),))
    """
    if device.kind == "cpu" or (device.kind == "auto" and num_gpus == 0):
        return (("cpu",),)
    refuse_missing(device, num_gpus)
    if device.index is not None:
        return ((f"gpu{device.index}",),)
    every = tuple(f"gpu{index}" for index in range(num_gpus))
    return (every,) if device.kind == "all" else tuple((slot,) for slot in every)


def num_gpus() -> int:
    """How many NVIDIA GPUs processes of this one may use: those of the driver that CUDA_VISIBLE_DEVICES leaves."""
    return len(_usable())


def visible_devices(slots: Sequence[str]) -> dict[str, str]:
    """The environment variables that leave a new process exactly the GPUs of its slots, whatever its backend. They
    must be set before the backend is loaded."""
    usable = _usable() if any(slot != "cpu" for slot in slots) else []
    chosen = [usable[int(slot.removeprefix("gpu"))] for slot in slots if slot != "cpu"]
    # -1, which no GPU has, is how CUDA writes none. Numbers are those of nvidia-smi, which counts by bus; where the
    # variable is set already, they stay what they meant there.
    order = {} if "CUDA_VISIBLE_DEVICES" in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {"CUDA_VISIBLE_DEVICES": ",".join(chosen) or "-1", **order}


def _usable() -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls each GPU that may be used: numbers, or UUIDs where it is set so."""
    every = [str(index) for index in range(len(nvidia_gpus()))]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None or not every:
        return every
    # CUDA itself stops at the first entry that names no GPU.
    return list(itertools.takewhile(lambda entry: entry in every or not _NUMBER.fullmatch(entry), _entries(allowed)))


def _entries(text: str) -> list[str]:
    return [entry for entry in (part.strip() for part in text.split(",")) if entry]
