"""TensorFlow on several devices or machines: the loop of `layerwise.engines.tensorflow`, each step done by all replicas
of the `tf.distribute` strategy in whose scope the trainer is built.

The loop stands around `Strategy.run` and not within it, since the exchange between replicas may not be part of a
branch or loop of one of them. XLA compiles what a replica does by itself: the forward and the backward pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from layerwise.engines import base, tensorflow
from layerwise.engines.tensorflow import compile_gradients, compile_predict, weight_gradients
from layerwise.hardware.distribution import share

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Trainer", "compile_gradients", "compile_predict", "weight_gradients"]


class Trainer(tensorflow.Trainer):
    """See `layerwise.engines.base.Trainer`. Dropout draws other numbers than on one device, and batch normalisation
    sees the part of the batch that its replica has; the moving averages are the means over the replicas."""

    def __init__(self, model, optimizer, loss, metrics, *, xla) -> None:
        self._strategy = tf.distribute.get_strategy()
        self.num_replicas = self._strategy.num_replicas_in_sync
        super().__init__(model, optimizer, loss, metrics, xla=xla)
        self._evaluate = tf.function(self._measure_share, autograph=False)
        self._leading = tf.function(self._first_says, autograph=False)

    def compile(self, *, xla: bool) -> None:
        self.xla = xla
        self._steps = tf.function(self._loop, autograph=False)
        self._compiled_gradients = tf.function(self._gradients, jit_compile=xla, autograph=False)

    def place(self, inputs: Any, targets: Any) -> Any:
        on_one = super().place
        # Only the replicas of this machine: the others get theirs there.
        return self._strategy.experimental_distribute_values_from_function(lambda _: on_one(inputs, targets))

    def train(self, data: Any, order: np.ndarray, start: int, stop: int) -> dict[str, float]:
        share(order.shape[1], self.num_replicas)
        return super().train(data, order, start, stop)

    def evaluate_batch(self, data: Any, start: int, stop: int) -> dict[str, float]:
        return {
            name: float(value) for name, value in self._evaluate(data, tf.constant(start), tf.constant(stop)).items()
        }

    def agree(self, *values: float) -> list[float]:
        return [float(value) for value in self._leading(tf.constant(values, tf.float64))]

    def _first_says(self, values: tf.Tensor) -> tf.Tensor:
        """What the first replica of all is given, summed with the zeros of the others."""
        said = self._strategy.run(lambda: values * tf.cast(_index() == 0, tf.float64))
        return self._strategy.reduce("sum", said, axis=None)

    def _step(self, data: Any, positions: tf.Tensor) -> dict[str, tf.Tensor]:
        shares = tf.reshape(positions, (self.num_replicas, -1))

        def replica(data: Any) -> dict[str, tf.Tensor]:
            gradients, values = self._compiled_gradients(data, shares[_index()])
            if hasattr(self.optimizer, "dynamic_scale"):
                gradients = self._all_or_none(gradients)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            return values

        return self._mean(self._strategy.run(replica, args=(data,)))

    def _gradients(self, data: Any, positions: tf.Tensor) -> tuple[list[Any], dict[str, tf.Tensor]]:
        gradients, values = super()._gradients(data, positions)
        # The optimizer sums the gradients of the replicas, and the loss is the mean over the whole batch.
        return [gradient if gradient is None else gradient / self.num_replicas for gradient in gradients], values

    def _all_or_none(self, gradients: list[Any]) -> list[Any]:
        """The gradients, all of them not a number if those of any replica overflowed: a LossScaleOptimizer decides in
        each replica by itself whether to skip the step."""
        finite = tf.reduce_all(
            [tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(g))) for g in gradients if g is not None]
        )
        mine = tf.where(finite, 0.0, float("nan"))
        everyones: Any = tf.distribute.get_replica_context().all_reduce("sum", mine)
        return [
            gradient if gradient is None else gradient + tf.cast(everyones, gradient.dtype) for gradient in gradients
        ]

    def _measure_share(self, data: Any, start: tf.Tensor, stop: tf.Tensor) -> dict[str, tf.Tensor]:
        """The means over the examples `start` to `stop - 1`, of which each replica does its part."""
        per_replica = -(-(stop - start) // self.num_replicas)

        def replica(data: Any) -> dict[str, tf.Tensor]:
            first = tf.minimum(start + _index() * per_replica, stop)
            last = tf.minimum(first + per_replica, stop)
            # The last replicas may have nothing left to do, and the mean of nothing is not a number.
            batch = base.map_arrays(lambda tensor: tensor[first:last], data)
            count = tf.cast(last - first, tf.float32)
            values = self._measure_batch(batch)
            return {
                name: tf.where(count > 0, tf.cast(value, tf.float32) * count, 0.0) for name, value in values.items()
            }

        sums = self._strategy.run(replica, args=(data,))
        count = tf.cast(stop - start, tf.float32)
        return {name: self._strategy.reduce("sum", value, axis=None) / count for name, value in sums.items()}

    def _mean(self, values: dict[str, Any]) -> dict[str, tf.Tensor]:
        return {name: self._strategy.reduce("mean", value, axis=None) for name, value in values.items()}


def _index() -> Any:
    return tf.distribute.get_replica_context().replica_id_in_sync_group
