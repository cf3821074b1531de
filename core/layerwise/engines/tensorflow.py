"""TensorFlow: a `tf.while_loop` over many steps in one `tf.function`, with XLA or without.

The loop gathers each batch from tensors that stay on the device, so an epoch costs one call. Measured on a
dense network it is several times as fast as `keras.Model.fit` (benchmarks/training.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from layerwise.engines import base

if TYPE_CHECKING:
    import numpy as np

# It warns of functions that are compiled for many shapes, as they are meant to be here.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())


class Trainer(base.Trainer):
    """See `layerwise.engines.base.Trainer`."""

    def __init__(self, model, optimizer, loss, metrics, *, xla) -> None:
        super().__init__(model, optimizer, loss, metrics, xla=xla)
        self.compile(xla=xla)
        # Evaluation sees batches of two sizes (the last one is smaller), and XLA would compile each.
        self._evaluate = tf.function(self._measure_batch, autograph=False)

    def compile(self, *, xla: bool) -> None:
        self.xla = xla
        self._steps = tf.function(self._loop, jit_compile=xla, autograph=False)

    def place(self, inputs: Any, targets: Any) -> Any:
        return base.map_arrays(tf.constant, (inputs, targets))

    def train(self, data: Any, order: np.ndarray, start: int, stop: int) -> dict[str, float]:
        arguments = (data, tf.constant(order), tf.constant(start), tf.constant(stop))
        try:
            means = self._steps(*arguments)
        except tf.errors.InvalidArgumentError as error:
            if not self.xla or "unsupported operations" not in str(error):
                raise
            # Some operations (image warps) have no XLA kernel. The compiler refuses before the first step has
            # changed anything, so the same steps can be done without it.
            self.compile(xla=False)
            means = self._steps(*arguments)
        return {name: float(value) for name, value in means.items()}

    def evaluate_batch(self, data: Any, start: int, stop: int) -> dict[str, float]:
        batch = base.map_arrays(lambda tensor: tensor[start:stop], data)
        return {name: float(value) for name, value in self._evaluate(batch).items()}

    def _loop(self, data: Any, order: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> dict[str, tf.Tensor]:
        names = ["loss", *self.metrics]

        def body(step, sums):
            values = self._step(data, order[step])
            return step + 1, [
                total + tf.cast(values[name], tf.float32) for name, total in zip(names, sums, strict=True)
            ]

        _, sums = tf.while_loop(lambda step, _: step < stop, body, (start, [tf.constant(0.0) for _ in names]))
        return {name: total / tf.cast(stop - start, tf.float32) for name, total in zip(names, sums, strict=True)}

    def _step(self, data: Any, positions: tf.Tensor) -> dict[str, tf.Tensor]:
        gradients, values = self._gradients(data, positions)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return values

    def _gradients(self, data: Any, positions: tf.Tensor) -> tuple[list[Any], dict[str, tf.Tensor]]:
        """The gradients of the loss of a batch, scaled as the optimizer wants them, and the loss and the metrics."""
        inputs, targets = base.map_arrays(lambda tensor: tf.gather(tensor, positions), data)
        with tf.GradientTape() as tape:
            outputs = self.model(inputs, training=True)
            loss, values = self.measure(targets, outputs, losses=self.model.losses)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, [variable.value for variable in self.model.trainable_variables])
        return gradients, {"loss": loss, **values}

    def _measure_batch(self, batch: Any) -> dict[str, tf.Tensor]:
        inputs, targets = batch
        outputs = self.model(inputs, training=False)
        loss, values = self.measure(targets, outputs, losses=self.model.losses)
        return {"loss": loss, **values}


def compile_predict(model: keras.Model, *, xla: bool = False) -> Callable[[Any], Any]:
    """The forward pass of `model` as one compiled call: a batch (array or dict of arrays) to outputs, NumPy.

    Each shape of batch is compiled at its first call.
    """

    @tf.function(jit_compile=xla, autograph=False)
    def forward(batch: Any) -> Any:
        return base.keras_float32(model(batch, training=False))

    def predict(batch: Any) -> Any:
        outputs = forward(base.map_arrays(tf.constant, batch))
        return base.map_arrays(lambda tensor: tensor.numpy(), outputs)

    return predict


def compile_gradients(function: Callable, variables: list[keras.Variable]) -> Callable:
    """See `layerwise.engines.base.Gradients`. TensorFlow needs no list of the variables."""

    @tf.function(autograph=False)
    def compute(points: Any, given: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(points)
            values = function(points, given)
            total = tf.reduce_sum(values)
        return values, tape.gradient(total, points, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def gradients(points: Any, given: Any) -> Any:
        return base.to_numpy(compute(*base.map_arrays(tf.constant, (points, given))))

    return gradients


def weight_gradients(model: keras.Model, loss: Callable, inputs: Any, targets: Any) -> list[np.ndarray]:
    """The gradient of `loss(targets, outputs)` by each trainable variable of `model`, outside of training."""
    values = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        total = loss(tf.constant(targets), base.keras_float32(model(inputs, training=False)))
    return base.to_numpy(tape.gradient(total, values, unconnected_gradients=tf.UnconnectedGradients.ZERO))
