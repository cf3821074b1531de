"""When words were spoken: a network that is trained by connectionist temporal classification says a word in a single
frame, mostly near its end, so its time is that of the sound around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Span = tuple[float, float]
"""From and to, in seconds."""
FRAME = 0.01
"""Seconds of which the loudness is one number."""
REACH = 1.2
"""Seconds that a word is long at most."""
AFTER = 0.25
"""Seconds that a word may go on after the network has said it."""
LOUD = 10 ** (-22 / 10)
"""Power, as a share of the word's greatest, of what belongs to it."""
GAP = 0.12
"""Seconds of silence within a word, as before the t of "eight"."""
SHORTEST = 0.1
"""Seconds that a word is long at least."""


def spoken(spans: Sequence[Span], waveform: np.ndarray, rate: int) -> list[Span]:
    """When the words were spoken that a network has said.

    Args:
        spans: When it said each, one after another.
        waveform: Float32 [samples].
        rate: Samples a second.
    """
    seconds = len(waveform) / rate
    power = _power(waveform, rate)
    found: list[Span] = []
    for place, (start, end) in enumerate(spans):
        before = found[-1][1] if found else 0.0
        following = spans[place + 1][0] if place + 1 < len(spans) else seconds
        low, high = max(before, end - REACH), min(following, end + AFTER, seconds)
        begin, stop = _around(power, (start, end), low, high) or (start, end)
        if end - start > SHORTEST:
            # What was said in several frames, as characters are, was heard in all of them.
            begin, stop = min(begin, max(start, before)), max(stop, end)
        missing = max(0.0, SHORTEST - (stop - begin)) / 2
        found.append((max(before, begin - missing), min(seconds, stop + missing)))
    return found


def _around(power: np.ndarray, said: Span, low: float, high: float) -> Span | None:
    """The sound nearest to where a word was said, between two limits; None where there is none."""
    first, stop = round(low / FRAME), max(round(low / FRAME) + 1, round(high / FRAME))
    part = power[first:stop]
    if not len(part) or part.max() <= 0:
        return None
    loud = np.flatnonzero(part >= LOUD * part.max())
    # Stretches of sound, with silences within that are as short as those of a word.
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > GAP / FRAME) + 1)
    middle = (said[0] + said[1]) / 2 / FRAME - first
    nearest = min(parts, key=lambda one: max(one[0] - middle, middle - one[-1], 0.0))
    return (first + float(nearest[0])) * FRAME, (first + float(nearest[-1]) + 1) * FRAME


def _power(waveform: np.ndarray, rate: int) -> np.ndarray:
    """The mean power of each frame, without what hums all the time."""
    size = max(1, round(FRAME * rate))
    count = -(-len(waveform) // size)
    frames = np.pad(waveform.astype("float64"), (0, count * size - len(waveform))).reshape(count, size)
    power = np.square(frames).mean(axis=1)
    return np.maximum(power - 2.0 * np.quantile(power, 0.1), 0.0) if count else power
