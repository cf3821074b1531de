"""Reading sounds: whatever people bring becomes a waveform of one channel at the rate that is asked for, or an
InputError that says in one sentence what is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.errors import InputError, missing_extra

LARGEST_FILE = 2 * 2**30
"""The most bytes that a sound's file may have."""
LONGEST = 3 * 3600.0
"""The most seconds."""
SHORTEST = 0.02
"""The fewest seconds: less holds not even one period of most voices."""
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
"""Samples a second."""
MOST_CHANNELS = 64
BLOCK = 2**22
"""Samples of all channels that are decoded at a time, so that hours of a sound are never in memory as they were
recorded."""
CLIPPED_SHARE = 0.005
"""From this share of samples at the greatest amplitude on a recording was too loud for its microphone."""
_CONTAINERS = (
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
    (4, b"ftyp", "mp4"),
)
"""The files that libsndfile does not read and FFmpeg does: where something stands in them, what, and FFmpeg's name of
the format. It is named, since FFmpeg would guess, and some of its formats are lists of what else is to be opened."""
_REMEDY = "use a WAV, FLAC, OGG, MP3 or WebM file"
_EMPTY = "record or upload something"


def load_sound(value: Any, rate: int, *, longest: float = LONGEST) -> np.ndarray:
    """A waveform float32 [samples], from -1 to 1 and one channel, the mean of all that there were.

    Args:
        value: A path; the bytes of a file; (samples a second, array [samples] or [samples, channels]), its numbers
            floating-point ones from -1 to 1, or whole ones, of which the type's greatest is 1 (of unsigned ones the
            middle is 0).
        rate: Samples a second of the result.
        longest: The most seconds.

    Raises:
        InputError: There is no sound, or it cannot be read, is too short or too long.
        MissingDependencyError: It needs PyAV, which is not installed.
    """
    if value is None:
        raise InputError("There is no sound", remedy=_EMPTY)
    if isinstance(value, str | Path):
        return _from_path(Path(value), rate, longest)
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_file(io.BytesIO(value), rate, longest)
    if isinstance(value, tuple | list) and len(value) == 2 and np.ndim(value[0]) == 0:
        found, samples = _number(value[0]), _array(value[1])
        _check_length(len(samples) / found, longest)
        return _joined([_as_float(samples)], found, rate)
    raise InputError(
        "This is no sound",
        expected="a file, or (samples a second, array of samples)",
        received=f"a {type(value).__name__}",
    )


def is_clipped(waveform: np.ndarray) -> bool:
    """Whether a recording was too loud for its microphone: many of its samples have the greatest amplitude."""
    loudest = float(np.abs(waveform).max(initial=0.0))
    return loudest > 0.5 and float(np.mean(np.abs(waveform) >= 0.999 * loudest)) > CLIPPED_SHARE


def _from_path(path: Path, rate: int, longest: float) -> np.ndarray:
    try:
        # Not a device or a pipe, which could be read for ever.
        if not path.is_file():
            raise InputError("There is no such sound", received=repr(str(path)), remedy="give the path of a sound file")
        with path.open("rb") as file:
            return _from_file(file, rate, longest)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError("The sound cannot be opened", received=f"{str(path)[:200]!r}: {reason}") from None


