"""What a network of the Llama family is made of: attention that tells places by turning, and blocks."""

from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
from keras import layers, ops

from layerwise_language.llama.shape import LlamaShape

NEVER = -1e9
"""What is added to the score of a place that may not be looked at."""
STDDEV = 0.02
"""Of random weights at the beginning, which are small so that a token is not drowned in what blocks add to it."""


def dense(units: int, name: str, is_blank: bool, narrowed: float = 1.0, **options: Any) -> layers.Dense:
    """A dense layer without biases.

    Args:
        is_blank: Whether its weights are zeros, as others will be read in their place; random ones take time.
        narrowed: By how much the random weights are smaller than usual.
    """
    random: Any = "zeros" if is_blank else keras.initializers.RandomNormal(stddev=STDDEV / narrowed)
    return layers.Dense(units, use_bias=False, kernel_initializer=random, name=name, **options)


def narrowing(shape: LlamaShape) -> float:
    """By how much the last kernel of what is added is smaller, so that the sum of all does not grow with the depth
    (Radford et al. 2019, section 2.3)."""
    return (2 * shape.num_hidden_layers) ** 0.5


class Turns(layers.Layer):
    """How far queries and keys are turned at each place (Su et al. 2021, arXiv:2104.09864): the cosines of the angles,
    and then their sines.

    Args:
        size: Numbers of a head.
        theta: The base of the wavelengths.
    """

    def __init__(self, size: int, theta: float, name: str) -> None:
        super().__init__(name=name)
        self.size = size
        self.frequencies = (theta ** -(np.arange(0, size, 2) / size)).astype("float32")

    def call(self, x: Any) -> Any:
        """Float32 [1, places, size], of tokens [batch, places]."""
        return self.at(ops.arange(count_of(x, 1), dtype="int32"))[None]

    def compute_output_spec(self, x: Any) -> keras.KerasTensor:
        return keras.KerasTensor((1, x.shape[1], self.size), "float32")

    def at(self, places: Any) -> Any:
        """Float32 [places, size], of the numbers of places [places]."""
        angles = ops.expand_dims(ops.cast(places, "float32"), 1) * self.frequencies
        return ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=1)


class Attention(layers.Layer):
    """Attention of each place of a text to those before it and to itself. A few heads of queries share the keys and
    values of one head (Ainslie et al. 2023, arXiv:2305.13245): they are rows of one matrix, and nothing is repeated.

    Args:
        shape: Of the network.
        is_blank: See `dense`.
    """

    def __init__(self, shape: LlamaShape, name: str, is_blank: bool) -> None:
        super().__init__(name=name)
        self.dimensions, self.size = shape.hidden_size, shape.head_size
        self.heads, self.shared = shape.num_attention_heads, shape.num_key_value_heads
        self.sharing = self.heads // self.shared
        narrow = self.shared * self.size
        units = {"query": self.dimensions, "key": narrow, "value": narrow}
        self.query, self.key, self.value = (dense(count, f"{name}_{part}", is_blank) for part, count in units.items())
        self.out = dense(self.dimensions, f"{name}_out", is_blank, narrowing(shape))

    def build(self, *_: Any, **__: Any) -> None:
        for layer in (self.query, self.key, self.value, self.out):
            layer.build((None, None, self.dimensions))
        self.built = True

    def call(self, x: Any, turns: Any) -> Any:
        """What each place of x [batch, places, dimensions] finds; `turns` as `Turns` gives them."""
        places = count_of(x, 1)
        values = ops.transpose(ops.reshape(self.value(x), (-1, places, self.shared, self.size)), (0, 2, 1, 3))
        found = ops.matmul(self._weights(x, turns), values)
        found = ops.reshape(found, (-1, self.heads, places, self.size))
        return self.out(ops.reshape(ops.transpose(found, (0, 2, 1, 3)), (-1, places, self.dimensions)))

    def compute_output_spec(self, x: Any, turns: Any) -> keras.KerasTensor:
        return keras.KerasTensor(x.shape, self.compute_dtype)

    def attention_scores(self, x: Any, turns: Any) -> Any:
        """Where it looks, [batch, heads, queries, places]."""
        places = count_of(x, 1)
        return ops.reshape(self._weights(x, turns), (-1, self.heads, places, places))

    def step(self, x: Any, turns: Any, mask: Any, past: tuple[Any, Any], recent: tuple[Any, Any]) -> Any:
        """The same for places of one text that follow others.

        Args:
            x: What is there, [queries, dimensions].
            turns: Of these places, [queries, 1, size].
            mask: What is added to scores, 0 or NEVER, [heads that share * queries, places of the past, then recent
                ones, then these].
            past, recent: Keys and values of what was before, each [shared heads, places, size].

        Returns:
            What each finds [queries, dimensions]; its keys and values [shared heads, queries, size].
        """
        both = ops.concatenate([self.query(x), self.key(x)], axis=1)
        both = turned(ops.reshape(both, (-1, self.heads + self.shared, self.size)), turns)
        query, key = cast("Any", ops.split(both, [self.heads], axis=1))
        query = ops.transpose(ops.reshape(query, (-1, self.shared, self.sharing, self.size)), (1, 2, 0, 3))
        query = ops.reshape(query, (self.shared, -1, self.size)) * self.size**-0.5
        own = (
            ops.transpose(key, (1, 0, 2)),
            ops.transpose(ops.reshape(self.value(x), (-1, self.shared, self.size)), (1, 0, 2)),
        )
        # What is kept of the past is not joined with the rest: that would copy it for each token that is written.
        near = [ops.concatenate(pair, axis=1) for pair in zip(recent, own, strict=True)]
        scores = [ops.matmul(query, ops.transpose(keys, (0, 2, 1))) for keys in (past[0], near[0])]
        weights = _softmax(ops.concatenate(scores, axis=2), mask, self.compute_dtype)
        count = count_of(past[0], 1)
        long_ago: Any = ops.matmul(weights[:, :, :count], past[1])
        found = long_ago + ops.matmul(weights[:, :, count:], near[1])
        found = ops.transpose(ops.reshape(found, (self.shared, self.sharing, -1, self.size)), (2, 0, 1, 3))
        return self.out(ops.reshape(found, (-1, self.dimensions))), *own

    def _weights(self, x: Any, turns: Any) -> Any:
        """How much each query looks at each place, [batch, shared heads, heads that share * queries, places]."""
        places, turns = count_of(x, 1), ops.expand_dims(turns, 2)
        query = turned(ops.reshape(self.query(x), (-1, places, self.heads, self.size)), turns)
        key = turned(ops.reshape(self.key(x), (-1, places, self.shared, self.size)), turns)
        query = ops.reshape(ops.transpose(query, (0, 2, 1, 3)), (-1, self.shared, self.sharing * places, self.size))
        scores = ops.matmul(query * self.size**-0.5, ops.transpose(key, (0, 2, 3, 1)))
        return _softmax(scores, causal(places, self.sharing), self.compute_dtype)


