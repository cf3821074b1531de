"""Sounds that people bring, against what soundfile and FFmpeg wrote."""

from __future__ import annotations

import builtins
import io
import math
import os

import numpy as np
import pytest
import soundfile
from fresh_process import require
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from layerwise.errors import InputError, MissingDependencyError
from layerwise.tasks.sounds import CLIPPED_SHARE, HIGHEST_RATE, SHORTEST, is_clipped, load_sound

RATE = 8_000
HERTZ, LEVEL = 440.0, 0.5


def sine(rate=16_000, seconds=0.5, hertz=HERTZ, level=LEVEL):
    """Float64 [samples]."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def written(samples, rate, format_, subtype):
    """The bytes of a file by soundfile."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format_, subtype=subtype)
    return buffer.getvalue()


def by_ffmpeg(samples, rate, format_, codec):
    """The bytes of a file by FFmpeg, of samples [samples] or [samples, channels]."""
    require("av")
    import av

    layout = "stereo" if samples.ndim == 2 else "mono"
    planes = np.ascontiguousarray(np.atleast_2d(samples.T), "float32")
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.pts = rate, 0
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=format_) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        cutter = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size or 960)
        for part in [*cutter.resample(frame), *cutter.resample(None), None]:
            container.mux(stream.encode(part))
    return buffer.getvalue()


def pitch_and_level(waveform, rate=RATE):
    """The loudest frequency in hertz and the amplitude of a sine, from the middle of a sound."""
    middle = waveform[len(waveform) // 4 : -len(waveform) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 2**16))
    return float(spectrum.argmax() * rate / 2**16), float(np.sqrt(2 * np.mean(np.square(middle))))


def assert_is_the_sine(waveform, seconds=0.5, level=LEVEL, rate=RATE, tolerance=0.01):
    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    assert len(waveform) / rate == pytest.approx(seconds, abs=0.08)
    found, loud = pitch_and_level(waveform, rate)
    assert found == pytest.approx(HERTZ, abs=1.5)
    assert loud == pytest.approx(level, rel=tolerance)


FORMATS = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ULAW"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("AIFF", "PCM_16"),
    ("CAF", "PCM_16"),
]


