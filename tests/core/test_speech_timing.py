"""When words were spoken that a network has said in a single frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.tasks.speech.timing import REACH, spoken

RATE = 8_000


def sound(spans, seconds, noise=1e-3):
    """Bursts of noise at these times, in silence that is not quite silent."""
    random = np.random.default_rng(0)
    times = np.arange(round(seconds * RATE)) / RATE
    loud = np.zeros(len(times))
    for start, end in spans:
        loud[(times >= start) & (times < end)] = 0.3
    return ((loud + noise) * random.normal(size=len(times))).astype("float32")


def test_a_word_is_where_its_sound_is():
    words = [(0.3, 0.75), (1.1, 1.5), (2.0, 2.3)]
    said = [(0.68, 0.72), (1.52, 1.56), (2.2, 2.24)]
    np.testing.assert_allclose(spoken(said, sound(words, 3.0), RATE), words, atol=0.015)


def test_a_silence_within_a_word_belongs_to_it():
    parts = [(0.5, 0.7), (0.8, 0.85)]
    assert spoken([(0.72, 0.76)], sound(parts, 1.5), RATE)[0] == pytest.approx((0.5, 0.85), abs=0.015)


def test_words_without_a_gap_share_the_sound():
    first, second = spoken([(0.68, 0.72), (1.1, 1.14)], sound([(0.3, 1.2)], 2.0), RATE)
    assert first == pytest.approx((0.3, 0.97), abs=0.015)  # no word goes on for long after it was said
    assert second[0] == first[1]
    assert second[1] == pytest.approx(1.2, abs=0.015)


def test_what_was_heard_in_silence_stays_where_it_was_said():
    assert spoken([(0.5, 0.6)], np.zeros(RATE, "float32"), RATE) == [(0.5, 0.6)]
    assert spoken([], np.zeros(0, "float32"), RATE) == []


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 2.96), max_size=8), st.integers(0, 100))
def test_words_come_one_after_another_within_the_sound(starts, seed):
    waveform = np.random.default_rng(seed).normal(0, 0.1, 3 * RATE).astype("float32")
    said = [(start, start + 0.04) for start in sorted(starts)]
    found = spoken(said, waveform, RATE)
    assert len(found) == len(said)
    for (start, end), (_, before) in zip(found, [(0.0, 0.0), *found], strict=False):
        assert before <= start <= end <= 3.0
        assert end - start <= REACH + 0.3
