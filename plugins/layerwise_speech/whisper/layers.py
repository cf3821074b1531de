"""What a network of the Whisper family is made of: attention, blocks, and vectors that tell places."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

EPSILON = 1e-5
"""Added to variances before their root is taken."""
NEVER = -1e9
"""What is added to the score of a place that may not be looked at."""
STDDEV = 0.02
"""Of random weights at the beginning."""


def random_weights(is_blank: bool) -> Any:
    """How weights begin.

    Args:
        is_blank: Whether they are zeros, as others will be read in their place; random ones take time.
    """
    return "zeros" if is_blank else keras.initializers.RandomNormal(stddev=STDDEV)


def dense(units: int, name: str, is_blank: bool, **options: Any) -> layers.Dense:
    """A dense layer. See `random_weights`."""
    return layers.Dense(units, kernel_initializer=random_weights(is_blank), name=name, **options)


def gelu(x: Any) -> Any:
    """GELU by the error function itself (Hendrycks and Gimpel 2016, arXiv:1606.08415), as published weights want it."""
    return ops.gelu(x, approximate=False)


def norm(name: str, dimensions: int) -> layers.LayerNormalization:
    """A layer normalisation of [batch, places, dimensions]."""
    layer = layers.LayerNormalization(epsilon=EPSILON, name=name)
    layer.build((None, None, dimensions))
    return layer


def count_of(x: Any, axis: int) -> Any:
    """How long a tensor is along an axis: a number, or a tensor where it is not known before."""
    shape: Any = ops.shape(x)
    return shape[axis]


def sinusoids(places: int, dimensions: int) -> np.ndarray:
    """Sines and then cosines of falling frequencies for each place (Vaswani et al. 2017, arXiv:1706.03762, section
    3.5), float32 [places, dimensions]."""
    half = dimensions // 2
    angles = np.outer(np.arange(places), 10_000 ** -(np.arange(half) / max(half - 1, 1)))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")


class Places(layers.Layer):
    """A vector for each place, which is added to what stands there.

    Args:
        count: The most places.
        dimensions: Of a vector.
        initializer: How the vectors begin.
        options: As of any layer.
    """

    def __init__(self, count: int, dimensions: int, initializer: Any, **options: Any) -> None:
        super().__init__(**options)
        self.table = self.add_weight(shape=(count, dimensions), initializer=initializer, name="table")
        self.built = True

    def call(self, x: Any, first: Any = 0) -> Any:
        """x [batch, places, dimensions] with the vectors of its places.

        Args:
            first: The place of the first of them.
        """
        places = ops.arange(count_of(x, 1), dtype="int32") + first
        return x + ops.cast(ops.take(self.table, places, axis=0), self.compute_dtype)

    def compute_output_spec(self, x: Any, first: Any = 0) -> keras.KerasTensor:
        return keras.KerasTensor(x.shape, self.compute_dtype)


class Attention(layers.Layer):
    """Attention with several heads (Vaswani et al. 2017), in two steps: keys and values of what is looked at, which may
    be kept, and looking.

    Args:
        dimensions: Of what goes in and comes out.
        heads: How many; a divisor of `dimensions`.
        is_causal: Whether no place may look at those after it.
        is_blank: See `random_weights`.
    """

    def __init__(self, dimensions: int, heads: int, name: str, *, is_causal: bool, is_blank: bool) -> None:
        super().__init__(name=name)
        self.dimensions, self.heads, self.size, self.is_causal = dimensions, heads, dimensions // heads, is_causal
        self.query, self.key, self.value, self.out = (
            dense(dimensions, f"{name}_{part}", is_blank, use_bias=part != "key")
            for part in ("query", "key", "value", "out")
        )

    def build(self, *_: Any, **__: Any) -> None:
        for layer in self.parts.values():
            layer.build((None, None, self.dimensions))
        self.built = True

    @property
    def parts(self) -> dict[str, layers.Dense]:
        """Its dense layers."""
        return {name: getattr(self, name) for name in ("query", "key", "value", "out")}

    def call(self, x: Any, seen: Any) -> Any:
        """What each place of x [batch, queries, dimensions] finds in `seen` [batch, places, dimensions]."""
        return self.look(x, *self.keys_and_values(seen), self._mask(x))

    def compute_output_spec(self, x: Any, seen: Any) -> keras.KerasTensor:
        return keras.KerasTensor(x.shape, self.compute_dtype)

    def attention_scores(self, x: Any, seen: Any) -> Any:
        """Where it looks, [batch, heads, queries, places]."""
        return self._weights(x, self._divided(self.key(seen)), self._mask(x))

    def keys_and_values(self, seen: Any) -> tuple[Any, Any]:
        """Of what is looked at [batch, places, dimensions]: each [batch, heads, places, size]."""
        return self._divided(self.key(seen)), self._divided(self.value(seen))

    def look(self, x: Any, keys: Any, values: Any, mask: Any = None) -> Any:
        """What x [batch, queries, dimensions] finds there.

        Args:
            mask: What is added to scores, 0 or NEVER, float32 [queries, places]; None for nothing.
        """
        found = ops.transpose(ops.matmul(self._weights(x, keys, mask), values), (0, 2, 1, 3))
        return self.out(ops.reshape(found, (-1, count_of(x, 1), self.dimensions)))

    def _mask(self, x: Any) -> Any:
        return causal(count_of(x, 1)) if self.is_causal else None

    def _weights(self, x: Any, keys: Any, mask: Any) -> Any:
        """How much each query looks at each place, [batch, heads, queries, places]."""
        query = self._divided(self.query(x) * self.size**-0.5)
        scores: Any = ops.cast(ops.matmul(query, ops.transpose(keys, (0, 1, 3, 2))), "float32")
        return ops.cast(ops.softmax(scores if mask is None else scores + mask), self.compute_dtype)

    def _divided(self, x: Any) -> Any:
        return ops.transpose(ops.reshape(x, (-1, count_of(x, 1), self.heads, self.size)), (0, 2, 1, 3))


def causal(places: Any) -> Any:
    """What is added to scores so that nobody looks at what comes later, float32 [places, places]."""
    place: Any = ops.arange(places, dtype="int32")
    return ops.where(place[:, None] >= place, 0.0, NEVER)


class Block:
    """One layer of the encoder or of the decoder: attention to its own places, in the decoder to the sound too, and two
    dense layers at each place; each normalised before and added to what goes into it.

    Args:
        name: What its layers' names begin with.
        dimensions: Of what goes in and comes out.
        heads: Of each attention.
        units: Of the first dense layer.
        is_decoder: Whether it writes: it looks at the sound, and at no token that comes later.
        is_blank: See `random_weights`.
    """

    def __init__(self, name: str, *, dimensions: int, heads: int, units: int, is_decoder: bool, is_blank: bool) -> None:
        self.attention = Attention(dimensions, heads, f"{name}_attention", is_causal=is_decoder, is_blank=is_blank)
        self.sound = (
            Attention(dimensions, heads, f"{name}_sound", is_causal=False, is_blank=is_blank) if is_decoder else None
        )
        self.up = dense(units, f"{name}_up", is_blank, activation=gelu)
        self.down = dense(dimensions, f"{name}_down", is_blank)
        self.norms = {
            part: norm(f"{name}_{part}_norm", dimensions)
            for part in (("attention", "sound", "dense") if is_decoder else ("attention", "dense"))
        }
        for layer in self.layers:
            if not layer.built:
                layer.build((None, None, units if layer is self.down else dimensions))

    @property
    def layers(self) -> list[layers.Layer]:
        """All its layers."""
        looking = [self.attention] if self.sound is None else [self.attention, self.sound]
        return [*looking, self.up, self.down, *self.norms.values()]

    def __call__(self, x: Any, heard: Any = None) -> Any:
        """All places at once, [batch, places, dimensions].

        Args:
            heard: What the encoder gave, [batch, places, dimensions]; for a decoder's block.
        """
        own = self.norms["attention"](x)
        x = x + self.attention(own, own)
        if self.sound is not None:
            x = x + self.sound(self.norms["sound"](x), heard)
        return self._changed(x)

    def step(self, x: Any, mask: Any, past: tuple[Any, Any], sound: tuple[Any, Any]) -> tuple[Any, Any, Any]:
        """Places of a text that follow others.

        Args:
            x: What is there, [batch, queries, dimensions].
            mask: What is added to scores, 0 or NEVER, float32 [queries, places of the past and then these].
            past: Keys and values of what was before, each [batch, heads, places, size].
            sound: Those of the sound.

        Returns:
            What comes out; the keys and the values of these places, [batch, heads, queries, size].
        """
        assert self.sound is not None
        own = self.norms["attention"](x)
        new = self.attention.keys_and_values(own)
        keys, values = (ops.concatenate(pair, axis=2) for pair in zip(past, new, strict=True))
        x = x + self.attention.look(own, keys, values, mask)
        return self._changed(x + self.sound.look(self.norms["sound"](x), *sound)), *new

    def _changed(self, x: Any) -> Any:
        return x + self.down(self.up(self.norms["dense"](x)))
