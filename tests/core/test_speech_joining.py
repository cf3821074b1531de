"""Recordings in rows: what is in them, when, and how loud."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.tasks.speech.joining import EMPTY_SHARE, MARGIN, joined_rows, joined_sound, made_up, trimmed, varied

RATE = 4_000


def tone(hertz, seconds=0.3, level=0.3, before=0.0, after=0.0):
    """A tone with silence before and after it, float32 [samples]."""
    sound = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.pad(sound, [round(before * RATE), round(after * RATE)]).astype("float32")


def envelope(row, low, high):
    """The power of a band of frequencies in each sample, the mean over 20 ms."""
    spectrum = np.fft.rfft(row.astype("float64"))
    hertz = np.fft.rfftfreq(len(row), 1 / RATE)
    band = np.fft.irfft(np.where((hertz > low) & (hertz < high), spectrum, 0), len(row))
    return np.convolve(np.square(band), np.ones(80) / 80, "same")


def moment(row, low, high):
    """Where in a row a tone in a band of frequencies is, in samples."""
    # The tone is louder than the noise, squared it is alone.
    power = np.square(envelope(row, low, high))
    return float(np.sum(np.arange(len(row)) * power) / power.sum())


LOW, HIGH = tone(300), tone(1200, seconds=0.2)


def test_rows_have_one_length_and_numbers_that_a_network_takes():
    rows = joined_rows([LOW, HIGH] * 20, RATE, seconds=2.5, times=3, seed=0)
    assert rows.waveforms.shape == (len(rows.members), 2.5 * RATE)
    assert rows.waveforms.dtype == np.float16
    assert np.isfinite(rows.waveforms).all()
    assert np.abs(rows.waveforms).max() <= 1
    levels = np.sqrt(np.mean(np.square(rows.waveforms.astype("float32")), axis=1))
    assert levels.min() > 10 ** (-90 / 20)
    assert levels.max() / levels.min() > 4, "quiet and loud ones"


@given(st.integers(1, 12), st.integers(1, 5), st.floats(0.5, 4.0), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_each_recording_stands_in_so_many_rows(count, times, seconds, seed):
    sounds = [tone(200 + 50 * number, 0.05 + 0.1 * number) for number in range(count)]
    rows = joined_rows(sounds, RATE, seconds, times, seed)
    members = [place for row in rows.members for place in row]
    assert np.bincount(members, minlength=count).tolist() == [times] * count


def test_the_same_seed_gives_the_same_rows_and_another_one_others():
    first, again, other = (joined_rows([LOW, HIGH] * 5, RATE, 2.0, 2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.waveforms, again.waveforms)
    assert first.members == again.members
    assert first.members != other.members


def test_in_some_rows_nobody_speaks():
    rows = joined_rows([LOW] * 300, RATE, 1.0, 2, seed=0)
    empty = [number for number, members in enumerate(rows.members) if not members]
    assert 0.2 * EMPTY_SHARE < len(empty) / len(rows.members) < 3 * EMPTY_SHARE
    counts = {len(members) for members in rows.members}
    assert {1, 2} <= counts, "not all are full"


def test_recordings_stand_in_the_order_of_their_row():
    rows = joined_rows([LOW, HIGH] * 100, RATE, 2.0, 1, seed=3)
    checked = 0
    for row, members in zip(rows.waveforms, rows.members, strict=True):
        kinds = [place % 2 for place in members]
        if sorted(kinds) == [0, 1]:
            low, high = moment(row, 220, 380), moment(row, 950, 1450)
            assert (low < high) == (kinds == [0, 1])
            checked += 1
    assert checked >= 5


def test_what_is_as_long_as_a_row_is_not_cut():
    """Played slower it would not fit."""
    whole = np.concatenate([tone(300, 0.8), tone(1200, 0.2)])
    rows = joined_rows([whole], RATE, 1.0, times=20, seed=0)
    for row, members in zip(rows.waveforms, rows.members, strict=True):
        if members:
            end = envelope(row, 950, 1450)
            assert np.sum(end > 0.3 * end.max()) / RATE > 0.9 * 0.2 / 1.15


def test_what_is_longer_than_a_row_fills_it():
    rows = joined_rows([tone(300, 3.0)], RATE, 1.0, 2, seed=0)
    assert [members for members in rows.members if members] == [[0], [0]]
    assert rows.waveforms.shape[1] == RATE


def test_a_recording_is_varied():
    random = np.random.default_rng(0)
    sound = tone(400, 0.5, before=0.3, after=0.3)
    found = [varied(sound, RATE, random) for _ in range(40)]
    assert len({len(one) for one in found}) > 20
    for one in found:
        assert one.dtype == np.float32
        assert np.sqrt(np.mean(np.square(one))) == pytest.approx(1, abs=1e-3)
        pitch = np.abs(np.fft.rfft(one, 2**15)).argmax() * RATE / 2**15
        assert 0.78 * 400 < pitch < 1.28 * 400


def test_what_is_measured_on_is_one_recording_after_another():
    sounds = [LOW, 0.01 * HIGH, LOW]
    found = joined_sound(sounds, RATE, np.random.default_rng(0))
    np.testing.assert_array_equal(found, joined_sound(sounds, RATE, np.random.default_rng(0)))
    assert found.dtype == np.float32
    spoken, gaps = sum(map(len, sounds)), len(found) - sum(map(len, sounds))
    assert 4 * 0.1 * RATE <= gaps <= 4 * 0.5 * RATE + 4
    assert np.abs(found).max() <= 1
    # All are equally loud, whatever they were.
    loud = np.convolve(np.square(found), np.ones(200) / 200, "same")
    assert np.mean(loud > 0.3 * np.quantile(loud, 0.9)) == pytest.approx(spoken / len(found), abs=0.1)
    assert moment(found, 1000, 1400) == pytest.approx(len(found) / 2, abs=0.3 * RATE)


@given(st.integers(0, 30))
@settings(deadline=None, max_examples=10)
def test_its_noise_is_far_below(seed):
    found = joined_sound([LOW, LOW], RATE, np.random.default_rng(seed))
    start = found[: round(0.09 * RATE)]
    decibels = 10 * np.log10(np.mean(np.square(found)) / np.mean(np.square(start)))
    assert decibels > 10


def test_silence_around_a_recording_goes():
    sound = tone(400, 0.3, before=0.5, after=0.7)
    assert len(trimmed(sound, RATE)) / RATE == pytest.approx(0.3 + 2 * MARGIN, abs=0.04)
    noisy = sound + np.random.default_rng(0).normal(0, 0.002, len(sound)).astype("float32")
    kept = trimmed(noisy, RATE)
    assert len(kept) / RATE == pytest.approx(0.3 + 2 * MARGIN, abs=0.04)
    # A hum all the time is not what was said.
    humming = noisy + tone(50, len(noisy) / RATE, level=0.03)
    assert len(trimmed(humming, RATE)) / RATE == pytest.approx(0.3 + 2 * MARGIN, abs=0.06)


def test_what_is_silent_or_loud_all_the_time_stays_whole():
    for sound in (np.zeros(4000, "float32"), tone(400, 1.0), np.zeros(3, "float32"), np.ones(50, "float32")):
        np.testing.assert_array_equal(trimmed(sound, RATE), sound)


def test_a_word_that_nobody_knows_begins_as_one_and_ends_as_another():
    one, other = tone(300, 0.4, before=0.3), tone(1200, 0.2, level=0.01, after=0.3)
    found = made_up(one, other, RATE)
    first, second = len(trimmed(one, RATE)) // 2, len(trimmed(other, RATE)) // 2
    assert len(found) == first + second
    halves = found[:first], found[first:]
    pitches = [np.abs(np.fft.rfft(half, 2**14)).argmax() * RATE / 2**14 for half in halves]
    assert pitches == pytest.approx([300, 1200], abs=15)
    levels = [float(np.sqrt(np.mean(np.square(half)))) for half in halves]
    # No more than ten times louder: what is all but silent stays so.
    assert levels[1] == pytest.approx(10 * 0.01 / np.sqrt(2), rel=0.35)
    louder = made_up(one, tone(1200, 0.2, level=0.1), RATE)
    assert np.sqrt(np.mean(np.square(louder[first:]))) == pytest.approx(levels[0], rel=0.05)
    assert np.isfinite(made_up(one, np.zeros(4000, "float32"), RATE)).all()
