"""Whether XLA compiles the training step of a network: by a rule where it is known what is faster, and otherwise by
measuring both, once for each network and device."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import paths
from layerwise.layers import leaves

if TYPE_CHECKING:
    import keras
    import numpy as np

    from layerwise.engines.base import Trainer

MEASURED_SECONDS = 0.3
"""How long the steps of one way are measured."""


def uses_xla(model: keras.Model, compiler: str) -> bool:
    """Whether XLA compiles the training step, as far as a rule can say.

    "auto" was measured on CPUs, where XLA makes dense networks several times as fast and convolutions slower
    (benchmarks/training.py).
    """
    if compiler != "auto":
        return compiler == "xla"
    return not _has_convolutions(model) or _has_accelerator()


def is_known(model: keras.Model, compiler: str) -> bool:
    """Whether `uses_xla` tells what is fastest: what was asked for, or networks of kinds that were measured on CPUs.
    The rest is for `compile_fastest`."""
    import keras

    if compiler != "auto" or keras.backend.backend() == "torch":
        return True
    if _has_accelerator():
        return False
    layers = keras.layers
    dense = (layers.Dense, layers.BatchNormalization, layers.LayerNormalization)
    return _has_convolutions(model) or all(isinstance(layer, dense) for layer in leaves(model) if layer.weights)


def compile_fastest(trainer: Trainer, data: Any, order: np.ndarray, start: int = 0) -> None:
    """Compile the trainer with XLA or without, whichever takes the steps faster. It is remembered in the cache folder.

    The steps are really taken: the caller restores the variables.

    Args:
        data: What `trainer.place` gave.
        order: Positions of examples, int32 [steps, batch], of the shape that training uses later.
        start: The first step that may be taken.
    """
    path = paths.cache() / "compilers" / f"{_fingerprint(trainer, order)}.json"
    # Every worker must measure, or none.
    (known,) = trainer.agree(_remembered(path))
    if known < 0:
        seconds = {}
        for xla in (False, True):
            trainer.compile(xla=xla)
            seconds[trainer.xla] = _seconds_per_step(trainer, data, order, start)
        (known,) = trainer.agree(min(seconds, key=lambda xla: seconds[xla]))
        found = {"xla": bool(known), "seconds_per_step": {str(xla).lower(): value for xla, value in seconds.items()}}
        paths.write_atomically(path, json.dumps(found) + "\n")
    if trainer.xla != bool(known):
        trainer.compile(xla=bool(known))


def _remembered(path: Path) -> int:
    """1 for XLA, 0 for none, -1 when it was not measured yet."""
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["xla"])
    except (OSError, ValueError, KeyError, TypeError):
        return -1


def _seconds_per_step(trainer: Trainer, data: Any, order: np.ndarray, start: int) -> float:
    def seconds(steps: int) -> float:
        begin = time.perf_counter()
        trainer.train(data, order, start, start + steps)
        return (time.perf_counter() - begin) / steps

    seconds(1)  # compiles
    (steps,) = trainer.agree(min(len(order) - start, 1 + int(MEASURED_SECONDS / seconds(1))))
    return min(seconds(int(steps)) for _ in range(2))


def _fingerprint(trainer: Trainer, order: np.ndarray) -> str:
    """What the speed of the steps depends on: the network, the batch, the devices and the versions."""
    import keras

    from layerwise.devices import describe
    from layerwise.hardware.environment import package_version

    backend = keras.backend.backend()
    facts = {
        "layers": [[type(layer).__name__, str(layer.dtype_policy.name)] for layer in trainer.model._flatten_layers()],
        "variables": [list(variable.shape) for variable in trainer.model.variables],
        "optimizer": type(trainer.optimizer).__name__,
        "batch_size": order.shape[1],
        "devices": [device["name"] for device in describe()],
        "replicas": trainer.num_replicas,
        "versions": [backend, package_version(backend), package_version("keras")],
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _has_accelerator() -> bool:
    from layerwise.devices import describe

    return any(device["kind"] != "CPU" for device in describe())


def _has_convolutions(model: keras.Model) -> bool:
    import keras

    return any(isinstance(layer, _convolutions(keras)) for layer in leaves(model))


def _convolutions(keras: Any) -> tuple[type, ...]:
    layers = keras.layers
    return (
        layers.Conv1D,
        layers.Conv2D,
        layers.Conv3D,
        layers.DepthwiseConv1D,
        layers.DepthwiseConv2D,
        layers.SeparableConv1D,
        layers.SeparableConv2D,
        layers.Conv1DTranspose,
        layers.Conv2DTranspose,
        layers.Conv3DTranspose,
    )
