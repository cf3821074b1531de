"""The numbers that say what a network of the Whisper family is made of. Importing this imports no backend."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise.errors import SpecError

RATE = 16_000
"""Samples a second."""
HOP = 160
"""Samples from one frame of the spectrogram to the next."""
STEP = 2 * HOP
"""Samples from one place of the encoder to the next, and from one timestamp to the next: the second convolution leaves
out every other frame."""


@dataclass(frozen=True, kw_only=True)
class WhisperShape:
    """The numbers that say what a network is made of, named as in the `config.json` of published ones.

    Args:
        vocab_size: How many tokens there are.
        d_model: Numbers that stand for a moment of the sound or for a token.
        encoder_layers, decoder_layers: How many blocks.
        encoder_attention_heads, decoder_attention_heads: Heads of each attention; divisors of `d_model`.
        encoder_ffn_dim, decoder_ffn_dim: Units of the dense layers of a block.
        num_mel_bins: Bands of the spectrogram.
        max_source_positions: Places of the encoder, 50 a second.
        max_target_positions: The most tokens of a text.

    Raises:
        SpecError: The numbers do not fit together.
    """

    vocab_size: int
    d_model: int
    encoder_layers: int
    encoder_attention_heads: int
    encoder_ffn_dim: int
    decoder_layers: int
    decoder_attention_heads: int
    decoder_ffn_dim: int
    num_mel_bins: int = 80
    max_source_positions: int = 1500
    max_target_positions: int = 448

    def __post_init__(self) -> None:
        for side in ("encoder", "decoder"):
            heads = getattr(self, f"{side}_attention_heads")
            if self.d_model % heads or self.d_model % 2:
                raise SpecError(
                    f"The heads of the {side} cannot share its numbers",
                    expected=f"an even multiple of {heads}, the heads",
                    received=f"{self.d_model} numbers",
                )

    @property
    def num_samples(self) -> int:
        """Samples of a window, which is what the network hears at a time."""
        return self.max_source_positions * STEP

    @property
    def decoder_head_size(self) -> int:
        """Numbers of a head of the decoder."""
        return self.d_model // self.decoder_attention_heads
