"""Tokenizers: what they keep of a text, that they are the same each time, and what lies in their file."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from layerwise.errors import SpecError
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import (
    END,
    PAD,
    encode_texts,
    names_of,
    packed,
    tokenizer_of,
    train_pieces,
    train_words,
)

TEXTS = [
    "The cat sat on the mat, and the cat was glad.",
    "A dog does n't sit on mats; the dog's mat is gone.",
    "Die Katze saß auf der Matte. Der Hund nicht!",
] * 4
WORDS, PIECES = train_words(TEXTS, 400), train_pieces(TEXTS, 400)


@pytest.mark.parametrize("train", [train_words, train_pieces])
def test_the_same_texts_give_the_same_tokenizer(train):
    assert train(iter(TEXTS), 400) == train(iter(TEXTS), 400)


def test_the_file_is_one_of_the_library():
    told = json.loads(WORDS.content)
    assert (WORDS.name, told["model"]["type"]) == ("tokenizer.json", "BPE")
    assert [token["content"] for token in told["added_tokens"]] == ["<pad>", "<s>", "</s>"]
    assert tokenizer_of(PIECES).get_vocab_size() <= 400


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The CAT sat on the mat.", "the cat sat on the mat ."),
        ("It doesn't sit; the dog's mat", "it does n't sit ; the dog 's mat"),
        ("It doesn’t", "it does n't"),
        ("Ｆｕｌｌ width", "full width"),
    ],
)
def test_of_words_neither_case_nor_what_is_between_them_matters(one, other):
    words = tokenizer_of(WORDS)
    assert words.encode(one).ids == words.encode(other).ids != []


@settings(max_examples=200)
@given(strategies.text(max_size=60))
def test_pieces_give_every_text_back(text):
    import unicodedata

    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    pieces = tokenizer_of(PIECES)
    tokens = pieces.encode(text, add_special_tokens=False).ids
    assert pieces.decode(tokens, skip_special_tokens=False).removeprefix(" ") in (text, text.removeprefix(" "))


def test_texts_are_cut_off_or_filled_up():
    found = encode_texts(WORDS, ["the cat", "", "the cat sat on the mat"], 3)
    assert (found.shape, found.dtype) == ((3, 3), np.int32)
    assert found[0].tolist()[:2] == found[2].tolist()[:2]
    assert found[0, 2] == PAD
    assert not found[1].any()
    assert found[2].all()
    assert END not in found


def test_names_are_what_a_reader_knows():
    (tokens,) = encode_texts(WORDS, ["The cat’s mat"], 6)
    names = names_of(WORDS, tokens)
    assert names[:2] == ["the", "cat"]
    assert names[-1] == ""
    assert len(names) == 6


def test_a_file_that_describes_no_tokenizer_is_refused():
    with pytest.raises(SpecError, match="describes no tokenizer"):
        tokenizer_of(TextFile("tokenizer.json", "{}"))


def test_packed_rows_hold_every_example_once_and_little_padding():
    random = np.random.default_rng(0)
    counts = random.integers(1, 9, (500, 2))
    # Each example is one number in both parts, so that what belongs together is seen.
    one, other = (
        np.where(np.arange(20) < counts[:, part, None], np.arange(1, 501)[:, None], PAD).astype("int32")
        for part in range(2)
    )
    first, second = packed([one, other])
    assert first.shape == second.shape
    for row, beside in zip(first, second, strict=True):
        assert [number for number in dict.fromkeys(row.tolist()) if number] == [
            number for number in dict.fromkeys(beside.tolist()) if number
        ]
    for part, rows in ((0, first), (1, second)):
        assert np.bincount(rows[rows != PAD], minlength=501)[1:].tolist() == counts[:, part].tolist()
    # The longer side of each decides how many fit; of what they could fill nearly all is filled.
    assert counts.max(axis=1).sum() / first.size > 0.95
    again, _ = packed([one, other])
    np.testing.assert_array_equal(again, first)
