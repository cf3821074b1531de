"""JAX: a `lax.fori_loop` over many steps in one `jit`, the variables carried as its state.

On CPUs XLA runs a convolution within a loop at a fifth of the speed that it has outside, so networks with convolutions
are dispatched a step at a time there (benchmarks/training.py, `layerwise.compilation`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import keras

from layerwise.engines import base

if TYPE_CHECKING:
    import numpy as np


class Trainer(base.Trainer):
    """See `layerwise.engines.base.Trainer`."""

    def __init__(self, model, optimizer, loss, metrics, *, xla) -> None:
        super().__init__(model, optimizer, loss, metrics, xla=xla)
        # The state is donated: its old arrays are gone after the call, and the variables are given the new ones.
        self._steps = jax.jit(self._loop, donate_argnums=(0, 1))
        self._single = jax.jit(self._one, donate_argnums=(0, 1))
        self._evaluate = jax.jit(self._measure_batch)

    def place(self, inputs: Any, targets: Any) -> Any:
        return base.map_arrays(jax.numpy.asarray, (inputs, targets))

    def train(self, data: Any, order: np.ndarray, start: int, stop: int) -> dict[str, float]:
        carry = self._state(), {name: jax.numpy.zeros(()) for name in ("loss", *self.metrics)}
        positions = jax.numpy.asarray(order)
        if self.xla:
            carry = self._steps(*carry, data, positions, start, stop)
        else:
            for step in range(start, stop):
                carry = self._single(*carry, data, positions, step)
        state, sums = carry
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)
        return {name: float(total) / (stop - start) for name, total in sums.items()}

    def evaluate_batch(self, data: Any, start: int, stop: int) -> dict[str, float]:
        batch = base.map_arrays(lambda tensor: tensor[start:stop], data)
        return {name: float(value) for name, value in self._evaluate(self._state(), batch).items()}

    def _variables(self) -> list[keras.Variable]:
        model = self.model
        return [*model.trainable_variables, *model.non_trainable_variables, *self.optimizer.variables]

    def _state(self) -> list[jax.Array]:
        return [variable.value for variable in self._variables()]

    def _parts(self, state: list[jax.Array]) -> tuple[list, list, list]:
        first = len(self.model.trainable_variables)
        second = first + len(self.model.non_trainable_variables)
        return state[:first], state[first:second], state[second:]

    def _loop(self, state: list, sums: dict, data: Any, order: jax.Array, start: int, stop: int) -> tuple[list, dict]:
        def body(step: Any, carry: tuple[list, dict]) -> tuple[list, dict]:
            return self._one(*carry, data, order, step)

        return jax.lax.fori_loop(start, stop, body, (state, sums))

    def _one(self, state: list, sums: dict, data: Any, order: jax.Array, step: int) -> tuple[list, dict]:
        state, values = self._step(state, data, order[step])
        return state, {name: total + values[name].astype("float32") for name, total in sums.items()}

    def _step(self, state: list, data: Any, positions: jax.Array) -> tuple[list, dict]:
        inputs, targets = base.map_arrays(lambda tensor: tensor[positions], data)
        trainable, others, optimizer = self._parts(state)

        def scaled_loss(trainable):
            called: Any = self.model.stateless_call(trainable, others, inputs, training=True, return_losses=True)
            outputs, changed, losses = called
            loss, values = self.measure(targets, outputs, losses=losses)
            with keras.StatelessScope(
                state_mapping=list(zip(self.optimizer.variables, optimizer, strict=True))
            ):  # the scale of a LossScaleOptimizer is one of its variables
                scaled = self.optimizer.scale_loss(loss)
            return scaled, ({"loss": loss, **values}, changed)

        gradients, (values, others) = jax.grad(scaled_loss, has_aux=True)(trainable)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        return [*trainable, *others, *optimizer], values

    def _measure_batch(self, state: list, batch: Any) -> dict[str, jax.Array]:
        inputs, targets = batch
        trainable, others, _ = self._parts(state)
        called: Any = self.model.stateless_call(trainable, others, inputs, training=False, return_losses=True)
        outputs, _, losses = called
        loss, values = self.measure(targets, outputs, losses=losses)
        return {"loss": loss, **values}


def compile_predict(model: keras.Model, *, xla: bool = False) -> Callable[[Any], Any]:
    """The forward pass of `model` as one compiled call: a batch (array or dict of arrays) to outputs, NumPy.

    Each shape of batch is compiled at its first call. JAX always compiles with XLA.
    """

    @jax.jit
    def forward(trainable: list, others: list, batch: Any) -> Any:
        called: Any = model.stateless_call(trainable, others, batch, training=False)
        outputs, _ = called
        return base.keras_float32(outputs)

    def predict(batch: Any) -> Any:
        trainable = [variable.value for variable in model.trainable_variables]
        others = [variable.value for variable in model.non_trainable_variables]
        outputs = forward(trainable, others, batch)
        return base.map_arrays(keras.ops.convert_to_numpy, outputs)

    return predict


def compile_gradients(function: Callable, variables: list[keras.Variable]) -> Callable:
    """See `layerwise.engines.base.Gradients`."""

    @jax.jit
    def compute(state: list, points: Any, given: Any) -> Any:
        def total(points: Any) -> Any:
            with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))):
                values = function(points, given)
            return values.sum(), values

        (_, values), gradients = jax.value_and_grad(total, has_aux=True)(points)
        return values, gradients

    def gradients(points: Any, given: Any) -> Any:
        return base.to_numpy(compute([variable.value for variable in variables], points, given))

    return gradients


def weight_gradients(model: keras.Model, loss: Callable, inputs: Any, targets: Any) -> list[np.ndarray]:
    """The gradient of `loss(targets, outputs)` by each trainable variable of `model`, outside of training."""
    others = [variable.value for variable in model.non_trainable_variables]

    def total(trainable: list) -> Any:
        called: Any = model.stateless_call(trainable, others, inputs, training=False)
        return loss(jax.numpy.asarray(targets), base.keras_float32(called[0]))

    return base.to_numpy(jax.grad(total)([variable.value for variable in model.trainable_variables]))
