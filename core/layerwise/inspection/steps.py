"""The steps of a network: each call of a layer by name, those of models within models included; and a forward pass in
which what a step gives can be read and replaced.

A step is named after its layer, "encoder/convolution_1" within a nested model, and "norm:2" for the second call of a
shared layer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError

if TYPE_CHECKING:
    import keras

Tensor = Any
Shape = tuple[int | None, ...]
Visit = Callable[[str, Any], Any]
"""`(name, outputs) -> outputs`: sees what a step gives, and says with what the network goes on."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call of a layer (or of an operation of `keras.ops`).

    Args:
        name: Unique in its network.
        layer: What is called.
        sources: The names of the steps and inputs whose results it is given.
        shape: Of its (first) result, with the batch, None where it depends on the input.
        input_shape: Of the first that it is given.
        dtype: Of its result.
    """

    name: str
    layer: Any
    sources: tuple[str, ...]
    shape: Shape
    input_shape: Shape
    dtype: str

    @property
    def kind(self) -> str:
        """The class of its layer: "Conv2D"."""
        return type(self.layer).__name__

    @property
    def variables(self) -> list[keras.Variable]:
        """The weights of its layer, those that are not trained included."""
        return list(getattr(self.layer, "weights", ()))

    @property
    def is_trained(self) -> bool:
        """Whether it has weights that training changes."""
        return bool(getattr(self.layer, "trainable_variables", ()))


def graph_of(model: Any) -> Any:
    """The graph of layers behind a Functional or Sequential model; None where there is none to see."""
    import keras

    if isinstance(model, keras.Sequential):
        return getattr(model, "_functional", None)
    return model if hasattr(model, "_nodes_by_depth") else None


def input_names(model: keras.Model) -> list[str]:
    """The names by which a model takes its inputs, in the order of `model.inputs`."""
    graph = graph_of(model)
    return sorted(graph.input) if isinstance(graph.input, Mapping) else [tensor.name for tensor in graph.inputs]


def steps_of(model: keras.Model) -> list[Step]:
    """The steps of a Functional or Sequential model; each comes after all that it needs.

    Raises:
        LayerwiseError: The model has no graph of layers.
    """
    graph = graph_of(model)
    if graph is None:
        raise LayerwiseError(
            f"The layers of {model.name} cannot be seen, because it is no Functional model",
            remedy="let its build return one, or give the model a method inspectable() -> {name: Functional model}",
        )
    found: list[Step] = []
    _collect(graph, dict(zip(map(id, graph.inputs), input_names(model), strict=True)), "", found)
    return found


def _collect(graph: Any, sources: dict[int, str], prefix: str, found: list[Step]) -> None:
    """Append the steps of a graph. `sources` says for each tensor which step it comes from, and is added to."""
    import keras

    for name, node in _named_nodes(graph, prefix):
        inner = graph_of(node.operation)
        if inner is not None:
            given = keras.tree.flatten(node.arguments.args[0])
            within = {id(tensor): sources[id(outer)] for tensor, outer in zip(inner.inputs, given, strict=True)}
            _collect(inner, within, f"{name}/", found)
            results = [within[id(tensor)] for tensor in inner.outputs]
        else:
            results = [name] * len(node.outputs)
            found.append(
                Step(
                    name=name,
                    layer=node.operation,
                    sources=tuple(dict.fromkeys(sources[id(tensor)] for tensor in node.input_tensors)),
                    shape=tuple(node.outputs[0].shape),
                    input_shape=tuple(node.input_tensors[0].shape) if node.input_tensors else (),
                    dtype=node.outputs[0].dtype,
                )
            )
        sources.update(zip(map(id, node.outputs), results, strict=True))


def _named_nodes(graph: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    # Keras has no public way to walk the calls of a graph; its own plot_model and clone_model use the same attribute.
    calls: dict[str, int] = {}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.operation is None or node.is_input:
                continue
            name = node.operation.name
            calls[name] = calls.get(name, 0) + 1
            yield prefix + (name if calls[name] == 1 else f"{name}:{calls[name]}"), node


def run(model: keras.Model, inputs: Mapping[str, Tensor], visit: Visit | None = None) -> Any:
    """The forward pass of `model` outside of training, step by step, on whatever backend Keras uses.

    Args:
        model: A model that `steps_of` can read.
        inputs: A tensor or array [examples, ...] for each of `input_names`.
        visit: Sees, and may replace, what each step gives.

    Returns:
        What `model(inputs, training=False)` does.
    """
    from keras import ops

    graph = graph_of(model)
    tensors = [
        ops.convert_to_tensor(inputs[name], dtype=None if reference.dtype == "string" else reference.dtype)
        for name, reference in zip(input_names(model), graph.inputs, strict=True)
    ]
    return _run(graph, tensors, visit or (lambda _, outputs: outputs), "")


def _run(graph: Any, tensors: Sequence[Tensor], visit: Visit, prefix: str) -> Any:
    import keras

    values = dict(zip(map(id, graph.inputs), tensors, strict=True))
    for name, node in _named_nodes(graph, prefix):
        arguments, options = node.arguments.fill_in(values)
        inner = graph_of(node.operation)
        if inner is not None:
            # A mask among the options is known to the tensors themselves.
            outputs = _run(inner, keras.tree.flatten(arguments[0]), visit, f"{name}/")
        else:
            if "training" in inspect.signature(node.operation.call).parameters:
                options["training"] = False
            outputs = visit(name, node.operation(*arguments, **options))
        values.update(zip(map(id, node.outputs), keras.tree.flatten(outputs), strict=True))
    return keras.tree.pack_sequence_as(graph.output, [values[id(tensor)] for tensor in graph.outputs])


def first(outputs: Any) -> Tensor:
    """The first tensor of what a step gives."""
    import keras

    return keras.tree.flatten(outputs)[0]
