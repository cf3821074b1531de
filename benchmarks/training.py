"""How fast training is: the core's compiled loop beside `keras.Model.fit`, on the same network, data and optimizer.

    python benchmarks/training.py                 both networks
    python benchmarks/training.py --network dense
    KERAS_BACKEND=jax python benchmarks/training.py --network dense

The networks are those of `vision/fashion`; the examples are random numbers of the form of Fashion-MNIST, since only
speed is measured. All ways are tried in turn, round by round; the figures are examples per second.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from layerwise import engines
from layerwise.compilation import uses_xla
from layerwise.devices import describe, prepare
from layerwise.optimizers import build_optimizer
from layerwise.registry import Registry
from layerwise.specs import resolve

STEPS = {"dense": 240, "conv": 24}
"""Steps of one measurement: about a second's work on two cores."""


def measured_ways(variant: str) -> tuple[dict[str, Callable[[], object]], int]:
    """What is measured, by name, and how many examples each of them trains on."""
    import keras

    spec = Registry().snapshot().model("vision/fashion")
    # Random flips and shifts cost the same in every way; without them the loop is what is compared.
    config = dataclasses.replace(spec.variant(variant).config, flip=False, shift=0)
    steps, batch_size = STEPS[variant], config.batch_size
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (steps * batch_size, 28, 28, 1), dtype=np.uint8)
    targets = rng.integers(0, 10, steps * batch_size).astype(np.int32)

    def model() -> Any:
        return resolve(spec.build)(config, spec.task)

    def fit(**options: Any) -> Callable[[], object]:
        network = model()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(build_optimizer(config, steps), loss, metrics=["accuracy"], **options)
        return lambda: network.fit(pictures, targets, batch_size=batch_size, epochs=1, verbose=0)

    network = model()
    trainer = engines.current().Trainer(
        network,
        build_optimizer(config, steps),
        spec.task.loss(config),
        spec.task.training_metrics(),
        xla=uses_xla(network, "auto"),
    )
    data = trainer.place(pictures, targets)

    def loop() -> object:
        order = rng.permutation(len(targets)).reshape(steps, batch_size).astype(np.int32)
        return trainer.train(data, order, 0, steps)

    return {"keras fit": fit(), "keras fit, 16 steps a call": fit(steps_per_execution=16), "layerwise": loop}, len(
        targets
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=tuple(STEPS), help="one of them; both by default")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    prepare()
    import keras

    print(f"{keras.backend.backend()} on {', '.join(device['name'] for device in describe())}")
    for variant in [options.network] if options.network else STEPS:
        ways, count = measured_ways(variant)
        for way in ways.values():
            way()  # compiles
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(options.rounds):
            for name, way in list(ways.items())[:: 1 if number % 2 else -1]:
                begin = time.perf_counter()
                way()
                times[name].append(time.perf_counter() - begin)
        slowest = median(times["keras fit"])
        print(f"\n{variant:30}examples/s    ratio to keras fit")
        for name, found in times.items():
            print(f"{name:30}{count / median(found):10,.0f}{slowest / median(found):10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
