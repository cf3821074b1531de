"""Spectrograms that differ a little in each step of a training."""

from __future__ import annotations

from typing import Any

import keras
from keras import random

ops: Any = keras.ops


@keras.saving.register_keras_serializable("layerwise_speech")
class SpecAugment(keras.layers.Layer):
    """While training, blots out some stretches of time and of frequencies of spectrograms [batch, frames, bands] (Park
    et al. 2019, "SpecAugment", arXiv:1904.08779), and makes each as a whole louder or quieter. Otherwise it does
    nothing.

    Args:
        masks: Stretches of each kind.
        frames: The most frames of a stretch of time.
        bands: The most bands of a stretch of frequencies.
        loudness: The standard deviation of what is added to a spectrogram, in its own units.
        seed: Of the random numbers.
    """

    def __init__(
        self, masks: int, frames: int, bands: int, loudness: float, seed: int | None = None, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.masks, self.frames, self.bands, self.loudness, self.seed = masks, frames, bands, loudness, seed
        self._random = random.SeedGenerator(seed)

    def call(self, spectrograms: Any, training: bool = False) -> Any:
        if not training:
            return spectrograms
        batch = ops.shape(spectrograms)[0]
        dtype = spectrograms.dtype
        louder = random.normal((batch, 1, 1), stddev=self.loudness, dtype=dtype, seed=self._random)
        kept = ops.ones((batch, 1, 1), dtype=dtype)
        for _ in range(self.masks):
            kept = kept * ops.expand_dims(self._kept(batch, spectrograms.shape[1], self.frames, dtype), 2)
            kept = kept * ops.expand_dims(self._kept(batch, spectrograms.shape[2], self.bands, dtype), 1)
        mean = ops.mean(spectrograms, axis=(1, 2), keepdims=True)
        return mean + louder + (spectrograms - mean) * kept

    def _kept(self, batch: Any, length: int, most: int, dtype: Any) -> Any:
        """0 in a stretch of up to `most` places, 1 elsewhere, [batch, length]."""
        size = random.uniform((batch, 1), 0.0, float(most), dtype="float32", seed=self._random)
        start = random.uniform((batch, 1), 0.0, float(length), dtype="float32", seed=self._random) - size / 2
        places = ops.expand_dims(ops.arange(length, dtype="float32"), 0)
        return ops.cast(ops.logical_or(places < start, places >= start + size), dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        names = ("masks", "frames", "bands", "loudness", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
