"""The numbers that say what a network of the Llama family is made of. Importing this imports no backend."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise.errors import SpecError
from layerwise_language.heads import check_heads


@dataclass(frozen=True, kw_only=True)
class LlamaShape:
    """The numbers that say what a network is made of, named as in the `config.json` of published ones.

    Args:
        vocab_size: How many tokens there are.
        hidden_size: Numbers that stand for a token.
        num_hidden_layers: How many blocks.
        num_attention_heads: Heads of queries; `hidden_size` is a multiple of twice as many.
        num_key_value_heads: Heads of keys and values, a divisor of the former.
        intermediate_size: Units of the dense layers of a block.
        rope_theta: The base of the wavelengths by which places are told.
        rms_norm_eps: Added to the mean square before its root is taken.
        tie_word_embeddings: Whether the table of the tokens' vectors also tells how well each token fits.
        max_position_embeddings: The most tokens of a text, the context.

    Raises:
        SpecError: The numbers do not fit together.
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    intermediate_size: int
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5
    tie_word_embeddings: bool = True
    max_position_embeddings: int = 2048

    def __post_init__(self) -> None:
        check_heads(self.hidden_size, self.num_attention_heads)
        if self.num_attention_heads % self.num_key_value_heads:
            raise SpecError(
                "The heads cannot share keys and values",
                expected=f"a multiple of {self.num_key_value_heads}, the heads of keys and values",
                received=f"{self.num_attention_heads} heads",
            )

    @property
    def head_size(self) -> int:
        """Numbers of a head."""
        return self.hidden_size // self.num_attention_heads
