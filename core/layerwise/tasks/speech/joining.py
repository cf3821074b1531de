"""Recordings in a row, as somebody speaks: with gaps, levels, rooms and noise, each drawn anew.

A data set of words that were spoken one at a time says nothing about how they follow each other, nor about other rooms
and microphones. So recordings are joined to rows of a few seconds, each recording in several of them and different
each time (speed: Ko et al. 2015, "Audio Augmentation for Speech Recognition"; rooms and noise: Ko et al. 2017, "A Study
on Data Augmentation of Reverberant Speech for Robust Speech Recognition").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SPEEDS = (0.8, 1.25)
"""How fast a recording is played, which makes voices lower and higher, too."""
GAPS = (0.0, 0.6)
"""Seconds between recordings."""
LEVELS = (-42.0, -12.0)
"""Root mean square of a row's recordings, in decibels below the greatest amplitude."""
SPREAD = 5.0
"""By how many decibels the recordings of a row differ from each other."""
NOISES = (4.0, 45.0)
"""By how many decibels the recordings of a row are above its noise."""
COLORS = (0.0, 2.0)
"""The noise has a power of one over the frequency to the power of this: white, pink, brown."""
TILTS = (-4.0, 4.0)
"""Decibels an octave by which microphones differ."""
ECHOES = (0.08, 0.5)
"""Seconds in which an echo dies away to a thousandth of its amplitude."""
ECHO_SHARE, TILT_SHARE, EMPTY_SHARE, GATE_SHARE = 0.35, 0.5, 0.04, 0.3
"""How many recordings have an echo and another microphone; how many rows nobody speaks in, and how many have not even
noise after the last recording."""
FADE = 0.004
"""Seconds in which a recording begins and ends."""
QUIET = 1e-3
"""What of a recording's loudest 20 ms is silence, as a share of their power."""
MARGIN = 0.06
"""Seconds that are kept before and after what is not silent."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Recordings in rows.

    Args:
        waveforms: float16 [rows, samples], half the memory and noise of -66 decibels.
        members: For each row the positions of its recordings.
    """

    waveforms: np.ndarray
    members: Sequence[Sequence[int]]


def joined_rows(sounds: Sequence[np.ndarray], rate: int, seconds: float, times: int, seed: int) -> Rows:
    """Recordings in rows of one length.

    Args:
        sounds: Waveforms float32 [samples].
        rate: Samples a second.
        seconds: The length of a row. Recordings that are longer are cut, which whoever calls should have refused.
            What is nearly as long is not made slower than fits.
        times: In how many rows each recording stands, about.
        seed: Another seed gives other rows.
    """
    random = np.random.default_rng(seed)
    length = round(seconds * rate)
    order = np.concatenate([random.permutation(len(sounds)) for _ in range(times)]).tolist()
    order.reverse()
    waveforms, members = [], []
    while order:
        row = np.zeros(length, "float32")
        inside: list[int] = []
        place = round(random.uniform(*GAPS) * rate)
        # Not all rows are full: people say one word, too.
        most = 0 if random.random() < EMPTY_SHARE else int(random.integers(1, 12))
        while order and len(inside) < most:
            sound = varied(sounds[order[-1]], rate, random, most=length)[:length]
            if place + len(sound) > length:
                if inside:
                    break
                place = int(random.integers(0, length - len(sound) + 1))
            row[place : place + len(sound)] += sound * 10 ** (random.uniform(-SPREAD, SPREAD) / 20)
            inside.append(order.pop())
            place += len(sound) + round(random.uniform(*GAPS) * rate)
        row = _in_noise(row, random, LEVELS, NOISES)
        if random.random() < GATE_SHARE:
            row[place:] = 0
        waveforms.append(row.astype("float16"))
        members.append(inside)
    return Rows(waveforms=np.stack(waveforms), members=members)


def joined_sound(sounds: Sequence[np.ndarray], rate: int, random: np.random.Generator) -> np.ndarray:
    """Recordings one after another as they are, with gaps, one level and little noise: what is measured on.

    Args:
        sounds: Waveforms float32 [samples].
        rate: Samples a second.

    Returns:
        Float32 [samples].
    """
    gaps = [np.zeros(round(random.uniform(0.1, 0.5) * rate), "float32") for _ in range(len(sounds) + 1)]
    parts = [part for gap, sound in zip(gaps, sounds, strict=False) for part in (gap, _scaled(_faded(sound, rate)))]
    return _in_noise(np.concatenate([*parts, gaps[-1]]), random, (-32.0, -14.0), (20.0, 45.0))


