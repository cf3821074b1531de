"""Blocks of layers that several networks for pictures are made of."""

from __future__ import annotations

from typing import Any


def convolution(x: Any, filters: int, name: str) -> Any:
    """A 3x3 convolution, batch normalisation and ReLU. Without a bias: the normalisation has one."""
    from keras import layers

    x = layers.Conv2D(
        filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"convolution_{name}"
    )(x)
    # Momentum 0.9: the running statistics keep up with a learning rate that falls to zero within the run.
    x = layers.BatchNormalization(momentum=0.9, name=f"norm_{name}")(x)
    return layers.Activation("relu", name=f"activation_{name}")(x)
