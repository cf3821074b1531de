"""Writing token by token: the sampler against NumPy by hand, what is held back of a text, and when it ends."""

import itertools
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest

from layerwise import engines
from layerwise.errors import InputError, SpecError
from layerwise.tokenization import tokenizer_of, train_pieces
from layerwise_language.generation import Sampler, Sampling, TextStream, candidates, generate, shortened
from layerwise_language.kv_cache import KeyValueCache
from layerwise_language.llama import Llama
from layerwise_language.llama_shape import LlamaShape

LOGITS = np.log(np.array([0.1, 0.4, 0.05, 0.25, 0.2], "float32"))
ALL = Sampling(temperature=1.0, top_k=0, top_p=1.0)
DRAWS = 20_000
PIECES = tokenizer_of(train_pieces(["one two three", "stop it, he said"] * 3, 300))
SHAPE = LlamaShape(
    vocab_size=300,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    max_position_embeddings=48,
)


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


@pytest.fixture(scope="module")
def llama():
    keras.utils.set_random_seed(2)
    llama = Llama(SHAPE)
    # Large vectors, so that the next token is no toss-up.
    llama.tokens.embeddings.assign(np.random.default_rng(0).normal(size=(300, 32)).astype("float32"))
    return llama, engines.current().compile_predict(llama.writer())


def write(llama, prompt, *, cache=None, **options):
    network, compiled = llama
    options = {"sampling": Sampling(temperature=0), "most": 10, **options}
    return list(generate(cache or KeyValueCache(compiled, network.shape), prompt, PIECES.decode, **options))


def test_the_most_probable_text_is_the_one_of_all_at_once(llama):
    states = write(llama, [5, 6, 7], most=12)
    text, whole = [5, 6, 7], llama[0].whole()
    for _ in range(12):
        logits = keras.ops.convert_to_numpy(whole(np.array([text], "int32")))[0, -1]
        text.append(int(logits.argmax()))
    assert states[-1].tokens == tuple(text[3:])
    assert states[-1].ended == "length"
    assert states[-1].dropped == 0
    assert states[-1].text == PIECES.decode(text[3:])
    assert [state.ended for state in states[:-1]] == [""] * (len(states) - 1)
    for former, later in itertools.pairwise(states):
        assert later.text.startswith(former.text)


def test_it_ends_with_a_stop_token_or_a_stop_text(llama):
    right = write(llama, [5, 6, 7], most=12)[-1]
    stop = right.tokens[4]
    first = right.tokens.index(stop)
    ended = write(llama, [5, 6, 7], stop_tokens=[stop, 299])[-1]
    assert (ended.tokens, ended.ended) == (right.tokens[:first], "stop token")
    text = right.text[3:6]
    ended = write(llama, [5, 6, 7], most=12, stop_texts=[text])[-1]
    assert (ended.text, ended.ended) == (right.text[: right.text.index(text)], "stop text")


def test_a_text_that_nobody_waits_for_ends_at_once(llama):
    cancelled = threading.Event()
    cancelled.set()
    (state,) = write(llama, [5, 6, 7], cancelled=cancelled)
    assert (state.tokens, state.text, state.ended) == ((), "", "cancelled")
    cancelled.clear()
    network, compiled = llama
    cache = KeyValueCache(compiled, network.shape)
    options = {"sampling": Sampling(temperature=0), "most": 30, "cancelled": cancelled}
    growing = generate(cache, [5, 6, 7], PIECES.decode, **options)
    former = next(growing)
    cancelled.set()
    *_, state = growing
    assert state.ended == "cancelled"
    assert state.tokens == former.tokens
    assert len(cache.tokens) <= 3 + len(former.tokens) + 1


def test_a_text_never_grows_beyond_the_context(llama):
    prompt = list(range(3, 103))
    state = write(llama, prompt, most=100)[-1]
    # Half of the context is left for the answer.
    assert (state.dropped, len(state.tokens), state.ended) == (76, 24, "context")
    assert state.tokens == write(llama, prompt[76:], most=100)[-1].tokens
    kept = write(llama, prompt, most=8, keep=4)[-1]
    assert (kept.dropped, len(kept.tokens), kept.ended) == (60, 8, "length")
    assert kept.tokens == write(llama, [*prompt[:4], *prompt[64:]], most=8)[-1].tokens
    short = write(llama, prompt, most=100, context=20)[-1]
    assert (short.dropped, len(short.tokens), short.ended) == (90, 10, "context")


def test_a_conversation_that_goes_on_says_what_a_new_one_says(llama):
    network, compiled = llama
    cache = KeyValueCache(compiled, network.shape)
    first = write(llama, [5, 6, 7], cache=cache)[-1]
    longer = [5, 6, 7, *first.tokens, 8, 9]
    assert write(llama, longer, cache=cache)[-1] == write(llama, longer)[-1]
    drawn = replace(Sampling(seed=1), temperature=2.0)
    assert write(llama, longer, cache=cache, sampling=drawn)[-1] == write(llama, longer, sampling=drawn)[-1]


def test_a_prompt_without_anything_is_refused(llama):
    with pytest.raises(InputError, match="nothing to go on from"):
        write(llama, [])
