"""A Transformer that reads a text and writes another (Vaswani et al. 2017, arXiv:1706.03762), normalised before each
part (Xiong et al. 2020, arXiv:2002.04745): for training as one network, and for writing as one that goes on from what
it remembers of the tokens before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from layerwise.text.tokenization import END, PAD


def positions(length: int, dimensions: int) -> np.ndarray:
    """What stands for each place: sines and cosines of falling frequencies (section 3.5), float32
    [length, dimensions]."""
    place, channel = np.arange(length)[:, None], np.arange(dimensions // 2)[None]
    angle = place / 10_000 ** (2 * channel / dimensions)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype("float32")


class Attention(layers.Layer):
    """Attention with several heads, in two steps: keys and values of what is looked at, which may be kept, and looking.

    Args:
        dimensions: Of what goes in and comes out.
        heads: How many; a divisor of `dimensions`.
    """

    def __init__(self, dimensions: int, heads: int, name: str) -> None:
        super().__init__(name=name)
        self.dimensions, self.heads = dimensions, heads
        self.query, self.key, self.value, self.out = (
            layers.Dense(dimensions, use_bias=False, name=f"{name}_{part}") for part in ("query", "key", "value", "out")
        )

    def build(self, *_: Any, **__: Any) -> None:
        for layer in (self.query, self.key, self.value, self.out):
            layer.build((None, None, self.dimensions))
        self.built = True

    def keys_and_values(self, seen: Any) -> tuple[Any, Any]:
        """Of what is looked at [batch, places, dimensions]: each [batch, heads, places, dimensions / heads]."""
        return self._heads(self.key(seen)), self._heads(self.value(seen))

    def look(self, x: Any, keys: Any, values: Any, mask: Any) -> Any:
        """What x [batch, queries, dimensions] finds there.

        Args:
            mask: Whether a query may look at a place, bool [batch or 1, 1, queries or 1, places].
        """
        weights = self.weights_of(x, keys, mask)
        found = ops.transpose(ops.matmul(weights, values), (0, 2, 1, 3))
        return self.out(ops.reshape(found, (-1, x.shape[1], self.dimensions)))

    def call(self, x: Any, seen: Any, mask: Any) -> Any:
        return self.look(x, *self.keys_and_values(seen), mask)

    def compute_output_shape(self, x_shape: Any, *_: Any) -> Any:
        return x_shape

    def attention_scores(self, x: Any, seen: Any, mask: Any) -> Any:
        """Where it looks, [batch, heads, queries, places]."""
        return self.weights_of(x, self._heads(self.key(seen)), mask)

    def weights_of(self, x: Any, keys: Any, mask: Any) -> Any:
        """How much each query looks at each place, [batch, heads, queries, places]."""
        scores: Any = ops.matmul(self._heads(self.query(x)), ops.transpose(keys, (0, 1, 3, 2)))
        scores = ops.cast(scores, "float32") * (self.dimensions // self.heads) ** -0.5
        return ops.cast(ops.softmax(ops.where(mask, scores, -1e9)), self.compute_dtype)

    def _heads(self, x: Any) -> Any:
        divided = ops.reshape(x, (-1, x.shape[1], self.heads, self.dimensions // self.heads))
        return ops.transpose(divided, (0, 2, 1, 3))


class Tokens(layers.Layer):
    """The vectors of tokens, with their places; and backwards, how well each token fits a vector (Press and Wolf 2017,
    arXiv:1608.05859: the same weights serve both).

    Args:
        vocabulary: How many tokens there are.
        dimensions: Of a vector.
        length: The most places.
    """

    def __init__(self, vocabulary: int, dimensions: int, length: int, **options: Any) -> None:
        super().__init__(**options)
        self.vocabulary, self.dimensions, self.places = vocabulary, dimensions, positions(length, dimensions)
        spread: Any = keras.initializers.RandomNormal(stddev=dimensions**-0.5)
        self.embedding = layers.Embedding(vocabulary, dimensions, embeddings_initializer=spread, name="embedding")

    def build(self, *_: Any, **__: Any) -> None:
        self.embedding.build((None, None))
        self.built = True

    def call(self, x: Any, places: Any = None, backwards: bool = False) -> Any:
        """Vectors [batch, places, dimensions] of tokens [batch, places].

        Args:
            x: The tokens; backwards the vectors [batch, places, dimensions].
            places: The place of each token in its text, int32 [batch, places]; in order from 0 on for None.
            backwards: Gives how well each token fits instead, float32 [batch, places, vocabulary].
        """
        if backwards:
            table = ops.cast(self.embedding.embeddings, self.compute_dtype)
            return ops.cast(ops.matmul(x, ops.transpose(table)), "float32")
        table: Any = ops.convert_to_tensor(self.places)
        added = table[None, : x.shape[1]] if places is None else ops.take(table, places, axis=0)
        return self.embedding(x) * math.sqrt(self.dimensions) + ops.cast(added, self.compute_dtype)

    def compute_output_spec(self, x: Any, places: Any = None, backwards: bool = False) -> keras.KerasTensor:
        if backwards:
            return keras.KerasTensor((*x.shape[:-1], self.vocabulary), "float32")
        return keras.KerasTensor((*x.shape, self.dimensions), self.compute_dtype)


class Block:
    """One layer of the encoder or of the decoder: attention to its own text, in the decoder to the other text too, and
    two dense layers at each place; each added to what goes into it.

    Args:
        name: What its layers' names begin with.
        dimensions, heads, units: As of `Transformer`.
        dropout: The share of numbers zeroed before they are added.
        looks_over: Whether it looks at another text.
    """

    def __init__(self, name: str, *, dimensions: int, heads: int, units: int, dropout: float, looks_over: bool) -> None:
        self.own = Attention(dimensions, heads, name=f"{name}_own")
        self.other = Attention(dimensions, heads, name=f"{name}_other") if looks_over else None
        self.up = layers.Dense(units, activation="relu", name=f"{name}_up")
        self.down = layers.Dense(dimensions, name=f"{name}_down")
        self.norms = [
            layers.LayerNormalization(name=f"{name}_norm_{number}") for number in range(3 if looks_over else 2)
        ]
        self.dropouts = [layers.Dropout(dropout, name=f"{name}_dropout_{number}") for number in range(len(self.norms))]

    def __call__(self, x: Any, mask: Any, other: Any = None, other_mask: Any = None) -> Any:
        """All places at once, [batch, places, dimensions]."""
        seen = self.norms[0](x)
        x = x + self.dropouts[0](self.own(seen, seen, mask))
        if self.other is not None:
            x = x + self.dropouts[1](self.other(self.norms[1](x), other, other_mask))
        return x + self.dropouts[-1](self.down(self.up(self.norms[-1](x))))

    def step(self, x: Any, past: tuple[Any, Any], mask: Any, other: tuple[Any, Any], other_mask: Any) -> Any:
        """One place more, [batch, 1, dimensions].

        Args:
            past: Keys and values of the places before.
            other: Those of the other text.

        Returns:
            What comes out; the keys and values of this place; where it looked in the other text, [batch, heads, 1,
            places].
        """
        assert self.other is not None
        seen = self.norms[0](x)
        new = self.own.keys_and_values(seen)
        keys, values = (ops.concatenate(pair, axis=2) for pair in zip(past, new, strict=True))
        x = x + self.own.look(seen, keys, values, mask)
        asking = self.norms[1](x)
        looked = self.other.weights_of(asking, other[0], other_mask)
        x = x + self.other.look(asking, *other, other_mask)
        return x + self.down(self.up(self.norms[-1](x))), new, looked


class Transformer:
    """The layers of a Transformer, and the networks that are made of them.

    Args:
        vocabulary: How many tokens there are, of both texts together.
        length: The most tokens of a text.
        dimensions: Numbers that stand for a token.
        depth: Layers of the encoder, and of the decoder.
        heads: Of each attention.
        units: Of the first dense layer of a block.
        dropout: The share of numbers zeroed in a training step.
        beginnings: The tokens that a target begins with, one for each language.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        *,
        dimensions: int,
        depth: int,
        heads: int,
        units: int,
        dropout: float,
        beginnings: Sequence[int],
    ) -> None:
        self.length, self.size = length, dimensions // heads
        self.heads, self.depth = heads, depth
        self.beginnings = tuple(beginnings)
        self.tokens = Tokens(vocabulary, dimensions, length, name="tokens")
        shape: Any = {"dimensions": dimensions, "heads": heads, "units": units, "dropout": dropout}
        self.encoder = [Block(f"read_{n}", **shape, looks_over=False) for n in range(1, depth + 1)]
        self.decoder = [Block(f"write_{n}", **shape, looks_over=True) for n in range(1, depth + 1)]
        self.norms = [layers.LayerNormalization(name=f"norm_{name}") for name in ("read", "written")]
        self.dropouts = [layers.Dropout(dropout, name=f"dropout_{name}") for name in ("read", "written")]

    def whole(self) -> keras.Model:
        """For training: "source" and "target", int32 [batch, length], the target from its first token on; to logits
        [batch, length, vocabulary] of the token that follows each.

        A row may hold several pairs, one after the other: a source ends with END, a target begins with one of
        `beginnings`. No pair sees another one, and each has its places from 0 on."""
        source, target = (keras.Input((self.length,), dtype="int32", name=name) for name in ("source", "target"))
        of_source, of_target = self._pairs(source, target)
        mask = ops.logical_and(_is_there(source), _is_same(of_source, of_source))
        x = self.dropouts[0](self.tokens(source, _places(of_source)))
        memory = self._read(x, mask)
        own_mask = ops.logical_and(_is_before(self.length), _is_same(of_target, of_target))
        other_mask = ops.logical_and(_is_there(source), _is_same(of_target, of_source))
        y = self.dropouts[1](self.tokens(target, _places(of_target)))
        for block in self.decoder:
            y = block(y, own_mask, memory, other_mask)
        logits = self.tokens(self.norms[1](y), backwards=True)
        return keras.Model({"source": source, "target": target}, logits, name="transformer")

    def reader(self) -> keras.Model:
        """What is remembered of a source, int32 [batch, length]: for each layer of the decoder "key_N" and "value_N",
        [batch, heads, length, dimensions / heads]."""
        source = keras.Input((self.length,), dtype="int32", name="source")
        memory = self._read(self.tokens(source), _is_there(source))
        found = {}
        for number, block in enumerate(self.decoder):
            assert block.other is not None
            found[f"key_{number}"], found[f"value_{number}"] = block.other.keys_and_values(memory)
        return keras.Model(source, found, name="reader")

    def writer(self) -> keras.Model:
        """One token more: "token" and its "place" [batch, 1], "source", "key_N" and "value_N" as from `reader`, and
        "past_key_N" and "past_value_N" of the places before, as long as a text, of which those before `place` count;
        to "logits" [batch, vocabulary], "key_N" and "value_N" of this place, and "looked" [batch, length], where the
        last layer looked in the source."""
        token, place = (keras.Input((1,), dtype="int32", name=name) for name in ("token", "place"))
        source = keras.Input((self.length,), dtype="int32", name="source")
        given = {
            f"{kind}_{number}": keras.Input((self.heads, self.length, self.size), name=f"{kind}_{number}")
            for number in range(self.depth)
            for kind in ("key", "value", "past_key", "past_value")
        }
        mask = _is_there(source)
        # Of the past what was written already, and the token itself, which comes last.
        places = np.arange(self.length, dtype="int32")[None, None, None]
        is_past: Any = ops.less(places, ops.reshape(place, (-1, 1, 1, 1)))
        past_mask = ops.concatenate([is_past, ops.ones_like(is_past[..., :1])], axis=-1)
        x, found, looked = self.tokens(token, place), {}, None
        for number, block in enumerate(self.decoder):
            past = given[f"past_key_{number}"], given[f"past_value_{number}"]
            other = given[f"key_{number}"], given[f"value_{number}"]
            x, new, looked = block.step(x, past, past_mask, other, mask)
            found[f"key_{number}"], found[f"value_{number}"] = new
        found["logits"] = self.tokens(self.norms[1](x), backwards=True)[:, 0]
        found["looked"] = ops.squeeze(ops.mean(ops.cast(looked, "float32"), axis=1), 1)
        return keras.Model({"token": token, "place": place, "source": source, **given}, found, name="writer")

    def _pairs(self, source: Any, target: Any) -> tuple[Any, Any]:
        """Of which pair of its row each token is, int32 [batch, length] for the source and for the target."""
        begins = [ops.equal(target, token) for token in self.beginnings]
        ended, begun = (_counted(marks) for marks in (ops.equal(source, END), ops.logical_or(*begins)))
        # The end belongs to what it ends.
        return ended - ops.cast(ops.equal(source, END), "int32"), ops.maximum(begun - 1, 0)

    def _read(self, x: Any, mask: Any) -> Any:
        for block in self.encoder:
            x = block(x, mask)
        return self.norms[0](x)


def _is_there(tokens: Any) -> Any:
    """Which places may be looked at, bool [batch, 1, 1, places]."""
    return ops.expand_dims(ops.not_equal(tokens, PAD), (1, 2))


def _counted(marks: Any) -> Any:
    """How many marks there are up to each place and at it, int32 [batch, places]."""
    return ops.cumsum(ops.cast(marks, "int32"), axis=1)


def _is_same(of_queries: Any, of_places: Any) -> Any:
    """Whether a query and a place are of the same pair, bool [batch, 1, queries, places]."""
    return ops.expand_dims(ops.equal(ops.expand_dims(of_queries, 2), ops.expand_dims(of_places, 1)), 1)


def _is_before(length: int) -> np.ndarray:
    """Which places a query may look at that must not see what follows, bool [1, 1, queries, places]."""
    return np.tril(np.ones((length, length), bool))[None, None]


def _places(of_pair: Any) -> Any:
    """The place of each token in its own text, int32 [batch, length]."""
    earlier = ops.logical_and(_is_same(of_pair, of_pair)[:, 0], _is_before(of_pair.shape[1])[0])
    count: Any = ops.sum(ops.cast(earlier, "int32"), axis=2)
    return count - 1
