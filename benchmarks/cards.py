"""What the driver of an NVIDIA card says of it while others use it."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator

from layerwise.hardware.slots import visible_devices

SECONDS_BETWEEN = 0.1


def query(slot: str, *fields: str) -> list[str]:
    """Fields of `nvidia-smi --query-gpu` for the card of a slot (`layerwise.hardware.slots`), as text.

    Raises:
        subprocess.CalledProcessError: The driver does not know one of them.
    """
    card = visible_devices((slot,))["CUDA_VISIBLE_DEVICES"]
    command = ["nvidia-smi", f"--id={card}", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return [field.strip() for field in done.stdout.strip().split(",")]


def usage(slot: str) -> dict[str, int]:
    """`memory_used` and `memory_total` of a card in bytes, and its `utilization`, the share of the last moments in
    which it computed anything, in percent."""
    used, total, utilization = map(int, query(slot, "memory.used", "memory.total", "utilization.gpu"))
    return {"memory_used": used * 2**20, "memory_total": total * 2**20, "utilization": utilization}


@contextlib.contextmanager
def watched(slot: str) -> Iterator[list[dict[str, int]]]:
    """What `usage` says meanwhile, ten times a second; the list is complete afterwards."""
    samples: list[dict[str, int]] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN):
            samples.append(usage(slot))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield samples
    finally:
        ended.set()
        watcher.join()