def made_up(one: np.ndarray, other: np.ndarray, rate: int) -> np.ndarray:
    """A word that nobody knows: the first half of one, the second half of another.

    Args:
        one, other: Waveforms float32 [samples].
        rate: Samples a second.
    """
    one, other = (_faded(half, rate) for half in (_half(one, rate, 0), _half(other, rate, 1)))
    level = np.sqrt(np.mean(np.square(one)) / max(float(np.mean(np.square(other))), 1e-12))
    return np.concatenate([one, other * np.float32(min(level, 10.0))])


def _half(sound: np.ndarray, rate: int, which: int) -> np.ndarray:
    sound = trimmed(sound, rate)
    middle = max(1, len(sound) // 2)
    return sound[:middle] if which == 0 else sound[-middle:]


def varied(sound: np.ndarray, rate: int, random: np.random.Generator, most: int | None = None) -> np.ndarray:
    """A recording as if it were another one: without its silence or with it, faster or slower, in another room, through
    another microphone, at the root mean square 1.

    Args:
        most: A recording of no more samples is not made longer than that, but for its echo.
    """
    if random.random() < 0.7:
        sound = trimmed(sound, rate)
    speed = float(np.exp(random.uniform(*np.log(SPEEDS))))
    if most is not None and len(sound) <= most:
        speed = max(speed, len(sound) / most)
    places = np.arange(0, len(sound) - 1, speed)
    sound = np.interp(places, np.arange(len(sound)), sound).astype("float32")
    if random.random() < TILT_SHARE:
        sound = _tilted(sound, random.uniform(*TILTS))
    if random.random() < ECHO_SHARE:
        sound = _with_echo(sound, rate, random)
    return _scaled(_faded(sound, rate))


def trimmed(sound: np.ndarray, rate: int) -> np.ndarray:
    """A recording without the silence before and after it; whole where it is silent."""
    frame = max(1, round(0.02 * rate))
    whole = sound[: len(sound) // frame * frame].reshape(-1, frame)
    power = np.square(whole).mean(axis=1)
    if not len(power) or power.max() <= 0:
        return sound
    # What hums all the time is no speech either.
    threshold = max(QUIET * power.max(), 3.0 * float(np.quantile(power, 0.1)))
    loud = np.flatnonzero(power >= min(threshold, 0.1 * power.max()))
    margin = round(MARGIN * rate)
    return sound[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin]


def _faded(sound: np.ndarray, rate: int) -> np.ndarray:
    ramp = np.linspace(0, 1, min(max(1, round(FADE * rate)), len(sound)), dtype="float32")
    sound = sound.copy()
    sound[: len(ramp)] *= ramp
    sound[len(sound) - len(ramp) :] *= ramp[::-1]
    return sound


def _scaled(sound: np.ndarray) -> np.ndarray:
    """With the root mean square 1."""
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-6)


def _tilted(sound: np.ndarray, decibels: float) -> np.ndarray:
    """Louder by so many decibels with each octave."""
    spectrum = np.fft.rfft(sound)
    octaves = np.log2(np.maximum(np.arange(len(spectrum)), 1) / max(len(spectrum) / 8, 1))
    return np.fft.irfft(spectrum * 10 ** (np.clip(octaves, -4, 3) * decibels / 20), len(sound)).astype("float32")


def _with_echo(sound: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """In a room: noise that dies away, after the sound itself."""
    from scipy.signal import fftconvolve

    dying = random.uniform(*ECHOES)
    times = np.arange(round(dying * rate)) / rate
    room = random.normal(size=len(times)) * 10 ** (-3 * times / dying)
    room *= random.uniform(0.1, 0.7) / max(float(np.sqrt(np.sum(np.square(room)))), 1e-6)
    room[0] = 1.0
    return np.asarray(fftconvolve(sound, room), "float32")


def _in_noise(
    row: np.ndarray, random: np.random.Generator, levels: tuple[float, float], noises: tuple[float, float]
) -> np.ndarray:
    """A row whose recordings have about the root mean square 1, at another level and in noise; what would be louder
    than the greatest amplitude is clipped, as a microphone does."""
    level = 10 ** (random.uniform(*levels) / 20)
    noise = 10 ** (-random.uniform(*noises) / 20) * _noise(len(row), random.uniform(*COLORS), random)
    return np.clip((row + noise) * level, -1.0, 1.0)


def _noise(count: int, color: float, random: np.random.Generator) -> np.ndarray:
    """Noise float32 [count] with the root mean square 1."""
    spectrum = np.fft.rfft(random.normal(size=count))
    # Nothing below about 40 Hz, where brown noise would have all its power.
    spectrum /= np.maximum(np.arange(len(spectrum)), len(spectrum) / 100) ** (color / 2)
    return _scaled(np.fft.irfft(spectrum, count).astype("float32"))
