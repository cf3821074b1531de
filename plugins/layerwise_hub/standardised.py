"""The layer of a probe that brings all numbers to one size."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

LEAST = 1e-6
"""Of a standard deviation: numbers that are always the same say nothing."""


@keras.saving.register_keras_serializable("layerwise_hub")
class Standardised(layers.Layer):
    """Numbers [examples, dimensions] with the mean 0 and one standard deviation for all over what it has learned from,
    such that an example has the length 1, about, however many numbers there are; as they are before that. Unlike
    keras.layers.Normalization all that it knows is in its variables."""

    def build(self, input_shape: Any) -> None:
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", trainable=False, name="scale")

    def learn(self, numbers: np.ndarray) -> None:
        """Take the mean and the standard deviation from examples [examples, dimensions]."""
        exact = np.asarray(numbers, "float32")
        deviation = exact.std(axis=0)
        scale = 1 / np.maximum(deviation, LEAST) / len(deviation) ** 0.5
        self.mean.assign(exact.mean(axis=0))
        self.scale.assign(np.where(deviation > LEAST, scale, 0))

    def call(self, inputs: Any) -> Any:
        return (inputs - self.mean) * self.scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
