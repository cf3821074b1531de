"""Writing token by token: the sampler against NumPy by hand, and what is held back of a text."""

from dataclasses import replace

import numpy as np
import pytest

from layerwise.errors import SpecError
from layerwise.text.generation import Sampler, Sampling, TextStream, candidates, shortened
from layerwise.text.tokenization import tokenizer_of, train_pieces

LOGITS = np.log(np.array([0.1, 0.4, 0.05, 0.25, 0.2], "float32"))
ALL = Sampling(temperature=1.0, top_k=0, top_p=1.0)
DRAWS = 20_000
PIECES = tokenizer_of(train_pieces(["one two three", "stop it, he said"] * 3, 300))


@pytest.mark.parametrize(
    ("sampling", "before", "expected"),
    [
        (ALL, (), [0.1, 0.4, 0.05, 0.25, 0.2]),
        (replace(ALL, top_k=2), (), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0]),
        (replace(ALL, top_k=9), (), [0.1, 0.4, 0.05, 0.25, 0.2]),
        # 0.4 + 0.25 is less than 0.7, so the token of 0.2 is taken too.
        (replace(ALL, top_p=0.7), (), [0, 0.4 / 0.85, 0, 0.25 / 0.85, 0.2 / 0.85]),
        (replace(ALL, top_p=0.01), (), [0, 1, 0, 0, 0]),
        (replace(ALL, temperature=0.5), (), np.square([0.1, 0.4, 0.05, 0.25, 0.2]) / 0.275),
        # After top_k=3 the first two have 0.65 / 0.85 of the probability, more than 0.7.
        (replace(ALL, top_k=3, top_p=0.7), (), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0]),
        # These logits are negative, so a token that was there has its probability squared.
        (replace(ALL, repetition_penalty=2.0), (1, 1), np.array([0.1, 0.16, 0.05, 0.25, 0.2]) / 0.76),
    ],
)
def test_tokens_are_drawn_as_often_as_their_probabilities_say(sampling, before, expected):
    tokens, chances = candidates(LOGITS, sampling, before)
    np.testing.assert_allclose(np.bincount(tokens, chances, 5), expected, atol=1e-6)
    assert (np.diff(chances) <= 0).all(), "the most probable one is the first"
    sampler = Sampler(replace(sampling, seed=0))
    drawn = np.bincount([sampler(LOGITS, before) for _ in range(DRAWS)], minlength=5) / DRAWS
    # Five standard deviations; what has no probability is never drawn.
    deviation = np.sqrt(np.multiply(expected, np.subtract(1, expected)) / DRAWS)
    assert (np.abs(drawn - expected) <= 5 * deviation).all()


def test_positive_logits_of_what_was_there_are_divided():
    tokens, chances = candidates(np.array([2.0, 2.0, -1.0]), replace(ALL, repetition_penalty=4.0), {1, 2})
    expected = np.exp([2.0, 0.5, -4.0])
    np.testing.assert_allclose(np.bincount(tokens, chances, 3), expected / expected.sum(), atol=1e-9)


def test_without_temperature_the_most_probable_token_is_taken():
    assert {Sampler(replace(ALL, temperature=0.0, seed=seed))(LOGITS) for seed in range(20)} == {1}
    assert Sampler(replace(ALL, temperature=0.0, repetition_penalty=3.0))(LOGITS, {1}) == 3
    # As good as none: it must not overflow.
    assert Sampler(replace(ALL, temperature=1e-6))(1000 * LOGITS) == 1


def test_a_seed_gives_the_same_tokens():
    first, second, other = (Sampler(replace(ALL, seed=seed)) for seed in (3, 3, 4))
    drawn = [[sampler(LOGITS) for _ in range(50)] for sampler in (first, second, other)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.5}, {"repetition_penalty": 0}]
)
def test_settings_that_cannot_be_used_are_refused(wrong):
    with pytest.raises(SpecError, match=next(iter(wrong))):
        Sampling(**wrong)


def streamed(text, stop_texts=(), decode=PIECES.decode):
    """The pieces in which a text is shown, token by token, and whether it was stopped."""
    stream = TextStream(decode, stop_texts)
    pieces = []
    for token in PIECES.encode(text).ids:
        pieces.append(stream.add(token))
        if stream.is_stopped:
            break
    return [*pieces, stream.rest()], stream.is_stopped


@pytest.mark.parametrize(
    "text", ["one two", "😀 映画 é", "👩‍👩‍👧 two", "\n\n  one\ttwo  ", "\N{REPLACEMENT CHARACTER} one"]
)
def test_no_half_characters_are_shown_and_nothing_is_lost(text):
    pieces, _ = streamed(text)
    assert "".join(pieces) == PIECES.decode(PIECES.encode(text).ids)
    if "\N{REPLACEMENT CHARACTER}" not in text:
        assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_an_emoji_comes_as_a_whole_with_its_last_byte():
    tokens = PIECES.encode("one😀").ids
    stream = TextStream(PIECES.decode)
    pieces = [stream.add(token) for token in tokens]
    assert len([piece for piece in pieces if piece]) < len(tokens), "it is made of several tokens"
    assert pieces[-1] == "😀"


def test_a_text_that_ends_within_a_character_says_so():
    tokens = PIECES.encode("one😀").ids[:-1]
    stream = TextStream(PIECES.decode)
    shown = "".join(stream.add(token) for token in tokens)
    assert shown.strip() == "one"
    assert "\N{REPLACEMENT CHARACTER}" in stream.rest()


@pytest.mark.parametrize(
    ("text", "stop_texts", "expected"),
    [
        ("one two three", ["two"], "one "),
        ("one two three", ["three", "two th"], "one "),
        ("one two three", ["four", ""], "one two three"),
        ("one two three", ["e thr"], "one two three"),
        ("one two thr", ["three"], "one two thr"),
        ("one 😀😀 two", ["😀😀"], "one "),
        ("aab aaab", ["aaab"], "aab "),
    ],
)
def test_a_text_stops_before_its_stop_texts(text, stop_texts, expected):
    pieces, is_stopped = streamed(text, stop_texts)
    assert "".join(pieces).lstrip() == expected.lstrip()
    assert is_stopped == (expected != text)
    # No piece showed what had to be taken back.
    shown = ""
    for piece in pieces:
        shown += piece
        assert expected.lstrip().startswith(shown.lstrip())


def test_decoders_that_drop_the_first_space_lose_none_within():
    pieces, _ = streamed("one two three", decode=lambda tokens: PIECES.decode(list(tokens)).removeprefix(" "))
    assert "".join(pieces) == "one two three"


@pytest.mark.parametrize(
    ("most", "keep", "expected"),
    [
        (9, 0, [1, 2, 3, 4, 5, 6]),
        (6, 6, [1, 2, 3, 4, 5, 6]),
        (4, 0, [3, 4, 5, 6]),
        (4, 1, [1, 4, 5, 6]),
        (2, 5, [1, 2]),
    ],
)
def test_the_oldest_part_of_a_long_prompt_goes(most, keep, expected):
    assert shortened([1, 2, 3, 4, 5, 6], most, keep) == (expected, 6 - len(expected))
