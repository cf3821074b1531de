"""Many networks of the same shape, trained at once: a member for each seed, side by side in stacked matrix products.

A network of a thousand parameters keeps no processor busy: most of a step is the cost of calling it. Eight of them in
one product cost little more than one. It is Keras and not NumPy, as Keras has the gradients of normalization and skip
connections, and the core's engine compiles hundreds of steps into one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops as keras_ops

from layerwise import engines
from layerwise.engines.base import Trainer

ops: Any = keras_ops  # Keras gives its operations no types of their results.

STEPS_PER_CALL = 250
"""Steps in one compiled call: the least that is done between two looks at whether to stop."""


class StackedDense(keras.layers.Layer):
    """A dense layer for each member: [members, batch, inputs] to [members, batch, units].

    Args:
        generators: One a member; its weights and biases are drawn from it.
        gain: The variance of the weights times the number of inputs.
    """

    def __init__(self, units: int, generators: Sequence[np.random.Generator], gain: float, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.generators, self.gain = units, generators, gain

    def build(self, input_shape: Sequence[int]) -> None:
        members, _, inputs = input_shape
        scale = np.sqrt(self.gain / inputs)
        # Biases are random too: with zeros, all units of a layer on one input would bend at the same place.
        drawn = np.stack([draw.normal(0, scale, (inputs + 1, self.units)) for draw in self.generators])
        self.kernel = self.add_weight(name="kernel", shape=(members, inputs, self.units), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(members, 1, self.units), initializer="zeros")
        self.kernel.assign(drawn[:, :-1])
        self.bias.assign(drawn[:, -1:])

    def call(self, x: Any) -> Any:
        return ops.matmul(x, self.kernel) + self.bias


class StackedNormalization(keras.layers.Layer):
    """Layer normalization with a scale and a shift for each member's units (Ba et al. 2016, arXiv:1607.06450)."""

    def build(self, input_shape: Sequence[int]) -> None:
        members, _, units = input_shape
        self.scale = self.add_weight(name="scale", shape=(members, 1, units), initializer="ones")
        self.shift = self.add_weight(name="shift", shape=(members, 1, units), initializer="zeros")

    def call(self, x: Any) -> Any:
        mean, variance = ops.moments(x, axes=[-1], keepdims=True)
        return (x - mean) * ops.rsqrt(variance + 1e-3) * self.scale + self.shift


def stacked_network(
    widths: Sequence[int],
    *,
    inputs: int,
    outputs: int,
    seeds: Sequence[int],
    normalization: bool = False,
    skip_connections: bool = False,
) -> keras.Model:
    """Dense ReLU networks of one shape, each with random weights of its own seed (He et al. 2015).

    Args:
        widths: Of the hidden layers.
        normalization: Whether each hidden layer is normalized before its activation.
        skip_connections: Whether a hidden layer's input is added to its result, where both are equally wide.

    Returns:
        A Keras model, [batch, members, inputs] to [batch, members, outputs].
    """
    generators = [np.random.default_rng(seed) for seed in seeds]
    examples = keras.Input((len(seeds), inputs))
    x = ops.transpose(examples, (1, 0, 2))
    for before, units in pairwise([inputs, *widths]):
        y = StackedDense(units, generators, gain=2.0)(x)
        y = ops.relu(StackedNormalization()(y) if normalization else y)
        x = x + y if skip_connections and before == units else y
    x = StackedDense(outputs, generators, gain=1.0)(x)
    return keras.Model(examples, ops.transpose(x, (1, 0, 2)))


def train(
    model: keras.Model,
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    num_steps: int,
    batch_size: int,
    learning_rate: float,
) -> Iterator[int]:
    """Adam on mini-batches, the learning rate falling to zero along half a cosine. Yields the steps done so far.

    Args:
        inputs: [examples, members, inputs]: each member has examples of its own.
        targets: [examples, members]: float32 for numbers and the squared error, int32 for classes and cross-entropy.
        num_steps: Rounded up to whole calls of `STEPS_PER_CALL`.
    """
    calls = -(-num_steps // STEPS_PER_CALL)
    rate: Any = keras.optimizers.schedules.CosineDecay(learning_rate, calls * STEPS_PER_CALL)
    loss = _loss(inputs.shape[1], targets.dtype)
    trainer: Trainer = engines.current().Trainer(model, keras.optimizers.Adam(rate), loss, {}, xla=True)
    data = trainer.place(inputs, targets)
    order = _Order(len(inputs), batch_size)
    for call in range(calls):
        trainer.train(data, order.next(STEPS_PER_CALL), 0, STEPS_PER_CALL)
        yield (call + 1) * STEPS_PER_CALL


class _Order:
    """Positions of examples, each of which comes once before any comes again."""

    def __init__(self, examples: int, batch_size: int) -> None:
        self._generator, self._examples, self._batch_size = np.random.default_rng(0), examples, batch_size
        self._left = np.zeros(0, dtype=np.int32)

    def next(self, num_steps: int) -> np.ndarray:
        """[steps, batch]"""
        needed = num_steps * self._batch_size
        while len(self._left) < needed:
            again = self._generator.permutation(self._examples).astype(np.int32)
            self._left = np.concatenate([self._left, again])
        taken, self._left = self._left[:needed], self._left[needed:]
        return taken.reshape(num_steps, self._batch_size)


def _loss(members: int, kind: np.dtype) -> Callable[[Any, Any], Any]:
    """The sum over members of the mean over the batch: no member changes what another one learns."""
    if np.issubdtype(kind, np.integer):
        return lambda targets, outputs: (
            members * ops.mean(ops.sparse_categorical_crossentropy(targets, outputs, from_logits=True))
        )
    return lambda targets, outputs: members * ops.mean(ops.square(outputs[:, :, 0] - targets))


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The outputs for [examples, members, inputs]: [examples, members, outputs]."""
    # Compiling it would take longer than the one call that is made of it.
    return ops.convert_to_numpy(model(inputs, training=False))
