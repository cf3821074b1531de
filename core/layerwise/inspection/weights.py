"""How the weights of each layer are distributed, and the gradients that a loss gives them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.errors import DataError
from layerwise.inspection.examples import real_examples
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.subject import Subject
from layerwise.plots import Histogram, Plot, Row, Table, Text
from layerwise.tasks.base import Task

EACH = "each layer"
MOST_HISTOGRAMS = 48
MOST_EXAMPLES = 256
MOST_NUMBERS = 2**25
"""How many numbers the layers may make of all examples together: with their gradients, about half a gigabyte."""
DATA, INPUT = "examples of the data", "this input"


def weights_look(subject: Subject) -> Look | None:
    """The look "weights"; None for a network without any."""
    layers = _layers(subject, trained=False)
    if not layers:
        return None
    return Look(
        name="weights",
        title="Weights",
        text="How the learnt numbers of each layer are distributed. Narrow around zero says that a layer does little, "
        "a few far outside that it relies on single connections.",
        show=lambda inputs, settings: _show_weights(subject, settings),
        settings=settings_of_look(layer=_layer_setting(layers)),
        needs_input=False,
    )


def gradients_look(subject: Subject) -> Look | None:
    """The look "gradients"; None for a network that training cannot change, or a part of a model."""
    layers = _layers(subject, trained=True)
    has_loss = type(subject.task).loss is not Task.loss
    if not layers or not has_loss or subject.spec.train is not None:
        return None
    choices = (DATA, INPUT)
    return Look(
        name="gradients",
        title="Gradients",
        text="How far each weight would be moved by a step of training: the gradients of the loss. Gradients that "
        "shrink from layer to layer towards the input vanish; the layers there hardly learn.",
        show=lambda inputs, settings: _show_gradients(subject, inputs, settings),
        settings=settings_of_look(
            of=(str, setting(DATA, "The examples whose loss it is", choices=choices)), layer=_layer_setting(layers)
        ),
        needs_input=False,
    )


def _layers(subject: Subject, *, trained: bool) -> dict[str, list[Any]]:
    """The variables of numbers of each step that has some; a shared layer once."""
    found: dict[str, list[Any]] = {}
    seen: set[int] = set()
    for step in subject.steps:
        variables = step.layer.trainable_variables if trained and step.is_trained else step.variables
        variables = [v for v in variables if "float" in v.dtype and (v.trainable or not trained)]
        if variables and id(step.layer) not in seen:
            found[step.name] = variables
        seen.add(id(step.layer))
    return found


def _layer_setting(layers: dict[str, list[Any]]) -> tuple[type, Any]:
    return str, setting(EACH, "The layer that is shown", choices=(EACH, *layers))


def _show_weights(subject: Subject, settings: Any) -> Sequence[Plot]:
    layers = _layers(subject, trained=False)
    values = {name: [(v, _to_numpy(v)) for v in variables] for name, variables in _chosen(layers, settings).items()}
    return _histograms(values, "value")


def _show_gradients(subject: Subject, inputs: Inputs, settings: Any) -> Sequence[Plot]:
    from layerwise import engines

    batch, targets, origin = _examples_with_targets(subject, inputs, settings.of)
    loss = subject.task.loss(subject.version.config)
    encoded = batch if len(batch) > 1 else next(iter(batch.values()))
    gradients = engines.current().weight_gradients(subject.model, loss, encoded, targets)
    by_variable = {id(v): array for v, array in zip(subject.model.trainable_variables, gradients, strict=True)}
    layers = _chosen(_layers(subject, trained=True), settings)
    values = {name: [(v, by_variable[id(v)]) for v in variables] for name, variables in layers.items()}
    return [Text(text=f"Gradients of the loss of {origin}."), *_histograms(values, "gradient")]


def _examples_with_targets(subject: Subject, inputs: Inputs, chosen: str) -> tuple[dict[str, np.ndarray], Any, str]:
    found = real_examples(subject, MOST_EXAMPLES) if chosen == DATA else None
    if found is not None and found.targets is not None:
        found = found.first(_fitting(subject, found.batch))
        return found.batch, found.targets, found.origin
    # Of a network that says something of each place no single label is right.
    if len(subject.labels) < 2 or len(subject.model.outputs[0].shape) > 2:
        raise DataError(
            "The gradients of a loss need examples with their right answers",
            remedy="put the data set of this model on this machine",
        )
    batch = subject.encode(inputs)
    label = int(subject.forward(batch)[0].argmax())
    return batch, np.array([label], "int32"), f"this input, as if {subject.labels[label]} were right"


def _fitting(subject: Subject, batch: dict[str, np.ndarray]) -> int:
    """Of how many examples, at least one, all that the layers make can be held at once, which gradients need."""
    longest = max((side for array in batch.values() for side in array.shape[1:]), default=1)
    numbers = sum(math.prod(side or longest for side in step.shape[1:]) for step in subject.steps)
    return max(1, MOST_NUMBERS // max(numbers, 1))


def _chosen(layers: dict[str, list[Any]], settings: Any) -> dict[str, list[Any]]:
    return layers if settings.layer == EACH else {settings.layer: layers[settings.layer]}


def _histograms(values: dict[str, list[tuple[Any, np.ndarray]]], of: str) -> list[Plot]:
    columns = ("weights", "numbers", "mean", "deviation", "least", "greatest")
    rows = [row for name, pairs in values.items() for row in _rows(name, pairs)]
    plots = list(_drawn(values, of))[:MOST_HISTOGRAMS]
    return [
        Table(columns=columns, rows=rows),
        *(Row(plots=plots[start : start + 3]) for start in range(0, len(plots), 3)),
    ]


def _rows(name: str, pairs: Sequence[tuple[Any, np.ndarray]]) -> Iterator[Sequence[str | float]]:
    for variable, array in pairs:
        numbers = array.astype("float64")
        least, greatest = float(numbers.min()), float(numbers.max())
        yield (
            f"{name}: {variable.name}",
            f"{array.size:,}",
            float(numbers.mean()),
            float(numbers.std()),
            least,
            greatest,
        )


def _drawn(values: dict[str, list[tuple[Any, np.ndarray]]], of: str) -> Iterator[Histogram]:
    for name, pairs in values.items():
        for variable, array in pairs:
            if array.size > 1:
                yield Histogram.of(array, title=f"{name}: {variable.name}", x_label=of)


def _to_numpy(variable: Any) -> np.ndarray:
    from layerwise.engines.base import to_numpy

    return to_numpy(variable.value)
