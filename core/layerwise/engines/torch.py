"""PyTorch: the same steps, dispatched one by one; the examples stay on the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import torch

from layerwise.engines import base

if TYPE_CHECKING:
    import numpy as np


class Trainer(base.Trainer):
    """See `layerwise.engines.base.Trainer`."""

    def __init__(self, model, optimizer, loss, metrics, *, xla) -> None:
        super().__init__(model, optimizer, loss, metrics, xla=xla)
        self._seed = torch.initial_seed()

    def place(self, inputs: Any, targets: Any) -> Any:
        return base.map_arrays(keras.ops.convert_to_tensor, (inputs, targets))

    def train(self, data: Any, order: np.ndarray, start: int, stop: int) -> dict[str, float]:
        positions: Any = keras.ops.convert_to_tensor(order, dtype="int64")
        sums: dict[str, Any] = {}
        done: Any = keras.ops.convert_to_numpy(self.optimizer.iterations)
        for step in range(start, stop):
            # Dropout without a seed of its own draws from PyTorch's generator, which is part of no checkpoint: each
            # step begins with a state that follows from its number.
            torch.manual_seed(self._seed + int(done) + step - start)
            for name, value in self._step(data, positions[step]).items():
                sums[name] = sums.get(name, 0.0) + value.detach().float()
        return {name: float(total) / (stop - start) for name, total in sums.items()}

    def evaluate_batch(self, data: Any, start: int, stop: int) -> dict[str, float]:
        inputs, targets = base.map_arrays(lambda tensor: tensor[start:stop], data)
        with torch.no_grad():
            outputs = self.model(inputs, training=False)
            loss, values = self.measure(targets, outputs, losses=self.model.losses)
        return {name: float(value) for name, value in {"loss": loss, **values}.items()}

    def _step(self, data: Any, positions: torch.Tensor) -> dict[str, torch.Tensor]:
        inputs, targets = base.map_arrays(lambda tensor: tensor[positions], data)
        variables = self.model.trainable_variables
        # `model.zero_grad()` knows only what the model was built with, and LoRA comes later.
        for variable in variables:
            variable.value.grad = None
        outputs = self.model(inputs, training=True)
        loss, values = self.measure(targets, outputs, losses=self.model.losses)
        self.optimizer.scale_loss(loss).backward()
        gradients = [variable.value.grad for variable in variables]
        with torch.no_grad():
            self.optimizer.apply(gradients, variables)
        return {"loss": loss, **values}


def compile_predict(model: keras.Model, *, xla: bool = False) -> Callable[[Any], Any]:
    """The forward pass of `model` without gradients: a batch (array or dict of arrays) to outputs, NumPy."""

    def predict(batch: Any) -> Any:
        with torch.inference_mode():
            tensors = base.map_arrays(keras.ops.convert_to_tensor, batch)
            outputs = base.keras_float32(model(tensors, training=False))
        return base.map_arrays(keras.ops.convert_to_numpy, outputs)

    return predict


def compile_gradients(function: Callable, variables: list[keras.Variable]) -> Callable:
    """See `layerwise.engines.base.Gradients`. PyTorch needs no list of the variables."""

    def gradients(points: Any, given: Any) -> Any:
        given = base.map_arrays(keras.ops.convert_to_tensor, given)
        points = base.map_arrays(_watched, points)
        values = function(points, given)
        return base.to_numpy((values, _gradients(values.sum(), points)))

    return gradients


def weight_gradients(model: keras.Model, loss: Callable, inputs: Any, targets: Any) -> list[np.ndarray]:
    """The gradient of `loss(targets, outputs)` by each trainable variable of `model`, outside of training."""
    outputs = base.keras_float32(model(base.map_arrays(keras.ops.convert_to_tensor, inputs), training=False))
    total = loss(keras.ops.convert_to_tensor(targets), outputs)
    return base.to_numpy(_gradients(total, [variable.value for variable in model.trainable_variables]))


def _watched(array: np.ndarray) -> torch.Tensor:
    tensor: Any = keras.ops.convert_to_tensor(array)
    return tensor.requires_grad_()


def _gradients(total: torch.Tensor, by: Any) -> Any:
    """The gradient of a scalar by each tensor of a nest, zero where it does not depend on it."""
    flat = keras.tree.flatten(by)
    found = torch.autograd.grad(total, flat, allow_unused=True) if total.requires_grad else [None] * len(flat)
    filled = [torch.zeros_like(tensor) if part is None else part for tensor, part in zip(flat, found, strict=True)]
    return keras.tree.pack_sequence_as(by, filled)
