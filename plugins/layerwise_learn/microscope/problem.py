"""A network and a batch under the microscope."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from layerwise.errors import InputError, LayerwiseError, SpecError
from layerwise.from_scratch.backprop import DenseNetwork, Step
from layerwise_learn.microscope.explanation import Place

MAX_LAYERS, MAX_UNITS, MAX_EXAMPLES = 8, 16, 16
"""What can still be looked at number by number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A network, a batch, a loss and a learning rate: all that a training step needs.

    Args:
        network: At most 8 layers of at most 16 units.
        inputs: [examples, inputs], at most 16 examples.
        targets: [examples, outputs], or for classes their numbers, [examples].
        loss: "squared_error" or "cross_entropy".
        learning_rate: The step size of gradient descent.

    Raises:
        SpecError, InputError: The parts do not fit each other, or are too large to be looked at.
    """

    network: DenseNetwork
    inputs: Any
    targets: Any
    loss: str
    learning_rate: float

    def __post_init__(self) -> None:
        sizes = self.sizes
        if len(sizes) - 1 > MAX_LAYERS or max(sizes) > MAX_UNITS or len(self.inputs) > MAX_EXAMPLES:
            raise SpecError(
                "This is too large for the microscope",
                expected=f"at most {MAX_LAYERS} layers of at most {MAX_UNITS} units, and {MAX_EXAMPLES} examples",
                received=f"layers of {', '.join(map(str, sizes))} units, {len(self.inputs)} examples",
            )
        if not 0 < self.learning_rate < math.inf:
            raise SpecError(
                "The learning rate is not usable", expected="a number above 0", received=f"{self.learning_rate:g}"
            )
        if not all(np.isfinite(value).all() for _, _, value in self.step.values()):
            raise InputError(
                "The numbers have grown beyond what a computer can write",
                expected="finite weights, inputs and targets",
                remedy="take a smaller learning rate, or begin again",
            )

    @classmethod
    def from_json(cls, parts: Mapping[str, Any]) -> Problem:
        """What `to_json` or the playground wrote. Of more than 16 examples the first ones are taken.

        Raises:
            SpecError, InputError: It is no such thing.
        """
        try:
            # Whole numbers in a flat list are classes, wherever the loss wants them.
            targets = np.asarray(parts["targets"][:MAX_EXAMPLES])
            network = DenseNetwork(
                weights=parts["weights"],
                biases=parts["biases"],
                activations=parts.get("activations", ()),
                output_activation=parts.get("output_activation", "linear"),
            )
            inputs = np.asarray(parts["inputs"][:MAX_EXAMPLES], dtype=np.float64)
            rate = float(parts["learning_rate"])
            with np.errstate(all="ignore"):
                return cls(network=network, inputs=inputs, targets=targets, loss=parts["loss"], learning_rate=rate)
        except LayerwiseError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                "The network cannot be read",
                expected="weights, biases, activations, output_activation, inputs, targets, loss, learning_rate",
                received=f"{type(error).__name__}: {error}",
            ) from None

    def to_json(self) -> dict[str, Any]:
        """All of it, as lists, texts and numbers."""
        return {
            "weights": [weights.tolist() for weights in self.network.weights],
            "biases": [biases.tolist() for biases in self.network.biases],
            "activations": list(self.network.activations),
            "output_activation": self.network.output_activation,
            "inputs": np.asarray(self.inputs).tolist(),
            "targets": np.asarray(self.targets).tolist(),
            "loss": self.loss,
            "learning_rate": self.learning_rate,
        }

    @property
    def sizes(self) -> list[int]:
        """The numbers of units, from the inputs to the outputs."""
        return [len(self.network.weights[0]), *(weights.shape[1] for weights in self.network.weights)]

    @cached_property
    def step(self) -> Step:
        """The four steps, done once."""
        return self.network.step(self.inputs, self.targets, loss=self.loss, learning_rate=self.learning_rate)

    def next(self) -> Problem:
        """The same with the network after the update."""
        return Problem(
            network=self.step.update.network,
            inputs=self.inputs,
            targets=self.targets,
            loss=self.loss,
            learning_rate=self.learning_rate,
        )

    def places(self) -> Iterator[tuple[str, Place, float]]:
        """(step, place, value) of every number, in the order in which they are computed. Of an update only what comes
        out is among them.
        """
        for step, name, array in self.step.values():
            if step == "update" and not name.endswith("after"):
                continue
            for index in np.ndindex(array.shape):
                yield step, Place(name=name, index=index), float(array[index])
