"""Whisper (Radford et al. 2022, arXiv:2212.04356): a Transformer that hears a window of sound and writes down what is
said. For looking inside as one network; for writing as one that hears, and one that goes on from what it heard and from
the keys and values that are kept of the tokens before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers, ops

from layerwise_speech.whisper.layers import (
    NEVER,
    Block,
    Places,
    causal,
    count_of,
    gelu,
    norm,
    random_weights,
    sinusoids,
)
from layerwise_speech.whisper.shape import WhisperShape
from layerwise_speech.whisper.spectrogram import LogMel


class Whisper:
    """The layers of a network of this family, and the networks that are made of them.

    Args:
        shape: What it is made of.
        is_blank: Whether the weights are zeros, as others will be read in their place; random ones take time.
    """

    def __init__(self, shape: WhisperShape, *, is_blank: bool = False) -> None:
        self.shape = shape
        size, random = shape.d_model, random_weights(is_blank)
        self.spectrogram = LogMel(shape.num_mel_bins, shape.num_samples, name="spectrogram")
        self.padding = layers.ZeroPadding1D(1, name="padding")
        self.convolutions = [
            layers.Conv1D(
                size, 3, strides=stride, activation=gelu, kernel_initializer=random, name=f"convolution_{stride}"
            )
            for stride in (1, 2)
        ]
        heard = "zeros" if is_blank else lambda count, dtype=None: ops.convert_to_tensor(sinusoids(*count), dtype)
        self.moments = Places(shape.max_source_positions, size, heard, name="moments", trainable=False)
        self.encoder = [self._block("encoder", n, is_blank) for n in range(1, shape.encoder_layers + 1)]
        self.tokens = layers.ReversibleEmbedding(
            shape.vocab_size, size, tie_weights=True, embeddings_initializer=random, name="embedding"
        )
        self.places = Places(shape.max_target_positions, size, random, name="places")
        self.decoder = [self._block("decoder", n, is_blank) for n in range(1, shape.decoder_layers + 1)]
        self.norms = {side: norm(f"{side}_norm", size) for side in ("encoder", "decoder")}
        self.tokens.build()
        for layer, channels in zip(self.convolutions, (shape.num_mel_bins, size), strict=True):
            layer.build((None, None, channels))

    def whole(self) -> keras.Model:
        """For looking inside: "audio", waveforms float32 [batch, samples] at 16 kHz, and "tokens" int32 [batch, length]
        from the first one on; to logits float32 [batch, length, vocabulary] of the token that follows each."""
        audio = self._audio()
        tokens = keras.Input((None,), dtype="int32", name="tokens")
        heard = self._heard(audio)
        x = self.places(self.tokens(tokens))
        for block in self.decoder:
            x = block(x, heard)
        return keras.Model({"audio": audio, "tokens": tokens}, self.logits(x), name="whisper")

    def reader(self) -> keras.Model:
        """What is kept of a sound, waveforms float32 [batch, samples]: "heard", what the encoder says of each moment,
        [batch, places, dimensions], and "keys" and "values" of it for each layer of the decoder, [layers, batch, heads,
        places, size]."""
        audio = self._audio()
        heard = self._heard(audio)
        found = [block.sound.keys_and_values(heard) for block in self.decoder if block.sound is not None]
        keys, values = (ops.stack(parts) for parts in zip(*found, strict=True))
        return keras.Model(audio, {"heard": heard, "keys": keys, "values": values}, name="reader")

    def writer(self) -> Writer:
        """Tokens of a text that follow others."""
        return Writer(self, name="writer")

    def logits(self, x: Any) -> Any:
        """How well each token fits a state [..., dimensions], float32 [..., vocabulary]."""
        return ops.cast(self.tokens(self.norms["decoder"](x), reverse=True), "float32")

    def _block(self, side: str, number: int, is_blank: bool) -> Block:
        return Block(
            f"{side}_{number}",
            dimensions=self.shape.d_model,
            heads=getattr(self.shape, f"{side}_attention_heads"),
            units=getattr(self.shape, f"{side}_ffn_dim"),
            is_decoder=side == "decoder",
            is_blank=is_blank,
        )

    def _audio(self) -> Any:
        return keras.Input((self.shape.num_samples,), dtype="float32", name="audio")

    def _heard(self, audio: Any) -> Any:
        x = self.spectrogram(audio)
        for convolution in self.convolutions:
            # "same" would pad an even length at its end alone where the stride is 2.
            x = convolution(self.padding(x))
        x = self.moments(x)
        for block in self.encoder:
            x = block(x)
        return self.norms["encoder"](x)


class Writer(keras.Model):
    """Tokens of a text that follow others, one or more: what fits after each, and their keys and values, which are to
    be kept for those that follow.

    It is no graph of layers: a text has any number of tokens.
    """

    def __init__(self, whisper: Whisper, name: str) -> None:
        super().__init__(name=name)
        self.whisper = whisper
        inner = [layer for block in whisper.decoder for layer in block.layers]
        self.parts = [whisper.tokens, whisper.places, whisper.norms["decoder"], *inner]
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Compute.

        Args:
            training: Changes nothing here.
            inputs: The arrays

                - "tokens": int32 [batch, n].
                - "place": Of the first of them, int32 [1].
                - "keys", "values": Of the sound, as from `Whisper.reader`.
                - "past_keys", "past_values": What was kept of the tokens before, [layers, batch, heads, places, size],
                  of which the first "place" count.

        Returns:
            "logits" of the token that follows each, float32 [batch, n, vocabulary]; "past_keys" and "past_values" of
            these tokens, [layers, batch, heads, n, size].
        """
        whisper, tokens, place = self.whisper, inputs["tokens"], inputs["place"]
        room = ops.arange(count_of(inputs["past_keys"], 3), dtype="int32")
        count = count_of(tokens, 1)
        is_there: Any = ops.where(room < place, 0.0, NEVER)
        mask = ops.concatenate([ops.tile(is_there[None], (count, 1)), causal(count)], axis=1)
        x, found = whisper.places(whisper.tokens(tokens), place), []
        for number, block in enumerate(whisper.decoder):
            past, sound = ((inputs[f"{kind}keys"][number], inputs[f"{kind}values"][number]) for kind in ("past_", ""))
            x, *new = block.step(x, mask, past, sound)
            found.append(new)
        keys, values = (ops.stack(parts) for parts in zip(*found, strict=True))
        return {"logits": whisper.logits(x), "past_keys": keys, "past_values": values}
