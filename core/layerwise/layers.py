"""Which layers a Keras model has, whatever it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def leaves(model: keras.Model) -> list[Any]:
    """The layers of a network, those of networks within it in their place."""
    import keras

    return [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]


def heads(model: keras.Model) -> list[Any]:
    """The last layer with weights before each output; none for a model that is no graph of layers."""
    import keras

    found: dict[int, Any] = {}
    for output in keras.tree.flatten(getattr(model, "outputs", None) or []):
        found |= {id(layer): layer for layer in _nearest_with_weights(output)}
    return list(found.values())


def _nearest_with_weights(tensor: Any) -> list[Any]:
    import keras

    operation, node, _ = tensor._keras_history
    if isinstance(operation, keras.Model) and (within := heads(operation)):
        return within
    if getattr(operation, "variables", None):
        return [operation]
    return [layer for given in operation._inbound_nodes[node].input_tensors for layer in _nearest_with_weights(given)]
