"""The rules of what Whisper writes: which tokens are allowed, where segments lie, what is written again."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_samples import SHAPE, SPECIAL, text_tokenizer

from layerwise_speech.whisper import decoding
from layerwise_speech.whisper.decoding import Segment, Written, allowed, compression_ratio, segments_of, write_down


def logits(**favoured):
    """0 for all tokens but some, named like "t9"."""
    found = np.zeros(SHAPE.vocab_size, "float32")
    for name, value in favoured.items():
        found[int(name[1:])] = value
    return found


def test_a_text_begins_with_a_timestamp_of_the_beginning():
    found = np.flatnonzero(np.isfinite(allowed(logits(), [], SPECIAL)))
    assert found.tolist() == list(range(311, 311 + 21))
    anywhere = replace(SPECIAL, latest_start=None)
    assert np.isfinite(allowed(logits(), [], anywhere))[311:].all()


@pytest.mark.parametrize(
    ("written", "may", "may_not"),
    [
        ([311], {9, 300}, {311, 312, 7, 310}),  # text, nothing suppressed
        ([311, 9], {9, 300, 312}, {311}),  # later than the beginning
        ([311, 9, 320], {320, 321, 300}, {9, 319}),  # the next segment, or the end
        ([311, 9, 320, 320], {9, 300}, {320, 330}),  # text again
        ([311, 9, 320, 320, 9], {9, 300, 321}, {320}),
    ],
)
def test_timestamps_come_in_pairs_and_only_get_later(written, may, may_not):
    # So improbable that all timestamps together are less probable than a word.
    given = logits(**{f"t{token}": -9 for token in range(311, 362)})
    finite = np.isfinite(allowed(given, written, SPECIAL))
    assert finite[list(may)].all()
    assert not finite[list(may_not)].any()


def test_timestamps_that_are_probable_together_win():
    one = logits(t9=3.0)  # e^3 = 20 against 1 for each of 50 timestamps
    found = np.isfinite(allowed(one, [311, 9], SPECIAL))
    assert not found[:311].any()
    assert found[312:].all()
    assert np.isfinite(allowed(logits(t9=5.0), [311, 9], SPECIAL))[9]


def written_of(tokens, chance=-0.1, **changes):
    given = {"tokens": tuple(tokens), "log_probabilities": (chance,) * (len(tokens) + 1), "no_speech": 0.1}
    return Written(**{**given, "text": "some words", "temperature": 0.0, **changes})


@pytest.mark.parametrize(
    ("tokens", "segments", "steps"),
    [
        # One segment that ends: nothing is said after it.
        ([313, 1, 2, 331], [(2, 20, (1, 2))], 50),
        # Two, the second of which ends at once.
        ([311, 1, 321, 323, 2, 331], [(0, 10, (1,)), (12, 20, (2,))], 50),
        # The second is cut off: it is heard again from where the first ended.
        ([311, 1, 321, 321, 2, 3], [(0, 10, (1,))], 10),
        # Ends with a pair: something follows.
        ([311, 1, 321, 321], [(0, 10, (1,))], 10),
        # No end: it goes on to the end of the window.
        ([312, 1, 2], [(1, 50, (1, 2))], 50),
        ([311], [(0, 50, ())], 50),
    ],
)
def test_segments_lie_between_timestamps(tokens, segments, steps):
    found, done = segments_of(written_of(tokens), SPECIAL, 50)
    assert [(segment.start, segment.end, segment.tokens) for segment in found] == segments
    assert done == steps


def test_a_segment_is_as_probable_as_its_text():
    written = written_of([311, 1, 2, 321], log_probabilities=(-5.0, -1.0, -2.0, -7.0, -9.0))
    assert segments_of(written, SPECIAL, 50)[0] == [Segment(tokens=(1, 2), start=0, end=10, log_probability=-1.5)]


@pytest.mark.parametrize(
    ("changes", "is_silent", "is_doubtful"),
    [
        ({}, False, False),
        ({"chance": -1.5}, False, True),
        ({"text": "and then " * 30}, False, True),
        ({"chance": -1.5, "no_speech": 0.7}, True, False),
        ({"no_speech": 0.7}, False, False),  # the network is sure of the text
        ({"chance": -0.7, "no_speech": 0.7}, False, False),
        ({"chance": -0.7, "no_speech": 0.9}, True, False),
        ({"no_speech": 0.9}, False, False),
    ],
)
def test_what_is_silent_and_what_is_doubtful(changes, is_silent, is_doubtful):
    written = written_of([311, 1, 331], **changes)
    assert (written.is_silent, written.is_doubtful) == (is_silent, is_doubtful)


class Stuck:
    """A cache of a network that says one word again and again, and the end a little less probably."""

    def __init__(self, gap):
        self.tokens, self.temperatures = [], []
        self.gap = gap

    def extend(self, tokens):
        self.tokens += tokens
        if len(self.tokens) == 1:
            return logits(t311=20.0)[None]
        return logits(t9=20.0 + self.gap, t300=20.0)[None]

    def rewind(self, count):
        del self.tokens[count:]


def test_a_text_that_repeats_itself_is_written_again_with_chance():
    decode = text_tokenizer().decode
    stuck = Stuck(gap=0.3)
    found = write_down(stuck, [301], SPECIAL, decode, most=200)
    # At 0 it never ends, and 200 of one letter are compressed to little.
    assert found.temperature > 0
    assert len(found.tokens) < 60
    assert compression_ratio(decode([9] * 200)) > decoding.MOST_COMPRESSED
    assert found == write_down(Stuck(gap=0.3), [301], SPECIAL, decode, most=200)
    hopeless = write_down(Stuck(gap=40.0), [301], SPECIAL, decode, most=200)
    assert hopeless.temperature == 1.0
    assert len(hopeless.tokens) == 200


def test_writing_can_be_stopped():
    cancelled = threading.Event()
    cancelled.set()
    assert write_down(Stuck(gap=1.0), [301], SPECIAL, text_tokenizer().decode, most=9, cancelled=cancelled) is None


@given(seed=st.integers(0, 10_000), spread=st.sampled_from([1.0, 3.0, 8.0]))
@settings(deadline=None)
def test_what_is_allowed_is_what_transformers_allows(seed, spread):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    settings = transformers.GenerationConfig(eos_token_id=SPECIAL.end)
    settings.no_timestamps_token_id = SPECIAL.no_timestamps
    settings.max_initial_timestamp_index = SPECIAL.latest_start
    process = transformers.WhisperTimeStampLogitsProcessor(settings, begin_index=3)
    random, written = np.random.default_rng(seed), []
    while len(written) < 10 and written[-1:] != [SPECIAL.end]:
        given = random.normal(0, spread, SHAPE.vocab_size).astype("float32")
        found = allowed(given, written, SPECIAL)
        given[[*SPECIAL.suppressed, *(() if written else SPECIAL.suppressed_first)]] = -np.inf
        right = process(torch.tensor([[*SPECIAL.prompt("de"), *written]]), torch.tensor(given[None]))[0].numpy()
        np.testing.assert_array_equal(found, right)
        written.append(int(random.choice(np.flatnonzero(np.isfinite(found)))))