def _from_file(file: Any, rate: int, longest: float) -> np.ndarray:
    import soundfile

    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if not size:
        raise InputError("The sound is an empty file", remedy=_REMEDY)
    if size > LARGEST_FILE:
        raise InputError(
            "The file is too large", expected=f"at most {LARGEST_FILE // 2**20} MiB", received=f"{size / 2**20:.0f} MiB"
        )
    for start, beginning, kind in _CONTAINERS:
        if head[start:].startswith(beginning):
            return _by_ffmpeg(file, kind, rate, longest)
    try:
        with soundfile.SoundFile(file) as opened:
            found = opened.samplerate
            _check_rate(found)
            _check_channels(opened.channels)
            _check_length(opened.frames / found, longest)
            return _joined(_read(opened, BLOCK // opened.channels), found, rate)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        # The whole message begins with the repr of the file.
        reason = getattr(error, "error_string", str(error))
        raise InputError("This file cannot be read as a sound", received=reason[-120:], remedy=_REMEDY) from None
    except TypeError:
        # By its name soundfile takes "x.raw" for samples alone, whatever is in it.
        raise InputError("A .raw file does not say what its rate is", remedy=_REMEDY) from None


def _read(opened: Any, count: int) -> Iterator[np.ndarray]:
    """Blocks [samples, channels]. `SoundFile.blocks` gives whatever lay in memory where a file was cut off and has
    fewer samples than it says."""
    while len(block := opened.read(count, dtype="float32", always_2d=True)):
        yield block


def _by_ffmpeg(file: Any, kind: str, rate: int, longest: float) -> np.ndarray:
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise missing_extra("av", "audio", "Reading sounds as WebM, MP4 or AAC") from None
    try:
        # PyAV 19, for Python 3.12 and later, takes a damaged title as it is; before, it was an error unless told.
        options: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}
        with av.open(file, mode="r", format=kind, **options) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise InputError("There is no sound in this file", remedy=_REMEDY)
            # A stream of a codec that FFmpeg does not know has no rate.
            found = int(getattr(stream, "rate", None) or 0)
            _check_rate(found)
            _check_channels(int(getattr(stream, "channels", None) or 1))
            return _joined(_decoded(container, stream, found, longest), found, rate)
    except (FFmpegError, ValueError) as error:
        raise InputError("This file cannot be read as a sound", received=str(error)[-120:], remedy=_REMEDY) from None


def _decoded(container: Any, stream: Any, rate: int, longest: float) -> Iterator[np.ndarray]:
    """What FFmpeg decodes, blocks [samples, channels]. How long it is may stand nowhere in the file, as in what a
    browser recorded.

    Raises:
        ValueError: The form of the sound changes within the file.
    """
    import av

    # FFmpeg's own way to one channel makes the sound of two alike ones louder.
    resampler = av.AudioResampler(format="fltp", rate=rate)
    count = 0
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            count += part.samples
            _check_length(max(count / rate, SHORTEST), longest)
            yield part.to_ndarray().T


def _joined(parts: Iterable[np.ndarray], found: int, rate: int) -> np.ndarray:
    """Blocks [samples] or [samples, channels] as one waveform at another rate."""
    import soxr

    stream = soxr.ResampleStream(found, rate, 1, dtype="float32") if found != rate else None
    kept = []
    for part in parts:
        # What is no number any more is found below.
        with np.errstate(over="ignore", invalid="ignore"):
            mono = np.ascontiguousarray(part.mean(axis=1) if part.ndim == 2 else part, "float32")
        kept.append(stream.resample_chunk(mono) if stream is not None else mono)
    if stream is not None:
        kept.append(stream.resample_chunk(np.zeros(0, "float32"), last=True))
    waveform = np.concatenate(kept) if kept else np.zeros(0, "float32")
    if len(waveform) < SHORTEST * rate:
        raise _too_short(len(waveform) / rate)
    if not np.isfinite(waveform).all():
        raise InputError("The sound holds numbers that are none", remedy="record it again")
    return np.clip(waveform, -1.0, 1.0)


def _number(rate: Any) -> int:
    """Samples a second, if they are usable ones."""
    try:
        found = int(rate)
    except (TypeError, ValueError, OverflowError):
        raise _unusable_rate(repr(rate)[:80]) from None
    _check_rate(found)
    return found


def _array(value: Any) -> np.ndarray:
    """Samples [samples] or [samples, channels], if they are some."""
    try:
        samples = np.asarray(value)
        found = f"shape {list(samples.shape)} of {samples.dtype}"
    except ValueError:
        samples, found = np.zeros(()), "rows of different lengths"
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "iuf" or 0 in samples.shape[1:]:
        raise InputError(
            "These are no samples of a sound", expected="numbers [samples] or [samples, channels]", received=found
        )
    return samples


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Samples as numbers from -1 to 1."""
    if samples.dtype.kind == "f":
        return samples
    scale = np.float32(np.iinfo(samples.dtype).max // (2 if samples.dtype.kind == "u" else 1) + 1)
    return samples.astype("float32") / scale - (1.0 if samples.dtype.kind == "u" else 0.0)


def _check_rate(rate: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise _unusable_rate(f"{rate:,}")


def _check_channels(count: int) -> None:
    if not 1 <= count <= MOST_CHANNELS:
        raise InputError("The sound has too many channels", expected=f"1 to {MOST_CHANNELS}", received=f"{count:,}")


def _unusable_rate(received: str) -> InputError:
    return InputError(
        "The sound has an unusable rate",
        expected=f"{LOWEST_RATE:,} to {HIGHEST_RATE:,} samples a second",
        received=received,
    )


def _check_length(seconds: float, longest: float) -> None:
    if seconds < SHORTEST:
        raise _too_short(seconds)
    if seconds > longest:
        raise InputError(
            "The sound is too long",
            expected=f"at most {_duration(longest)}",
            received=_duration(seconds),
            remedy="cut it into parts",
        )


def _too_short(seconds: float) -> InputError:
    return InputError(
        "The sound is too short",
        expected=f"at least {1000 * SHORTEST:.0f} ms",
        received=f"{1000 * seconds:.3g} ms",
        remedy=_EMPTY,
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
