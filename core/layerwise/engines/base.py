"""What the engines have in common: the interface of a Trainer, and how a loss is put together."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np

Metrics = Mapping[str, Callable]
"""By name: `(targets, outputs) -> scalar`, the mean over a batch, in `keras.ops`."""

Gradients = Callable[[Any, Any], tuple[Any, Any]]
"""What `compile_gradients(function, variables)` gives: `(points, given) -> (values, gradients)`, NumPy, in one compiled
call. `function(points, given) -> values [examples]` is in `keras.ops` and may use `variables`; `points` and `given` are
nests of arrays, those of `points` floating-point. As each value depends on its own example alone, the gradients of
their sum, nested like `points`, are those of each; zero where a value does not depend on a point."""


class Trainer(abc.ABC):
    """Runs many steps of training in one compiled call.

    Examples stay where the device can gather them: a call is given their positions, so that nothing but a few
    integers crosses from Python for hundreds of steps. The weights live in the Keras variables of the model,
    which are up to date between two calls.

    The same steps give the same bits, however many of them a call does. That holds because a step is compiled once
    and `start` and `stop` are arguments of it. A subclass for several devices may override `place` and, in the
    engines, `_step` (a gather, a forward pass, gradients and an update) and `_measure_batch`; the loop around
    them stays.

    Args:
        model: The network; its variables are changed in place.
        optimizer: Built for the trainable variables if it is not yet.
        loss: `(targets, outputs) -> scalar`, the mean over a batch. Losses that layers add are added to it.
        metrics: What is watched beside the loss.
        xla: Whether XLA compiles the steps as one loop (TensorFlow: else its own kernels run it; JAX: else steps
            are compiled one by one). PyTorch ignores it.
    """

    num_replicas = 1
    """How many devices share the batches."""

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Callable, metrics: Metrics, *, xla: bool
    ) -> None:
        self.model, self.optimizer, self.loss, self.metrics, self.xla = model, optimizer, loss, dict(metrics), xla
        if not optimizer.built:
            optimizer.build(model.trainable_variables)

    def compile(self, *, xla: bool) -> None:
        """Compile the step anew, with XLA or without, where the engine has the choice. Variables stay as they are."""
        self.xla = xla

    def agree(self, *values: float) -> list[float]:
        """What the first of several workers says, on all of them. They must call everything in the same order and for
        the same number of steps, so what one alone can know (the time, a wish to stop) is settled here."""
        return list(values)

    @abc.abstractmethod
    def place(self, inputs: Any, targets: Any) -> Any:
        """Examples [examples, ...] (arrays or dicts of arrays) as the device holds them, for `train` and
        `evaluate`."""

    @abc.abstractmethod
    def train(self, data: Any, order: np.ndarray, start: int, stop: int) -> dict[str, float]:
        """Do the steps `start` to `stop - 1` of `order`.

        Args:
            data: What `place` gave.
            order: Positions of examples, int32 [steps, batch]; of the same shape in every call, so that it is
                compiled once.

        Returns:
            The means of "loss" and of each metric over these steps.
        """

    @abc.abstractmethod
    def evaluate_batch(self, data: Any, start: int, stop: int) -> dict[str, float]:
        """The means of "loss" and of each metric over the examples `start` to `stop - 1`, without training."""

    def measure(self, targets: Any, outputs: Any, *, losses: list[Any]) -> tuple[Any, dict[str, Any]]:
        """The whole loss and the metrics of one batch, in `keras.ops`.

        Args:
            losses: The losses that layers added (regularisation).
        """
        from keras import ops

        # In mixed precision outputs come in 16 bits, in which sums over a batch lose digits.
        outputs = keras_float32(outputs)
        loss = self.loss(targets, outputs)
        for extra in losses:
            loss = loss + ops.cast(extra, loss.dtype)
        return loss, {name: metric(targets, outputs) for name, metric in self.metrics.items()}


def map_arrays(function: Callable, nest: Any) -> Any:
    """`function` of each array or tensor of a nest (tuple, dict ...), in a nest of the same form."""
    import keras

    return keras.tree.map_structure(function, nest)


def to_numpy(nest: Any) -> Any:
    """A nest of tensors as NumPy arrays, floating-point ones in at least 32 bits."""
    import keras

    return map_arrays(keras.ops.convert_to_numpy, keras_float32(nest))


def keras_float32(outputs: Any) -> Any:
    """Outputs of a network (a tensor or a nest of tensors), floating-point ones as float32."""
    import keras

    def widen(tensor: Any) -> Any:
        is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype))
        narrow = is_float and keras.backend.standardize_dtype(tensor.dtype) != "float64"
        return keras.ops.cast(tensor, "float32") if narrow else tensor

    return map_arrays(widen, outputs)
