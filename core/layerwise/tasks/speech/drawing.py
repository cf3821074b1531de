"""Pictures of a sound: its waveform and its spectrogram with the words placed in time, and what a network heard in
each frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.plots import Heatmap, Line, LinePlot, Plot
from layerwise.tasks.speech.words import Word

MOST_COLUMNS = 400
"""How many places in time a picture has."""
MOST_WORDS = 40
"""How many words are written above a waveform."""
LEAST_DECIBELS = -70.0
"""Below the loudest: what is quieter has one colour."""
NUM_BANDS = 64
"""Of frequencies, all equally wide: a power of two, as the length of a window is one."""


def sound_pictures(waveform: np.ndarray, rate: int, words: Sequence[Word]) -> list[Plot]:
    """The waveform with the words where they were heard, and the spectrogram below it.

    Args:
        waveform: Float32 [samples].
        rate: Samples a second.
    """
    seconds = len(waveform) / rate
    parts = _columns(waveform)
    times = np.linspace(0, seconds, len(parts))
    loudest = max(float(np.abs(waveform).max()), 1e-6)
    low, high = (np.array([limit(part) for part in parts]) / loudest for limit in (np.min, np.max))
    outline = Line(x=times, y=(low + high) / 2, low=low, high=high)
    marks = [(word.start, word.text) for word in words[:MOST_WORDS]]
    plots: list[Plot] = [
        LinePlot(
            title="Waveform",
            lines=[outline],
            x_label="seconds",
            y_label="amplitude",
            x_range=(0, seconds),
            y_range=(-1, 1),
            marks=marks,
        )
    ]
    plane = spectrogram(waveform, rate)
    plots.append(
        Heatmap(
            title="Spectrogram: decibels below the loudest",
            values=plane,
            x_range=(0, seconds),
            y_range=(0, rate / 2000),
            x_label="seconds",
            y_label="kHz",
            limits=(LEAST_DECIBELS, 0.0),
            lines=[Line(x=[word.start, word.end], y=[0.03 * rate / 2000] * 2, color=0) for word in words[:MOST_WORDS]],
        )
    )
    return plots


def spectrogram(waveform: np.ndarray, rate: int) -> np.ndarray:
    """How loud each band of frequencies is at each time, decibels [bands, times], 0 the loudest.

    Args:
        waveform: Float32 [samples].
        rate: Samples a second.
    """
    window = 2 ** int(np.ceil(np.log2(0.025 * rate)))
    if len(waveform) < window:
        waveform = np.pad(waveform, (0, window - len(waveform)))
    starts = np.linspace(0, len(waveform) - window, min(MOST_COLUMNS, 1 + (len(waveform) - window) // (window // 4)))
    frames = waveform[starts.astype(int)[:, None] + np.arange(window)] * np.hanning(window)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))[:, : window // 2]
    bands = power.reshape(len(power), min(NUM_BANDS, window // 2), -1).mean(axis=2).T
    decibels = 10 * np.log10(np.maximum(bands, 1e-12) / max(float(bands.max()), 1e-12))
    return np.maximum(decibels, LEAST_DECIBELS)


def lattice(probabilities: np.ndarray, names: Sequence[str], seconds: float) -> Heatmap:
    """The CTC lattice: how probable each symbol is in each frame, those that are heard anywhere.

    Args:
        probabilities: [frames, symbols].
        names: Of the symbols.
        seconds: How long the sound is.
    """
    most = probabilities.max(axis=0)
    likely = np.argsort(-most, kind="stable")[: max(2, int((most > 0.05).sum()))]
    kept = sorted(int(place) for place in likely)
    groups = _columns(probabilities[:, kept])
    return Heatmap(
        title=f"Across: {seconds:.1f} seconds. Down: what can be heard.",
        values=np.stack([group.max(axis=0) for group in groups], axis=1),
        limits=(0.0, 1.0),
        row_labels=[names[place] for place in kept],
    )


def _columns(values: np.ndarray) -> list[np.ndarray]:
    """What belongs to each column of a picture; all columns stand for equal times, as nearly as whole values allow."""
    count = min(MOST_COLUMNS, len(values))
    return np.split(values, np.arange(1, count) * len(values) // max(count, 1))
