"""Layers for what is said by words and by words that follow each other."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import KerasTensor, layers, ops

from layerwise.text.tokenization import names_of

if TYPE_CHECKING:
    from layerwise.text.text_file import TextFile

FACTOR = 1_000_003
"""A prime: tokens that follow each other give numbers far apart."""
SHORTEST, LONGEST, MOST = 3, 6, 32
"""How many characters are looked at together within a token, and of how many groups of them at most."""


def characters_of(tokenizer: TextFile, vocabulary: int, buckets: int) -> np.ndarray:
    """The groups of characters in each token, from SHORTEST to LONGEST, as numbers from `vocabulary` on, int32
    [vocabulary, groups], 0 for none. Words that are alike in writing share groups, and so what is known of them
    (Bojanowski et al. 2017, arXiv:1607.04606)."""
    found = np.zeros((vocabulary, MOST), "int32")
    for token, name in enumerate(names_of(tokenizer, range(vocabulary))):
        # Like the beginning of a word, the end of a token is a part of its groups.
        text = f"<{name}>"
        groups = [
            text[start : start + length]
            for length in range(SHORTEST, LONGEST + 1)
            for start in range(len(text) - length + 1)
        ][:MOST]
        found[token, : len(groups)] = [vocabulary + zlib.crc32(group.encode()) % buckets for group in groups]
    return found


class NGrams(layers.Layer):
    """Tokens to numbers of themselves, of the 2, 3, ... tokens that begin at them and of the groups of characters in
    them, 0 where a text has ended.

    A token is its own number; everything else shares `buckets` numbers above these by a hash (Weinberger et al. 2009,
    arXiv:0902.2206), so that no table of it is needed.

    Args:
        longest: The most tokens of an n-gram.
        vocabulary: How many tokens there are.
        buckets: How many numbers are shared.
        characters: As from `characters_of`.

    Input shape:
        int32 [batch, length], 0 after the end of a text.

    Output shape:
        int32 [batch, length, longest + groups]: for each place the token, its groups, and those of two tokens and more.
    """

    def __init__(self, longest: int, vocabulary: int, buckets: int, characters: np.ndarray, **options: Any) -> None:
        super().__init__(**options)
        self.longest, self.vocabulary, self.buckets, self.characters = longest, vocabulary, buckets, characters

    def call(self, tokens: Any) -> Any:
        tokens = ops.cast(tokens, "int32")
        # Padding has no groups, as the table says.
        groups: Any = ops.take(ops.convert_to_tensor(self.characters), tokens, axis=0)
        is_there, hashed = tokens > 0, tokens
        found = [tokens[:, :, None], groups]
        for _ in range(1, self.longest):
            # Those that begin one place later, and none at the end.
            tokens = ops.pad(tokens[:, 1:], [[0, 0], [0, 1]])
            is_there = ops.logical_and(is_there, tokens > 0)
            # Products that are too large wrap around, on every backend alike.
            hashed = hashed * FACTOR + tokens
            number: Any = ops.mod(hashed, self.buckets)
            found.append(ops.expand_dims(ops.where(is_there, self.vocabulary + number, 0), -1))
        return ops.concatenate(found, axis=2)

    def compute_output_spec(self, tokens: Any) -> KerasTensor:
        return KerasTensor((*tokens.shape, self.longest + self.characters.shape[1]), "int32")


class Rarity(layers.Layer):
    """How much each number counts: the logarithm of how rarely a text of the training has it (Sparck Jones 1972, "A
    statistical interpretation of term specificity"), counted while it trains; nothing for one that was never met.

    Args:
        size: How many numbers there are.

    Input shape:
        int32 [batch, length, n-grams], 0 for none.

    Output shape:
        The same.
    """

    LEAST = 1e-4
    """The share of texts below which all are equally rare."""

    def __init__(self, size: int, **options: Any) -> None:
        super().__init__(**options)
        self.size = size

    def build(self, *_: Any, **__: Any) -> None:
        fixed: Any = {"initializer": "zeros", "trainable": False, "dtype": "float32"}
        # Shares rather than counts: numbers from 0 to 1 can be kept in half precision.
        self.share = self.add_weight(shape=(self.size,), name="share", **fixed)
        self.batches = self.add_weight(shape=(), name="batches", **fixed)
        self.built = True

    def call(self, numbers: Any, training: bool | None = None) -> Any:
        if training:
            flat, shape = ops.reshape(numbers, (-1,)), ops.shape(numbers)
            texts: Any = ops.cast(shape[0], "float32")  # pyright: ignore[reportOptionalSubscript]
            counted: Any = ops.segment_sum(ops.ones_like(flat, "float32"), flat, num_segments=self.size)
            self.batches.assign_add(1.0)
            self.share.assign_add((counted / texts - self.share) / self.batches)
        share: Any = ops.take(ops.convert_to_tensor(self.share), numbers)
        information: Any = ops.log(ops.clip(share, self.LEAST, 1.0))
        is_known = ops.logical_and(numbers > 0, share > 0)
        return ops.cast(ops.where(is_known, 1 - information, 0.0), self.compute_dtype)

    def compute_output_spec(self, numbers: Any, training: bool | None = None) -> KerasTensor:
        return KerasTensor(numbers.shape, self.compute_dtype)


class SumOfEmbeddings(layers.Layer):
    """The weighted sum of the vectors, each kind of n-grams counting as much as the other ones; of some of them, drawn
    at random, in training.

    Args:
        kinds: How many of the n-grams at a place are of each kind, one kind after the other.
        drop: The share that is left out in a training step.

    Input shape:
        Vectors [batch, length, n-grams, dimensions], and their weights [batch, length, n-grams], 0 for none.

    Output shape:
        [batch, dimensions].
    """

    def __init__(self, kinds: Sequence[int], drop: float, **options: Any) -> None:
        super().__init__(**options)
        self.kinds = tuple(kinds)
        self.dropout = layers.Dropout(drop, name="drop_features")

    def call(self, vectors: Any, weights: Any, training: bool | None = None) -> Any:
        ends = np.cumsum(self.kinds).tolist()
        scaled = []
        for start, end in zip([0, *ends], ends, strict=False):
            kind: Any = weights[:, :, start:end]
            # The length of the vector of weights becomes 1, whatever the length of the text.
            scaled.append(kind * ops.rsqrt(ops.maximum(ops.sum(kind**2, axis=(1, 2), keepdims=True), 1e-6)))
        weights = self.dropout(ops.concatenate(scaled, axis=2), training=training)
        return ops.einsum("bpnd,bpn->bd", vectors, weights)

    def compute_output_shape(self, vectors_shape: Any, weights_shape: Any) -> tuple[int | None, ...]:
        return (vectors_shape[0], vectors_shape[-1])
