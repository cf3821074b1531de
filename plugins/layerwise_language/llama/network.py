"""The decoder of the Llama family (Touvron et al. 2023, arXiv:2302.13971): for training and looking inside as one
network, and for writing as one that goes on from the keys and values that are kept of the tokens before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import keras
from keras import layers, ops

from layerwise_language.llama.layers import NEVER, STDDEV, Block, Turns, causal, count_of
from layerwise_language.llama.shape import LlamaShape


class Llama:
    """The layers of a network of this family, and the networks that are made of them.

    Args:
        shape: What it is made of.
        is_blank: Whether the weights are zeros, as others will be read in their place; random ones take time.
    """

    def __init__(self, shape: LlamaShape, *, is_blank: bool = False) -> None:
        self.shape = shape
        self.tokens = layers.ReversibleEmbedding(
            shape.vocab_size,
            shape.hidden_size,
            tie_weights=shape.tie_word_embeddings,
            embeddings_initializer=cast("Any", "zeros" if is_blank else keras.initializers.RandomNormal(stddev=STDDEV)),
            name="embedding",
        )
        self.turns = Turns(shape.head_size, shape.rope_theta, name="turns")
        self.blocks = [Block(shape, f"block_{n}", is_blank) for n in range(1, shape.num_hidden_layers + 1)]
        self.norm = layers.RMSNormalization(epsilon=shape.rms_norm_eps, name="norm")
        self.tokens.build()
        self.norm.build((None, None, shape.hidden_size))

    def whole(self, length: int | None = None) -> keras.Model:
        """For training and looking inside: "tokens" int32 [batch, length] to logits float32 [batch, length, vocabulary]
        of the token that follows each. What fills a text up at its end changes nothing before it.

        Args:
            length: Of all texts, where it is fixed.
        """
        tokens = keras.Input((length,), dtype="int32", name="tokens")
        x, turns = self.tokens(tokens), self.turns(tokens)
        for block in self.blocks:
            x = block(x, turns)
        return keras.Model(tokens, self.logits(x), name="llama")

    def writer(self) -> Writer:
        """Tokens of one text that follow others."""
        return Writer(self, name="writer")

    def logits(self, x: Any) -> Any:
        """How well each token fits a state [..., dimensions], float32 [..., vocabulary]."""
        return ops.cast(self.tokens(self.norm(x), reverse=True), "float32")


class Writer(keras.Model):
    """Tokens of one text that follow others, one or more: what fits after them, and their keys and values, which are to
    be kept for those that follow.

    It is no graph of layers: a text has any number of tokens, and its places stand where others have their batch.
    """

    def __init__(self, llama: Llama, name: str) -> None:
        super().__init__(name=name)
        self.llama = llama
        self.parts = [llama.tokens, llama.norm, *(layer for block in llama.blocks for layer in block.layers)]
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Compute.

        Args:
            training: Changes nothing here.
            inputs: The arrays

                - "tokens": int32 [n].
                - "place": Of the first of them, int32 [1].
                - "last": Which of them is the last one, int32 [1]; those after it fill up.
                - "past_keys", "past_values": What was kept of the places before, [layers, shared heads, places, size].
                - "recent_keys", "recent_values": The same, of the places that follow those.
                - "past": How many places of the past count, int32 [1]; the others before "place" are recent.

        Returns:
            "logits" of the token that follows the last one, float32 [vocabulary]; "keys" and "values" of these tokens,
            [layers, shared heads, n, size].
        """
        llama, tokens = self.llama, inputs["tokens"]
        mask = self._mask(inputs)
        turns = llama.turns.at(inputs["place"] + ops.arange(count_of(tokens, 0), dtype="int32"))[:, None]
        x, found = llama.tokens(tokens), []
        for number, block in enumerate(llama.blocks):
            past, recent = (
                (inputs[f"{part}_keys"][number], inputs[f"{part}_values"][number]) for part in ("past", "recent")
            )
            x, *own = block.step(x, turns, mask, past, recent)
            found.append(own)
        keys, values = (ops.stack(parts) for parts in zip(*found, strict=True))
        return {"logits": llama.logits(ops.take(x, inputs["last"], axis=0))[0], "keys": keys, "values": values}

    def _mask(self, inputs: Mapping[str, Any]) -> Any:
        """See `Attention.step`."""
        shape = self.llama.shape
        sharing = shape.num_attention_heads // shape.num_key_value_heads
        queries = count_of(inputs["tokens"], 0)
        counts = {"past": inputs["past"], "recent": inputs["place"] - inputs["past"]}
        parts = []
        for part, count in counts.items():
            places = ops.arange(count_of(inputs[f"{part}_keys"], 2), dtype="int32")
            is_there: Any = ops.where(places < count, 0.0, NEVER)
            parts.append(ops.tile(is_there[None], (sharing * queries, 1)))
        return ops.concatenate([*parts, causal(queries, sharing)], axis=1)
