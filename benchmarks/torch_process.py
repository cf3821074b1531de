"""Keras on TensorFlow and published models on torch: in one process, or in two? What a start costs, how much memory,
and how the two get along on the same cores.

    python benchmarks/torch_process.py

Seconds are those of the processor as well as of the clock, since a busy machine makes the clock say little.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 5.0
ROUNDS = 3


def tensorflow_work() -> Callable[[], None]:
    """Import Keras on TensorFlow; a forward pass of a dense network, compiled."""
    from layerwise.devices import quiet_import

    quiet_import()
    import numpy as np

    from layerwise import engines
    from layerwise.networks import dense_network

    forward = engines.current().compile_predict(dense_network((784,), (512, 512), output_units=10))
    batch = np.ones((64, 784), "float32")
    return lambda: forward(batch)


def torch_work() -> Callable[[], None]:
    """Import torch and transformers; a forward pass of an encoder as large as MiniLM, with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    model = BertModel(BertConfig(**sizes)).eval()
    tokens = torch.ones((4, 32), dtype=torch.long)

    def run() -> None:
        with torch.inference_mode():
            model(tokens)

    return run


WORKS = {"tensorflow": tensorflow_work, "torch": torch_work}


def memory() -> int:
    """The resident memory of this process in megabytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


def processor_seconds() -> float:
    """What this process has used of the processor."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def repeat(work: Callable[[], None], until: float, counts: dict[str, int], name: str) -> None:
    """Do it again and again until a moment, and count."""
    counts[name] = 0
    while time.time() < until:
        work()
        counts[name] += 1


def child(names: list[str]) -> None:
    """Load, say that it is ready, wait for the word to begin, do all of it at once, and print what was measured."""
    begin, clock = processor_seconds(), time.time()
    works = {name: WORKS[name]() for name in names}
    for work in works.values():
        work()
    loaded = {"start": processor_seconds() - begin, "wall": time.time() - clock, "memory": memory()}
    print("ready", flush=True)
    until = float(sys.stdin.readline())
    before, counts = processor_seconds(), {}
    threads = [threading.Thread(target=repeat, args=(work, until, counts, name)) for name, work in works.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = processor_seconds() - before
    print(json.dumps({**loaded, "counts": counts, "used": used}), flush=True)


def measure(groups: list[list[str]]) -> list[dict]:
    """Processes, each with some of the works, all at the same time."""
    command = [sys.executable, __file__, "--child"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen([*command, ",".join(names)], env={**os.environ}, **pipes) for names in groups]
    for process in running:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "ready":
            pass
    until = time.time() + SECONDS
    for process in running:
        assert process.stdin is not None
        process.stdin.write(f"{until}\n")
        process.stdin.flush()
    return [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--child")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child.split(","))
        return
    ways = {
        "tensorflow alone": [["tensorflow"]],
        "torch alone": [["torch"]],
        "both, one process": [["tensorflow", "torch"]],
        "both, two processes": [["tensorflow"], ["torch"]],
    }
    names = ("start s", "clock s", "memory MB", "tensorflow/s", "torch/s", "processor s")
    print(" " * 20, *(f"{name:>13}" for name in names))
    for _ in range(arguments.rounds):
        for title, groups in ways.items():
            found = measure(groups)
            counts = {name: count for item in found for name, count in item["counts"].items()}
            rates = [f"{counts[name] / SECONDS:.1f}" if name in counts else "" for name in WORKS]
            start, wall = (" + ".join(f"{item[key]:.1f}" for item in found) for key in ("start", "wall"))
            size = " + ".join(str(item["memory"]) for item in found)
            used = sum(item["used"] for item in found)
            print(f"{title:20} {start:>9} {wall:>9} {size:>10} {rates[0]:>13} {rates[1]:>8} {used:>12.1f}", flush=True)


if __name__ == "__main__":
    main()
