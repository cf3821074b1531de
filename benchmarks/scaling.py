"""What several workers would bring: from a step's time, measured here, and the bandwidth of a network, stated by you.

    python benchmarks/scaling.py                             # 1, 10 and 100 Gbit/s
    python benchmarks/scaling.py --gbit 25 --workers 2 4 8 16

A worker that does b examples a step takes t(b) seconds for it, and then sums its gradients with those of the others in
a ring: each of n workers sends 2 (n - 1) / n of the gradients' bytes, in 2 (n - 1) messages. So

    step(n) = t(b) + 2 (n - 1) / n * bytes / bandwidth + 2 (n - 1) * latency
    speed-up(n) = n * t(b) / step(n)      with n * b examples a step

It is an estimate to the safe side: sending begins before the last gradient is computed, which is not counted. (Ring
all-reduce: Patarasuk & Yuan 2009.)
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

import numpy as np

from layerwise import engines
from layerwise.compilation import uses_xla
from layerwise.context import num_trainable_parameters
from layerwise.devices import describe, prepare
from layerwise.optimizers import build_optimizer
from layerwise.registry import Registry
from layerwise.specs import resolve

BYTES_PER_VALUE = 4
STEPS = 20


def measured_step(variant: str, batch_size: int, rounds: int) -> tuple[float, int]:
    """The seconds of a step of vision/fashion on this machine, the median of all rounds, and the number of values whose
    gradients are exchanged."""
    spec = Registry().snapshot().model("vision/fashion")
    config = spec.variant(variant).config
    model = resolve(spec.build)(config, spec.task)
    trainer = engines.current().Trainer(
        model, build_optimizer(config, STEPS), spec.task.loss(config), {}, xla=uses_xla(model, config.compiler)
    )
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (batch_size * STEPS, *model.input_shape[1:]), dtype=np.uint8)
    data = trainer.place(pictures, rng.integers(0, 10, len(pictures)).astype(np.int32))
    order = np.arange(len(pictures), dtype=np.int32).reshape(STEPS, batch_size)
    trainer.train(data, order, 0, STEPS)  # compiles
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        trainer.train(data, order, 0, STEPS)
        times.append((time.perf_counter() - begin) / STEPS)
    return median(times), num_trainable_parameters(model)


def speed_up(workers: int, step: float, values: int, gbit: float, latency: float) -> float:
    """How many times the examples a second of one worker."""
    sent = 2 * (workers - 1) / workers * values * BYTES_PER_VALUE
    return workers * step / (step + sent / (gbit * 1e9 / 8) + 2 * (workers - 1) * latency)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gbit", type=float, nargs="+", default=[1, 10, 100], help="bandwidth of a worker, Gbit/s")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--latency", type=float, default=50, help="of one message, microseconds")
    parser.add_argument("--batch-size", type=int, default=128, help="examples a worker does in a step")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    prepare()
    print(f"on {describe()[-1]['name']}, {options.batch_size} examples a worker and step")
    for variant in ("dense", "conv"):
        step, values = measured_step(variant, options.batch_size, options.rounds)
        megabytes = values * BYTES_PER_VALUE / 1e6
        print(f"\nvision/fashion:{variant}: {step * 1e3:.1f} ms a step, {megabytes:.1f} MB of gradients")
        print(f"{'workers':>10}" + "".join(f"{f'{gbit:g} Gbit/s':>14}" for gbit in options.gbit))
        for workers in options.workers:
            gains = [speed_up(workers, step, values, gbit, options.latency * 1e-6) for gbit in options.gbit]
            print(f"{workers:>10}" + "".join(f"{gain:>13.1f}x" for gain in gains))
    return 0


if __name__ == "__main__":
    sys.exit(main())
