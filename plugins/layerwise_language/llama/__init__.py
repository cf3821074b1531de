"""Decoders of the Llama family: the network, its cache, what writes with it, and the reading of published weights."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from layerwise import TrainingConfig, setting
from layerwise_language.llama.shape import LlamaShape

if TYPE_CHECKING:
    import keras

    from layerwise.tasks.texts import Texts
    from layerwise_language.llama.network import Llama

SHARED = tuple(
    field.name for field in fields(LlamaShape) if field.name not in ("vocab_size", "max_position_embeddings")
)
"""What a config and a shape call by the same name."""


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(TrainingConfig):
    """The settings of models whose network is of this family, most of them named as published networks name them."""

    hidden_size: int = setting(256, "Numbers for each token, a multiple of twice the heads", minimum=2, maximum=16384)
    num_hidden_layers: int = setting(4, "Layers of attention and dense layers", minimum=1, maximum=128)
    num_attention_heads: int = setting(4, "Heads of each attention", minimum=1, maximum=128)
    num_key_value_heads: int = setting(2, "Heads of keys and values, a divisor of the heads", minimum=1, maximum=128)
    intermediate_size: int = setting(640, "Units of the dense layers of a block", minimum=1, maximum=65_536)
    context: int = setting(256, "Most tokens of a text", minimum=8, maximum=131_072, unit="tokens")
    rope_theta: float = setting(
        10_000.0, "Base of the wavelengths by which places are told", minimum=1, maximum=1e9, log=True, advanced=True
    )
    rms_norm_eps: float = setting(
        1e-5, "Added to mean squares before their root is taken", minimum=1e-12, maximum=1, log=True, advanced=True
    )
    tie_word_embeddings: bool = setting(
        True, "Whether the table of the tokens' vectors also tells how well each token fits", advanced=True
    )


def network_of(config: LlamaConfig, task: Texts, *, is_blank: bool = False) -> Llama:
    """The layers of the network, from which the one for training and the one for writing are made.

    Args:
        is_blank: Whether the weights are zeros, as others will be read in their place.
    """
    from layerwise_language.llama.network import Llama

    return Llama(
        LlamaShape(
            vocab_size=task.vocabulary,
            max_position_embeddings=config.context,
            **{name: getattr(config, name) for name in SHARED},
        ),
        is_blank=is_blank,
    )


def build(config: LlamaConfig, task: Texts) -> keras.Model:
    """The network for training: tokens int32 [batch, places] to logits float32 [batch, places, tokens]."""
    return network_of(config, task).whole()