def count_of(x: Any, axis: int) -> Any:
    """How long a tensor is along an axis: a number, or a tensor where it is not known before."""
    shape: Any = ops.shape(x)
    return shape[axis]


def causal(places: Any, sharing: int) -> Any:
    """What is added to scores so that nobody looks at what comes later, [heads that share * places, places]."""
    place: Any = ops.arange(places, dtype="int32")
    return ops.tile(ops.where(place[:, None] >= place, 0.0, NEVER), (sharing, 1))


def turned(x: Any, turns: Any) -> Any:
    """Queries or keys [..., places, heads, size], each pair of numbers turned by the angle of its place. A number's
    partner is half a head away, as in the published weights.

    Args:
        turns: [..., places, 1, size].
    """
    cosine, sine = cast("Any", ops.split(ops.cast(turns, x.dtype), 2, axis=-1))
    first, second = cast("Any", ops.split(x, 2, axis=-1))
    return ops.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def _softmax(scores: Any, mask: Any, dtype: str) -> Any:
    return ops.cast(ops.softmax(ops.cast(scores, "float32") + mask), dtype)


class Block:
    """One layer of the network: attention, and dense layers with a gate (Shazeer 2020, arXiv:2002.05202: SwiGLU), each
    normalised before (Zhang and Sennrich 2019, arXiv:1910.07467) and added to what goes into it.

    Args:
        shape: Of the network.
        name: What its layers' names begin with.
        is_blank: See `dense`.
    """

    def __init__(self, shape: LlamaShape, name: str, is_blank: bool) -> None:
        units, epsilon = shape.intermediate_size, shape.rms_norm_eps
        self.attention = Attention(shape, f"{name}_attention", is_blank)
        self.norms = [layers.RMSNormalization(epsilon=epsilon, name=f"{name}_norm_{number}") for number in (1, 2)]
        self.gate = dense(units, f"{name}_gate", is_blank, activation="silu")
        self.up = dense(units, f"{name}_up", is_blank)
        self.down = dense(shape.hidden_size, f"{name}_down", is_blank, narrowing(shape))
        for layer in (self.attention, *self.norms, self.gate, self.up):
            layer.build((None, None, shape.hidden_size))
        self.down.build((None, None, units))

    @property
    def dense(self) -> dict[str, layers.Dense]:
        """Its dense layers."""
        own = {name: getattr(self.attention, name) for name in ("query", "key", "value", "out")}
        return {**own, "gate": self.gate, "up": self.up, "down": self.down}

    @property
    def layers(self) -> list[layers.Layer]:
        """All its layers."""
        return [self.attention, *self.norms, self.gate, self.up, self.down]

    def __call__(self, x: Any, turns: Any) -> Any:
        """All places of texts, [batch, places, dimensions]."""
        return self._changed(x + self.attention(self.norms[0](x), turns))

    def step(self, x: Any, turns: Any, mask: Any, past: tuple[Any, Any], recent: tuple[Any, Any]) -> Any:
        """Places of one text that follow others: what comes out, and their keys and values. See `Attention.step`."""
        found, keys, values = self.attention.step(self.norms[0](x), turns, mask, past, recent)
        return self._changed(x + found), keys, values

    def _changed(self, x: Any) -> Any:
        seen = self.norms[1](x)
        return x + self.down(self.gate(seen) * self.up(seen))
