"""Controls that the experiments of several lessons share."""

from __future__ import annotations

from typing import Any

from layerwise import setting

ACTIVATION_NAMES = (
    "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh", "softsign", "linear",
)  # fmt: skip
"""Those of `layerwise.activations.ACTIVATIONS`, which is not imported here: lessons are registered without NumPy."""


def activation(default: str, meaning: str = "Activation function of the hidden units") -> Any:
    return setting(default, meaning, choices=ACTIVATION_NAMES)


def seed() -> Any:
    return setting(0, "Another seed gives other random numbers", minimum=0, maximum=99)


OPTIMIZER_NAMES = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
"""Those of `layerwise.from_scratch.descent.OPTIMIZERS`, for the same reason not imported."""
