"""Whisper's picture of a sound: how strong each band of frequencies is at each moment, as a layer of the network."""

from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
from keras import layers, ops

from layerwise_speech.whisper.shape import HOP, RATE

LENGTH = 400
"""Samples of a frame, 25 ms."""
WEAKEST = 1e-10
"""A power below this counts as this."""
RANGE = 8.0
"""How far below the strongest band of the window a band can be, in powers of ten."""


def mel_filters(num_bands: int) -> np.ndarray:
    """How much each frequency counts in each band, float32 [frequencies, bands]: triangles that are evenly wide to the
    ear and that all have the same area (Slaney 1998, Auditory Toolbox).

    Args:
        num_bands: From 0 to 8 kHz.
    """
    frequencies = np.linspace(0, RATE / 2, LENGTH // 2 + 1)
    edges = _hertz(np.linspace(0, _mel(RATE / 2), num_bands + 2))
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies[:, None] - low) / (middle - low)
    falling = (high - frequencies[:, None]) / (high - middle)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (high - low)).astype("float32")


def _mel(hertz: float) -> float:
    """Slaney's scale for frequencies from 1000 Hz on: 15 mels up to there, then 27 for each factor of 6.4."""
    return 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def _hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 1000 / 15, 1000 * 6.4 ** ((mel - 15) / 27))


class LogMel(layers.Layer):
    """The spectrogram as Whisper was trained on it (Radford et al. 2022, arXiv:2212.04356, section 2.2): frames of 25
    ms every 10 ms, the sound mirrored at both ends, logarithms of mel bands, those 80 dB below the strongest one cut
    off, and about -1 to 1 in the end.

    Args:
        num_bands: Bands of frequencies.
        num_samples: Of a sound, at 16 kHz; a multiple of the hop.
    """

    def __init__(self, num_bands: int, num_samples: int, name: str) -> None:
        # In 16 bits a quiet band beside a loud one would be noise.
        super().__init__(name=name, dtype="float32", trainable=False)
        self.num_frames, self.num_bands = num_samples // HOP, num_bands
        self.window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / LENGTH)).astype("float32")
        self.filters = mel_filters(num_bands)

    def call(self, audio: Any) -> Any:
        """Float32 [batch, frames, bands], of waveforms float32 [batch, samples] from -1 to 1."""
        # The last frame that counts ends before the mirrored part does, so less of it is needed at the end.
        padded: Any = ops.pad(audio, [[0, 0], [LENGTH // 2, 2 * HOP - LENGTH // 2]], mode="reflect")
        hops: Any = ops.reshape(padded, (-1, self.num_frames + 2, HOP))
        frames = ops.concatenate([hops[:, :-2], hops[:, 1:-1], hops[:, 2:, : LENGTH - 2 * HOP]], axis=2)
        # A Fourier transform, and no product with a matrix of waves: some devices multiply matrices in fewer bits.
        real, imaginary = cast("Any", ops.rfft(ops.multiply(frames, self.window)))
        power: Any = ops.add(ops.square(real), ops.square(imaginary))
        bands: Any = ops.log10(ops.maximum(ops.matmul(power, ops.convert_to_tensor(self.filters)), WEAKEST))
        strongest: Any = ops.max(bands, axis=(1, 2), keepdims=True)
        kept: Any = ops.maximum(bands, strongest - RANGE)
        return (kept + 4.0) / 4.0

    def compute_output_spec(self, audio: Any) -> keras.KerasTensor:
        return keras.KerasTensor((audio.shape[0], self.num_frames, self.num_bands), "float32")
