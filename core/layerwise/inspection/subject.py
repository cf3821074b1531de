"""What is looked into: a network, with what its model knows of its inputs and its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.config import setting
from layerwise.errors import InputError
from layerwise.inspection.steps import Step, Tensor, first, input_names, run, steps_of
from layerwise.serving.named_inputs import named_inputs
from layerwise.tasks.fields import main_field

if TYPE_CHECKING:
    import keras

    from layerwise.registry import Snapshot
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

Batch = dict[str, np.ndarray]
"""Encoded examples [examples, ...] by the name of the network's input."""
ANSWER = "what it answers"
"""The choice of the class that the network finds most probable."""
MOST_CLASSES = 1000


class Subject:
    """A network of a version.

    Args:
        name: Its name among the networks of the model.
        model: A Functional or Sequential model with the version's weights.
        version: What it is a part of.
        spec: The model.
        snapshot: What is registered.

    Raises:
        LayerwiseError: The layers of the network cannot be seen.
    """

    def __init__(self, name: str, model: keras.Model, version: Version, spec: ModelSpec, snapshot: Snapshot) -> None:
        self.name, self.model, self.version, self.spec, self.snapshot = name, model, version, spec, snapshot
        self.task = version.task
        self.steps: list[Step] = steps_of(model)
        self.input_names: list[str] = input_names(model)

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def encode(self, inputs: Mapping[str, Any] | None) -> Batch:
        """One input of the task as a batch of one.

        Raises:
            InputError: There is no input, it cannot be used, or this network takes something else than what the task
                encodes.
        """
        if inputs is None:
            raise InputError("There is no input to look at", remedy="give one, or choose an example")
        return self.batch(self.task.encode(named_inputs(self.version, inputs)))

    def batch(self, encoded: Any) -> Batch:
        """What the task encodes, by the names of the network's inputs.

        Raises:
            InputError: This network takes something else.
        """
        parts: Mapping[str, Any] = encoded if isinstance(encoded, Mapping) else {self.input_names[0]: encoded}
        if set(self.input_names) - set(parts) or any(
            not _fits(np.shape(parts[name])[1:], tensor.shape[1:])
            for name, tensor in zip(self.input_names, self.model.inputs, strict=True)
        ):
            raise InputError(
                f"The network {self.name} is not the one that takes the input",
                expected=", ".join(f"{tensor.name} {list(tensor.shape[1:])}" for tensor in self.model.inputs),
                received=", ".join(f"{name} {list(np.shape(part)[1:])}" for name, part in parts.items()),
                remedy="choose another network of this model",
            )
        return {name: np.asarray(parts[name]) for name in self.input_names}

    def kind(self, name: str) -> str:
        """The kind of the task's input field that an input of the network is made of; empty when that is not known."""
        by_name = {field.name: field.kind for field in self.task.inputs}
        main = main_field(self.task.inputs) if len(self.input_names) == 1 else None
        return by_name.get(name, main.kind if main is not None else "")

    def part_names(self, batch: Batch, name: str) -> list[str] | None:
        """What the parts of an input along its first axis are called: tokens, columns; None when they have no names."""
        names = self.task.part_names(batch if len(batch) > 1 else batch[self.input_names[0]])
        if isinstance(names, Mapping):
            names = names.get(name)
        return None if names is None else list(names)

    # What it answers

    def scores(self, outputs: Any) -> Tensor:
        """Numbers [examples, scores] out of the network's outputs: those of its first output, and where it gives some
        for each of several places those that the task takes."""
        from keras import ops

        tensor: Any = first(outputs)
        if len(tensor.shape) == 1:
            tensor = ops.expand_dims(tensor, -1)
        return ops.cast(self.task.explained(tensor) if len(tensor.shape) > 2 else tensor, "float32")

    def score(self, outputs: Any, target: Tensor) -> Tensor:
        """The score [examples] of one class.

        Args:
            target: Its number, a scalar.
        """
        from keras import ops

        return ops.take(self.scores(outputs), target, axis=1)

    @cached_property
    def labels(self) -> list[str]:
        """The names of the scores."""
        count = self.model.outputs[0].shape[-1] if len(self.model.outputs[0].shape) > 1 else 1
        for known in (getattr(self.task, "output_names", ()), getattr(self.task, "labels", ())):
            if len(known) == count:
                return list(known)
        return [f"output {number}" for number in range(1, (count or 0) + 1)]

    @property
    def target_setting(self) -> tuple[type, Any] | None:
        """The setting "target": which class is explained; None for a network with one output."""
        if len(self.labels) < 2:
            return None
        choices = (ANSWER, *(label for label in self.labels[:MOST_CLASSES] if label != ANSWER))
        return str, setting(ANSWER, "The class that is explained", choices=choices)

    def target(self, batch: Batch, settings: Any) -> int:
        """The number of the class that the settings name."""
        chosen = getattr(settings, "target", ANSWER)
        return int(self.forward(batch)[0].argmax()) if chosen == ANSWER else self.labels.index(chosen)

    # What it computes

    def forward(self, batch: Batch) -> np.ndarray:
        """The scores [examples, scores] of a batch."""
        from layerwise.engines.base import to_numpy

        return to_numpy(self.scores(run(self.model, batch)))

    def activations(self, batch: Batch, names: Iterable[str]) -> dict[str, np.ndarray]:
        """What the steps of these names give, [examples, ...] each, the first result of those that give several."""
        from layerwise.engines.base import to_numpy

        wanted, found = set(names), {}

        def keep(name: str, outputs: Any) -> Any:
            if name in wanted:
                found[name] = to_numpy(first(outputs))
            return outputs

        run(self.model, batch, keep)
        return found


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(b is None or a == b for a, b in zip(shape, wanted, strict=True))
