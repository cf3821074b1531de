"""The front end: from a waveform to a log-mel spectrogram, as a layer of the network."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

ops: Any = keras.ops

LEAST_POWER = 1e-6
"""Added to the power of a band before its logarithm is taken: what is quieter is silence."""


def mel(hertz: Any) -> Any:
    """The mel scale of O'Shaughnessy 1987, 2595 log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, "float64") / 700.0)


def mel_filters(rate: int, window: int, bands: int, lowest: float, highest: float) -> np.ndarray:
    """How much of each frequency belongs to each band: triangles that are equally wide on the mel scale, float32
    [frequencies, bands], each with the sum 1.

    Args:
        rate: Samples a second.
        window: Samples of a frame; there are window / 2 + 1 frequencies.
        lowest, highest: In hertz.
    """
    edges = np.linspace(mel(lowest), mel(highest), bands + 2)
    frequencies = mel(np.arange(window // 2 + 1) * rate / window)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    return (filters / np.maximum(filters.sum(axis=0), 1e-9)).astype("float32")


@keras.saving.register_keras_serializable("layerwise_speech")
class LogMel(keras.layers.Layer):
    """Waveforms [batch, samples] to the logarithm of their power in each band, [batch, frames, bands]. A frame is
    `hop` samples; its window reaches as far before as after it. Everything is a product with fixed matrices, so it is
    exported and derived like any other layer.

    Args:
        rate: Samples a second.
        window: Samples that a frame looks at.
        hop: Samples from frame to frame, a divisor of the window's half or not.
        bands: How many.
        lowest, highest: Frequencies in hertz.
    """

    def __init__(
        self, rate: int, window: int, hop: int, bands: int, lowest: float, highest: float, **arguments: Any
    ) -> None:
        # In 16 bits quiet sounds would be lost among loud ones.
        super().__init__(**{"dtype": "float32", **arguments})
        self.rate, self.window, self.hop, self.bands = rate, window, hop, bands
        self.lowest, self.highest = lowest, highest
        angles = 2 * np.pi * np.outer(np.arange(window), np.arange(window // 2 + 1)) / window
        shape = np.hanning(window + 1)[:-1, None] * 2.0 / window
        self._waves = np.concatenate([np.cos(angles) * shape, np.sin(angles) * shape], axis=1).astype("float32")
        self._filters = mel_filters(rate, window, bands, lowest, highest)

    def call(self, waveforms: Any) -> Any:
        before = (self.window - self.hop) // 2
        padded = ops.pad(waveforms, [[0, 0], [before, self.window - self.hop - before]])
        frames = ops.extract_sequences(padded, self.window, self.hop)
        cosines, sines = ops.split(ops.matmul(frames, ops.convert_to_tensor(self._waves)), 2, axis=-1)
        power = ops.matmul(ops.square(cosines) + ops.square(sines), ops.convert_to_tensor(self._filters))
        return ops.log(power + LEAST_POWER)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        samples = input_shape[1]
        return input_shape[0], None if samples is None else samples // self.hop, self.bands

    def get_config(self) -> dict[str, Any]:
        names = ("rate", "window", "hop", "bands", "lowest", "highest")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
