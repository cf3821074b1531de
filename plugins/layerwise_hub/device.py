"""Where a published model is computed, and how much of the machine it takes: there are others on it."""

from __future__ import annotations

import os
from typing import Any

HEADROOM = 512 * 2**20
"""Bytes of a GPU that are left free beside twice the weights: for activations, and for everybody else."""
CALM_SHARE = 0.5
"""When less than this share of a GPU is free after an answer, what torch keeps for later is given back."""


def choose(num_bytes: int) -> str:
    """The device for a model: a GPU that has twice the room that its weights take free just now, otherwise the CPU.

    Args:
        num_bytes: The size of its weights.
    """
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    free = {index: torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())}
    best = max(free, key=lambda index: free[index])
    return f"cuda:{best}" if free[best] >= 2 * num_bytes + HEADROOM else "cpu"


def settle() -> None:
    """What is set once in a process, before the first model: torch grows its part of a GPU piece by piece and computes
    with the processors that this process may use."""
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(cores or 1)


def calm(device: str) -> None:
    """Give back what torch keeps of a GPU for later, where others may need it."""
    if device == "cpu":
        return
    import torch

    free, total = torch.cuda.mem_get_info(torch.device(device))
    if free < CALM_SHARE * total:
        torch.cuda.empty_cache()


def dtype_for(device: str) -> Any:
    """In which precision: that of the weights on a GPU; float32 on a CPU, which computes 16 bits by way of 32."""
    import torch

    return torch.float32 if device == "cpu" else "auto"
