"""A residual network of convolutions with attention for sequences of letters (He et al. 2016, arXiv:1603.05027; Vaswani
et al. 2017, arXiv:1706.03762)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from layerwise.tasks import SequenceLabelling
    from layerwise_science.proteins.structure import StructureConfig


def build(config: StructureConfig, task: SequenceLabelling) -> keras.Model:
    """The network: shares of letters [batch, places, letters] to logits [batch, places, labels].

    Sequences in one row see nothing of each other: empty places are zero before each convolution, none of which reaches
    across the gap between two sequences, and attention stays within a sequence.
    """
    import keras
    from keras import layers, ops

    letters = keras.Input((None, len(task.letters.letters)), name="letters")
    there: Any = ops.cast(ops.greater(ops.sum(letters, axis=-1, keepdims=True), 0), "float32")
    # Within a sequence no empty place is counted, so this number tells the sequences of a row apart.
    number: Any = ops.cumsum(1 - there, axis=1)
    together = ops.logical_and(
        ops.equal(number, ops.transpose(number, (0, 2, 1))), ops.greater(ops.transpose(there, (0, 2, 1)), 0)
    )
    x = letters
    if config.hidden:
        x = layers.Dropout(config.hidden, noise_shape=(None, None, 1), name="hide")(x)
    x = layers.Conv1D(config.filters, config.kernel, padding="same", name="stem")(x)
    for level in range(1, config.depth + 1):
        x = layers.Add(name=f"add_{level}")([x, _convolution(x, there, config, f"block_{level}")])
        if level in config.looks:
            x = layers.Add(name=f"join_{level}")([x, _attention(x, together, config, f"look_{level}")])
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    # Logits in float32: in mixed precision the loss would lose digits.
    x = layers.Dense(len(task.labels), dtype="float32", name="logits")(x)
    return keras.Model(letters, x, name="protein_structure")


def _convolution(x: Any, there: Any, config: StructureConfig, name: str) -> Any:
    from keras import layers

    x = layers.LayerNormalization(name=f"{name}_norm")(x)
    x = layers.Multiply(name=f"{name}_there")([x, there])
    x = layers.Conv1D(config.filters, config.kernel, padding="same", activation="silu", name=f"{name}_convolution")(x)
    x = layers.Dropout(config.dropout, name=f"{name}_dropout")(x)
    return layers.Dense(config.filters, name=f"{name}_mix")(x)


def _attention(x: Any, together: Any, config: StructureConfig, name: str) -> Any:
    from keras import layers

    x = layers.LayerNormalization(name=f"{name}_norm")(x)
    found = layers.MultiHeadAttention(config.heads, config.dimensions, name=f"{name}_attention")(
        x, x, attention_mask=together
    )
    return layers.Dropout(config.dropout, name=f"{name}_dropout")(found)
