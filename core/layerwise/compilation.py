"""Whether XLA compiles the training step of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def uses_xla(model: keras.Model, compiler: str) -> bool:
    """Whether XLA compiles the training step.

    "auto" was measured on CPUs, where XLA makes dense networks several times as fast and convolutions slower
    (benchmarks/training.py). On accelerators, for which it was made, it is always used.
    """
    import keras

    from layerwise.devices import describe

    if compiler != "auto":
        return compiler == "xla"
    has_convolutions = any(isinstance(layer, _convolutions(keras)) for layer in model._flatten_layers())
    return not has_convolutions or any(device["kind"] != "CPU" for device in describe())


def _convolutions(keras: Any) -> tuple[type, ...]:
    layers = keras.layers
    return (
        layers.Conv1D,
        layers.Conv2D,
        layers.Conv3D,
        layers.DepthwiseConv1D,
        layers.DepthwiseConv2D,
        layers.SeparableConv1D,
        layers.SeparableConv2D,
        layers.Conv1DTranspose,
        layers.Conv2DTranspose,
        layers.Conv3DTranspose,
    )
