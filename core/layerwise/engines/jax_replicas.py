"""JAX on several devices of one machine: the loop of `layerwise.engines.jax`, its batches cut over a mesh.

Only the positions of the examples are cut; variables and examples are on every device. From that XLA derives who
computes what and where the gradients are summed (GSPMD, Xu et al. 2021, arXiv:2105.04663).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import keras

from layerwise.engines import base
from layerwise.engines import jax as engine
from layerwise.engines.jax import compile_gradients, compile_predict, weight_gradients
from layerwise.hardware.distribution import share

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Trainer", "compile_gradients", "compile_predict", "weight_gradients"]


class Trainer(engine.Trainer):
    """See `layerwise.engines.base.Trainer`. Dropout and batch normalisation are those of one device."""

    def __init__(self, model, optimizer, loss, metrics, *, xla) -> None:
        distribution: Any = keras.distribution.distribution()
        devices = distribution.device_mesh.devices.reshape(-1)
        every = {f"{device.platform}:{device.id}": device for device in jax.local_devices()}
        mesh = jax.sharding.Mesh([every[name] for name in devices], ("batch",))
        self.num_replicas = len(devices)
        self._on_each = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
        self._cut = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(None, "batch"))
        super().__init__(model, optimizer, loss, metrics, xla=xla)

    def place(self, inputs: Any, targets: Any) -> Any:
        return base.map_arrays(lambda array: jax.device_put(array, self._on_each), (inputs, targets))

    def train(self, data: Any, order: np.ndarray, start: int, stop: int) -> dict[str, float]:
        share(order.shape[1], self.num_replicas)
        positions: Any = jax.device_put(order, self._cut)
        return super().train(data, positions, start, stop)
