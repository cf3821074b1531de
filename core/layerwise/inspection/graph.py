"""The layers of a network with their shapes and parameters, and how they are connected."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from layerwise.inspection.looks import Look
from layerwise.inspection.steps import Shape, Step
from layerwise.inspection.subject import Subject
from layerwise.plots import Graph, Node, Plot, Text

MOST_NODES = 150


def look(subject: Subject) -> Look:
    """The look "layers"."""
    return Look(
        name="layers",
        title="Layers",
        text="What the network is made of: each layer with the shape of what it gives, and how many parameters it has.",
        show=lambda inputs, settings: _show(subject),
        needs_input=False,
    )


def _show(subject: Subject) -> Sequence[Plot]:
    model, steps = subject.model, subject.steps
    count = model.count_params()
    trained = sum(prod(variable.shape) for variable in _numbers(model.trainable_variables))
    said = (
        f"{len(steps)} layers, {count:,} parameters ({_size(subject)}), "
        f"{trained:,} of which training changes. The shapes leave out the number of examples."
    )
    if len(steps) > MOST_NODES:
        said += f" The first {MOST_NODES} layers are drawn."
    return [Text(text=said), Graph(nodes=[*_inputs(subject), *_nodes(steps[:MOST_NODES])])]


def _numbers(variables: Sequence[Any]) -> list[Any]:
    """Variables of numbers; the state of random layers holds none that were learnt."""
    return [variable for variable in variables if "float" in variable.dtype]


def _size(subject: Subject) -> str:
    size = sum(prod(v.shape) * (2 if "16" in v.dtype else 4) for v in _numbers(subject.model.variables))
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _inputs(subject: Subject) -> list[Node]:
    return [
        Node(name=name, title=name, lines=("input", shape_text(tensor.shape)))
        for name, tensor in zip(subject.input_names, subject.model.inputs, strict=True)
    ]


def _nodes(steps: Sequence[Step]) -> list[Node]:
    seen: set[int] = set()
    nodes = []
    for step in steps:
        lines = [step.kind, shape_text(step.shape)]
        count = sum(prod(variable.shape) for variable in _numbers(step.variables))
        if count:
            shared = ", shared" if id(step.layer) in seen else ""
            lines.append(f"{count:,} parameters{shared}")
        activation = getattr(getattr(step.layer, "activation", None), "__name__", "linear")
        if activation != "linear":
            lines.append(f"activation {activation}")
        seen.add(id(step.layer))
        nodes.append(Node(name=step.name, title=step.name, lines=tuple(lines), inputs=step.sources))
    return nodes


def shape_text(shape: Shape) -> str:
    """The shape of one example in words: "28 × 28 × 32"; a size that depends on the input is "any"."""
    return " × ".join("any" if size is None else str(size) for size in shape[1:]) or "one number"
