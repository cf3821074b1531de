"""Whisper: the network that writes down what is said in whole sentences, what runs it, and the reading of published
weights."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from layerwise import TrainingConfig, setting
from layerwise_speech.whisper.shape import WhisperShape

if TYPE_CHECKING:
    import keras

    from layerwise.tasks.base import Task
    from layerwise_speech.whisper.network import Whisper

SHARED = tuple(field.name for field in fields(WhisperShape))
"""What a config and a shape call by the same name."""


@dataclass(frozen=True, kw_only=True)
class WhisperConfig(TrainingConfig):
    """The numbers that say what a network is made of, named as published networks name them; unless told otherwise
    those of tiny.en."""

    vocab_size: int = setting(51_864, "Tokens", minimum=2, maximum=1_000_000)
    d_model: int = setting(384, "Numbers for each moment or token, a multiple of the heads", minimum=2, maximum=16_384)
    encoder_layers: int = setting(4, "Layers that hear", minimum=1, maximum=128)
    encoder_attention_heads: int = setting(6, "Heads of each attention of these", minimum=1, maximum=128)
    encoder_ffn_dim: int = setting(1536, "Units of their dense layers", minimum=1, maximum=65_536)
    decoder_layers: int = setting(4, "Layers that write", minimum=1, maximum=128)
    decoder_attention_heads: int = setting(6, "Heads of each attention of these", minimum=1, maximum=128)
    decoder_ffn_dim: int = setting(1536, "Units of their dense layers", minimum=1, maximum=65_536)
    num_mel_bins: int = setting(80, "Bands of the spectrogram", minimum=1, maximum=200)
    max_source_positions: int = setting(1500, "Moments of a window, 50 a second", minimum=10, maximum=10_000)
    max_target_positions: int = setting(448, "Most tokens of a text", minimum=8, maximum=10_000, unit="tokens")


def network_of(config: WhisperConfig, *, is_blank: bool = False) -> Whisper:
    """The layers of the network, from which the one for looking inside and those that hear and write are made.

    Args:
        is_blank: Whether the weights are zeros, as others will be read in their place.
    """
    from layerwise_speech.whisper.network import Whisper

    return Whisper(WhisperShape(**{name: getattr(config, name) for name in SHARED}), is_blank=is_blank)


def build(config: WhisperConfig, task: Task) -> keras.Model:
    """The whole network: "audio" float32 [batch, samples] and "tokens" int32 [batch, length] to logits float32 [batch,
    length, vocabulary]."""
    return network_of(config).whole()