@pytest.mark.parametrize(("format_", "subtype"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_formats_that_soundfile_reads(format_, subtype, channels, tmp_path):
    samples = np.stack([sine()] * channels, axis=1)
    data = written(samples, 16_000, format_, subtype)
    path = tmp_path / "named like nothing"
    path.write_bytes(data)
    for value in (data, bytearray(data), memoryview(data), path, str(path)):
        assert_is_the_sine(load_sound(value, RATE))


@pytest.mark.parametrize(
    ("format_", "codec", "rate"),
    [("webm", "libopus", 48_000), ("matroska", "flac", 44_100), ("mp4", "aac", 44_100), ("adts", "aac", 16_000)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_formats_that_ffmpeg_reads(format_, codec, rate, channels, tmp_path):
    samples = sine(rate)
    data = by_ffmpeg(samples if channels == 1 else np.stack([samples] * 2, axis=1), rate, format_, codec)
    (tmp_path / "sound").write_bytes(data)
    for value in (data, tmp_path / "sound"):
        assert_is_the_sine(load_sound(value, RATE), tolerance=0.02)


def test_one_channel_is_the_mean_of_all(tmp_path):
    """Of a voice on one side alone half is left."""
    one_sided = np.stack([sine(48_000), np.zeros(24_000)], axis=1)
    for data in (written(one_sided, 48_000, "WAV", "FLOAT"), by_ffmpeg(one_sided, 48_000, "webm", "libopus")):
        assert_is_the_sine(load_sound(data, RATE), level=LEVEL / 2, tolerance=0.03)
    six = np.tile(sine()[:, None], 6) * np.array([1, 1, 1, 0, 0, 0])
    assert_is_the_sine(load_sound((16_000, six), RATE), level=LEVEL / 2)
    opposite = np.stack([sine(), -sine()], axis=1)
    assert not load_sound((16_000, opposite), RATE).any()


@pytest.mark.parametrize("found", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_a_sine_keeps_its_pitch_level_and_length_at_every_rate(found, rate):
    waveform = load_sound((found, sine(found)), rate)
    assert_is_the_sine(waveform, rate=rate)
    assert abs(len(waveform) - rate // 2) <= 1
    # It is in time as well: what is heard at a moment is what was there.
    expected = sine(rate)[: len(waveform)]
    inside = slice(rate // 20, -rate // 20)
    np.testing.assert_allclose(waveform[: len(expected)][inside], expected[inside], atol=2e-3)


def test_what_the_rate_cannot_hold_is_gone_instead_of_folded():
    waveform = load_sound((48_000, sine(48_000, hertz=6_000.0)), RATE)
    assert np.abs(waveform[400:-400]).max() < 1e-3


def test_a_sound_at_its_own_rate_is_left_as_it_is():
    samples = sine(RATE).astype("float32")
    np.testing.assert_array_equal(load_sound((RATE, samples), RATE), samples)


def test_blocks_meet_without_a_seam(tmp_path):
    """Files are read in blocks of ten seconds."""
    samples = sine(22_050, seconds=21.0).astype("float32")
    soundfile.write(tmp_path / "a.wav", samples, 22_050, subtype="FLOAT")
    waveform = load_sound(tmp_path / "a.wav", RATE)
    np.testing.assert_allclose(waveform, load_sound((22_050, samples), RATE), atol=1e-6)
    np.testing.assert_allclose(waveform[RATE : 20 * RATE], sine(RATE, seconds=20.0)[RATE:], atol=2e-3)


WHOLE_NUMBERS = {
    "int8": (-128, 0, 64),
    "int16": (-(2**15), 0, 2**14),
    "int32": (-(2**31), 0, 2**30),
    "int64": (-(2**63), 0, 2**62),
    "uint8": (0, 128, 192),
    "uint16": (0, 2**15, 2**15 + 2**14),
}


@pytest.mark.parametrize("kind", WHOLE_NUMBERS)
def test_the_greatest_whole_number_is_one(kind):
    least, silent, half = WHOLE_NUMBERS[kind]
    values = np.repeat(np.array([least, silent, half], kind), 200)
    np.testing.assert_array_equal(load_sound((RATE, values), RATE), np.repeat([-1.0, 0.0, 0.5], 200))
    greatest = load_sound((RATE, np.full(200, np.iinfo(kind).max, kind)), RATE)
    assert 0.99 < greatest[0] <= 1.0


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_numbers_with_a_point_are_from_minus_one_to_one(kind):
    values = np.repeat(np.array([-0.25, 0.5, 1.5, -7.0], kind), 200)
    np.testing.assert_array_equal(load_sound((RATE, values), RATE), np.repeat([-0.25, 0.5, 1.0, -1.0], 200))


def test_lists_and_other_numbers_for_a_rate_are_taken():
    samples = sine(RATE)
    for value in ([RATE, samples], (float(RATE), samples.tolist()), (np.int64(RATE), samples[:, None])):
        np.testing.assert_allclose(load_sound(value, RATE), samples, atol=1e-7)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "There is no sound"),
        ({}, "a dict"),
        (5, "no sound"),
        (object(), "no sound"),
        ([RATE], "no sound"),
        ((RATE, np.zeros(999), 3), "no sound"),
        ((np.zeros(999), RATE), "no sound"),
        ("", "no such sound"),
        ("no such sound.wav", "no such sound"),
        ("/", "no such sound"),
        (os.devnull, "no such sound"),
        ("a\0b", "no such sound|cannot be opened"),
        ("x" * 5000, "cannot be opened|no such sound"),
    ],
)
def test_what_is_no_sound_at_all_is_refused(value, said):
    with pytest.raises(InputError, match=said) as caught:
        load_sound(value, RATE)
    if isinstance(value, str) and len(value) > 999:
        assert len(str(caught.value)) < 500, "the message is not as long as what is wrong"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty file"),
        (b"%PDF-1.7\n" * 99, "Format not recognised"),
        (b"This is a letter.\n" * 90, "cannot be read as a sound"),
        (bytes(range(256)) * 8, "cannot be read as a sound"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read as a sound"),
        (b"fLaC" + bytes(99), "cannot be read as a sound"),
        (b"OggS" + bytes(99), "cannot be read as a sound"),
        (b"\x1a\x45\xdf\xa3" + bytes(99), "cannot be read as a sound"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", "cannot be read as a sound"),
    ],
)
def test_other_files_are_refused(data, said, tmp_path):
    path = tmp_path / "renamed.wav"
    path.write_bytes(data)
    if data.startswith(b"\x1a") or b"ftyp" in data:
        require("av")
    for value in (data, path):
        with pytest.raises(InputError, match=said) as caught:
            load_sound(value, RATE)
        assert "_io." not in str(caught.value)


def test_a_folder_and_a_pipe_are_no_sounds(tmp_path):
    with pytest.raises(InputError, match="no such sound"):
        load_sound(tmp_path, RATE)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="no such sound"):
            load_sound(tmp_path / "pipe", RATE)


def test_a_file_that_is_named_raw_does_not_say_its_rate(tmp_path):
    path = tmp_path / "voice.raw"
    path.write_bytes(written(sine(), 16_000, "WAV", "PCM_16"))
    with pytest.raises(InputError, match=r"\.raw"):
        load_sound(path, RATE)


def test_a_picture_in_a_film_is_no_sound():
    require("av")
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros([32, 32, 3], "uint8"), format="rgb24")
        for part in (frame, None):
            container.mux(stream.encode(part))
    with pytest.raises(InputError, match="no sound in this file"):
        load_sound(buffer.getvalue(), RATE)


@pytest.mark.parametrize(("format_", "subtype"), [("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
def test_of_a_file_that_was_cut_off_the_beginning_is_heard(format_, subtype):
    data = written(sine(seconds=2.0), 16_000, format_, subtype)
    waveform = load_sound(data[: len(data) // 2], RATE)
    assert pitch_and_level(waveform[: RATE // 2])[0] == pytest.approx(HERTZ, abs=3)


@pytest.mark.parametrize(("format_", "subtype"), FORMATS)
@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_heard_or_refused(format_, subtype, share):
    data = written(np.random.default_rng(0).uniform(-0.5, 0.5, 8000), 16_000, format_, subtype)
    try:
        waveform = load_sound(data[: int(share * len(data))], RATE)
    except InputError:
        return
    assert len(waveform) >= SHORTEST * RATE


def test_too_short_and_too_long():
    with pytest.raises(InputError, match=r"at least 20 ms\. Received: 1 ms"):
        load_sound((RATE, np.zeros(8)), RATE)
    with pytest.raises(InputError, match="too short"):
        load_sound((RATE, []), RATE)
    with pytest.raises(InputError, match="too short"):
        load_sound((48_000, np.zeros([2, 48_000])), RATE)
    long = sine(RATE, seconds=3.0)
    for value in ((RATE, long), written(long, RATE, "WAV", "PCM_16"), by_ffmpeg(long, RATE, "webm", "libopus")):
        with pytest.raises(InputError, match=r"at most 2 seconds\. Received: [23] seconds"):
            load_sound(value, RATE, longest=2.0)
        assert len(load_sound(value, RATE, longest=4.0)) == pytest.approx(3 * RATE, abs=0.05 * RATE)
    with pytest.raises(InputError, match=r"at most 180 minutes\. Received: 181 minutes"):
        load_sound((1_000, np.broadcast_to(np.float32(0), 181 * 60_000)), RATE)


@pytest.mark.parametrize("rate", [0, -RATE, 999, HIGHEST_RATE + 1, 10**30, "fast", None, math.nan, math.inf, 1j, b"8"])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(InputError, match="1,000 to 768,000"):
        load_sound((rate, np.zeros(9999)), RATE)


def test_a_file_with_a_rate_out_of_range_is_refused():
    with pytest.raises(InputError, match="unusable rate"):
        load_sound(written(np.zeros(999), 100, "WAV", "PCM_16"), RATE)


@pytest.mark.parametrize(
    "samples",
    [
        5,
        "text",
        {"a": 1},
        [[1, 2], [3]],
        np.zeros([999, 2, 2]),
        np.zeros([999, 0]),
        np.zeros(999, "complex64"),
        np.zeros(999, bool),
        np.array([None] * 999),
        np.array(["a"] * 999),
        np.zeros(999, "datetime64[s]"),
    ],
)
def test_arrays_that_are_no_sounds_are_refused(samples):
    with pytest.raises(InputError, match="no samples of a sound"):
        load_sound((RATE, samples), RATE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("found", [RATE, 11_025])
@pytest.mark.filterwarnings("error")
def test_numbers_that_are_none_are_refused(bad, found):
    samples = sine(found)
    samples[1000] = bad
    with pytest.raises(InputError, match="numbers that are none"):
        load_sound((found, samples), RATE)
    with pytest.raises(InputError, match="numbers that are none"):
        load_sound(written(samples, found, "WAV", "DOUBLE"), RATE)


def test_without_av_its_install_command_is_given(monkeypatch):
    data = by_ffmpeg(sine(48_000), 48_000, "webm", "libopus")
    usual = builtins.__import__

    def importing(name, *rest):
        if name.partition(".")[0] == "av":
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(MissingDependencyError, match=r'pip install "layerwise\[audio\]"'):
        load_sound(data, RATE)
    assert_is_the_sine(load_sound(written(sine(), 16_000, "OGG", "OPUS"), RATE))


def test_a_recording_that_was_too_loud_for_its_microphone():
    loud = np.clip(sine(RATE, level=1.5), -1, 1)
    assert is_clipped(loud)
    assert is_clipped(0.7 * loud), "it was made quieter afterwards"
    assert not is_clipped(0.4 * loud), "nothing is known of a quiet one"
    voice = np.random.default_rng(0).normal(0, 0.2, RATE).clip(-1, 1)
    assert not is_clipped(voice)
    few = round(0.5 * CLIPPED_SHARE * len(voice))
    voice[:few] = 1.0
    assert not is_clipped(voice)
    voice[: 3 * few] = -1.0
    assert is_clipped(voice)
    assert not is_clipped(np.zeros(0))
    assert not is_clipped(np.zeros(99))


@pytest.mark.slow
@given(
    arrays(
        st.sampled_from(["uint8", "int16", "uint32", "int64", "float16", "float32", "float64", "bool", "complex64"]),
        array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=300),
    ),
    st.sampled_from([1_000, 8_000, 11_025, 48_000]),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("error")
def test_any_array_is_heard_or_refused(samples, rate):
    try:
        waveform = load_sound((rate, samples), RATE)
    except InputError:
        return
    assert waveform.dtype == np.float32
    assert np.abs(waveform).max() <= 1
    assert len(waveform) == pytest.approx(len(samples) * RATE / rate, abs=2)


@pytest.fixture(scope="module")
def whole_files():
    whole = [written(sine(seconds=0.1), 16_000, *kind) for kind in FORMATS]
    kinds = [("webm", "libopus"), ("mp4", "aac"), ("adts", "aac")]
    return whole + [by_ffmpeg(sine(48_000, seconds=0.1), 48_000, *kind) for kind in kinds]


# libsndfile may ask for what is before the beginning, which the callback of soundfile refuses in its own way.
@pytest.mark.filterwarnings("error", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_any_damage_is_heard_or_refused(whole_files):
    random = np.random.default_rng(0)
    for number in range(1500):
        damaged = bytearray(whole_files[number % len(whole_files)])
        for _ in range(random.integers(0, 8)):
            # Most that can go wrong is in the head.
            reach = len(damaged) if random.random() < 0.5 else min(len(damaged), 120)
            damaged[random.integers(reach)] = random.integers(256)
        cut = random.integers(len(damaged) + 1) if random.random() < 0.4 else len(damaged)
        try:
            waveform = load_sound(bytes(damaged[:cut]), RATE)
        except InputError:
            continue
        assert np.isfinite(waveform).all()
        assert len(waveform) >= SHORTEST * RATE
