"""What a real training costs beside its steps: the wait for the first one, memory, metrics, events, checkpoints.

    python benchmarks/runs.py
    python benchmarks/runs.py --json FILE
    python benchmarks/runs.py --only streamed

Trains `vision/fashion:dense`; LAYERWISE_DATA must name a folder with Fashion-MNIST, or the cache hold it. The exit
status says whether the bars are met.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from layerwise.hardware.environment import memory
from layerwise.registry import Registry
from layerwise.runs import RunStore

MODEL, VARIANT = "vision/fashion", "dense"
BARS = {
    "seconds to the first finished step": 8.0,
    "peak memory of a training, GB": 1.5,
    "share of an epoch outside the steps": 0.03,
    "share of a step that metrics take": 0.03,
    "peak memory of a streamed training, GB": 1.5,
}
"""The most of each."""
STREAMED_STEPS = 500
"""About as many steps of the epoch that a streamed training does."""


def first_step(rounds: int) -> dict[str, float]:
    """From the command to the event that says that a step is done."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-m", "layerwise_app.cli", "train", f"{MODEL}:{VARIANT}", "--json"]
            begin = time.perf_counter()
            process = subprocess.Popen(
                command,
                env={**os.environ, "LAYERWISE_HOME": home},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while not any(b'"progress"' in file.read_bytes() for file in Path(home).glob("runs/*/events.jsonl")):
                if process.poll() is not None:
                    raise SystemExit(f"It ended before a step was done: {' '.join(command[1:])}")
                time.sleep(0.01)
            found.append(time.perf_counter() - begin)
            process.send_signal(signal.SIGINT)
            process.wait()
    return {"seconds to the first finished step": median(found)}


def peak_memory(_rounds: int) -> dict[str, float]:
    """The most that the process of a run held, in three epochs with validation."""
    with tempfile.TemporaryDirectory() as home:
        run = _run(Path(home), num_epochs=3)
        process = subprocess.Popen([sys.executable, "-m", "layerwise.jobs", str(run.folder)])
        _, _, usage = os.wait4(process.pid, 0)
        assert run.state == "finished", run.log_text()
    return {"peak memory of a training, GB": usage.ru_maxrss * 1024 / 1e9}


def overhead(rounds: int) -> dict[str, float]:
    """How much of a run of a minute is spent outside the compiled steps, and how much the metrics cost within."""
    from layerwise.context import Context
    from layerwise.training import Supervised

    with tempfile.TemporaryDirectory() as home:
        run = _run(Path(home), num_epochs=30, validation_fraction=0.0, dropout=0.0)
        training = Supervised(Context.of(run, Registry(Path(home)).snapshot()))
        train, calls = training.trainer.train, []

        def timed(*arguments: Any) -> dict[str, float]:
            begin = time.time()
            means = train(*arguments)
            calls.append((begin, time.time() - begin))
            return means

        training.trainer.train = timed  # type: ignore[method-assign]
        training.fit()
        end = time.time()
        compiled = next(event["time"] for event in run.events() if event["event"] == "epoch")
        inside = sum(seconds for begin, seconds in calls if begin >= compiled)
        return {
            "share of an epoch outside the steps": 1 - inside / (end - compiled),
            "share of a step that metrics take": _share_of_metrics(training, rounds),
        }


def _share_of_metrics(training: Any, rounds: int) -> float:
    """By the same steps with metrics and without, in turn."""
    trainer, feed = training.trainer, training.feed
    bare = type(trainer)(training.model, training.optimizer, trainer.loss, {}, xla=trainer.xla)
    [(data, order, _, stop)] = feed.chunks(trainer, 1)
    times: dict[Any, list[float]] = {trainer: [], bare: []}
    for number in range(rounds + 1):
        for one, found in times.items():
            begin = time.perf_counter()
            type(trainer).train(one, data, order, 0, stop)
            if number:  # the first one compiles
                found.append(time.perf_counter() - begin)
    return 1 - median(times[bare]) / median(times[trainer])


def streamed(_rounds: int) -> dict[str, float]:
    """The most memory of its own that a training holds on a file larger than the machine's memory. Pages of the file
    that the system keeps as long as nobody else wants them are not counted."""
    import numpy as np

    from layerwise import engines
    from layerwise.datasets.feed import Feed
    from layerwise.devices import prepare
    from layerwise.networks import dense_network
    from layerwise.splits import Split

    prepare()
    import keras

    count = int(1.25 * (memory() or 16e9)) // (784 * 4)
    with tempfile.TemporaryDirectory() as folder:
        # A file with holes: it has its size and is read like any other, and takes no place on the disk.
        inputs = np.memmap(Path(folder) / "inputs.bin", dtype=np.float32, mode="w+", shape=(count, 784))
        feed = Feed(Split(inputs, np.zeros(count, np.int32)), 128, seed=0)
        model = dense_network((784,), (512, 512), output_units=10)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        trainer = engines.current().Trainer(model, keras.optimizers.Adam(), loss, {}, xla=True)
        peak, steps, begin = 0.0, 0, time.perf_counter()
        for data, order, start, stop in feed.chunks(trainer, 1):
            trainer.train(data, order, start, stop)
            peak, steps = max(peak, _own_memory()), steps + stop - start
            if steps >= STREAMED_STEPS:
                break
        speed = steps * feed.batch_size / (time.perf_counter() - begin)
    return {
        "gigabytes streamed from": count * 784 * 4 / 1e9,
        "examples per second, streamed": speed,
        "peak memory of a streamed training, GB": peak,
    }


def _own_memory() -> float:
    """Gigabytes that this process holds and no file can give back."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e9
    raise SystemExit("This measurement reads /proc, which only Linux has.")


def _run(home: Path, **changes: Any) -> Any:
    spec = Registry(home).snapshot().model(MODEL)
    config = dataclasses.replace(spec.variant(VARIANT).config, **changes)
    return RunStore(home).create(spec, VARIANT, config)


MEASUREMENTS: dict[str, Callable[[int], dict[str, float]]] = {
    "first-step": first_step,
    "memory": peak_memory,
    "overhead": overhead,
    "streamed": streamed,
}


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(MEASUREMENTS), action="append", help="one of them; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    for name in options.only or MEASUREMENTS:
        found = MEASUREMENTS[name](options.rounds)
        for what, value in found.items():
            bar = f"  bar {BARS[what]:g}: {'met' if value <= BARS[what] else 'MISSED'}" if what in BARS else ""
            print(f"{what:42}{value:12,.3f}{bar}", flush=True)
        figures |= found
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return int(any(figures[what] > bar for what, bar in BARS.items() if what in figures))


if __name__ == "__main__":
    sys.exit(main())
