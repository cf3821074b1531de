"""Writing with a Llama and its cache: the most probable text, and when a text ends."""

import itertools
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest

from layerwise import engines
from layerwise.errors import InputError
from layerwise.text.generation import Sampling, generate
from layerwise.text.tokenization import tokenizer_of, train_pieces
from layerwise_language.llama.cache import KeyValueCache
from layerwise_language.llama.network import Llama
from layerwise_language.llama.shape import LlamaShape

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


@pytest.fixture(scope="module")
def llama():
    keras.utils.set_random_seed(2)
    llama = Llama(SHAPE)
    # Large vectors, so that the next token is no toss-up.
    llama.tokens.embeddings.assign(np.random.default_rng(0).normal(size=(300, 32)).astype("float32"))
    return llama, engines.current().compile_predict(llama.writer())


def write(llama, prompt, *, cache=None, **options):
    network, compiled = llama
    options = {
        "sampling": Sampling(temperature=0),
        "most": 10,
        "context": network.shape.max_position_embeddings,
        **options,
    }
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
    options = {"sampling": Sampling(temperature=0), "most": 30, "context": 48, "cancelled": cancelled}
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
