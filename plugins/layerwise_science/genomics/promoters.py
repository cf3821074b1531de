"""`science/promoters` and its like: whether genes begin to be copied in a stretch of DNA, by convolutions over its
letters.

The windows are aligned at the start of transcription, so where a motif stands says as much as that it is there: the
network keeps the places of what its filters find. What is no promoter is mostly a piece of a gene, which is read in
triplets: other filters are asked in which of the three reading frames they find something (a stop codon), and in which
they do not. Genes also prefer some codons to others of the same meaning (Staden and McLachlan 1982, Nucleic Acids
Research 10): usages of codons, each a number for each of the 64, are added up along a frame, and the frames in which
they fit best count. That is a mixture of naive Bayes classifiers over the unknown frame, learned with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerwise import TrainingConfig, setting
from layerwise.tasks import SequenceClassification

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class PromoterConfig(TrainingConfig):
    """The settings of the networks for promoters."""

    filters: int = setting(48, "Filters of the first layer, each of which looks for a motif", minimum=1, maximum=512)
    width: int = setting(15, "Letters that a filter sees", minimum=3, maximum=51, unit="letters")
    pool: int = setting(3, "Neighbouring places of which the most active one counts", minimum=1, maximum=20)
    later_filters: int = setting(32, "Filters over what the first ones found", minimum=1, maximum=512)
    later_width: int = setting(7, "Places that a later filter sees", minimum=1, maximum=51)
    frame_filters: int = setting(
        32, "Filters whose finds are told apart by their reading frame; 0 for none", minimum=0, maximum=512
    )
    codon_usages: int = setting(
        0, "Usages of the 64 codons that are looked for in the reading frames; 0 for none", minimum=0, maximum=256
    )
    hidden_units: int = setting(64, "Width of the hidden layer", minimum=1, maximum=1024)
    drop_filters: float = setting(
        0.2, "Share of what filters found that is zeroed in a training step", minimum=0, maximum=0.9
    )
    drop_codons: float = setting(
        0.3, "Share of codons that usages do not see in a training step", minimum=0, maximum=0.9
    )
    dropout: float = setting(0.5, "Share of features zeroed before the dense layers", minimum=0, maximum=0.9)


def build(config: PromoterConfig, task: SequenceClassification) -> keras.Model:
    """The network: shares of letters float32 [batch, length, letters] to logits [batch, classes]."""
    import keras
    from keras import layers

    inputs = keras.Input((task.length, len(task.letters.letters)), name="text")
    x: Any = layers.Conv1D(config.filters, config.width, padding="same", name="motifs")(inputs)
    # Before the activation, which keeps the order of numbers: that leaves less to compute.
    x = layers.MaxPooling1D(config.pool, name="nearby")(x)
    x = _found(x, "motifs", config.drop_filters)
    x = layers.Conv1D(config.later_filters, config.later_width, padding="same", name="groups")(x)
    x = layers.MaxPooling1D(2, name="groups_nearby")(x)
    x = _found(x, "groups", config.drop_filters)
    x = layers.Flatten(name="places")(x)
    if config.frame_filters:
        x = layers.Concatenate(name="everything")([x, _frames(inputs, config.frame_filters)])
    x = layers.Dropout(config.dropout, name="dropout")(x)
    x = layers.Dense(config.hidden_units, activation="relu", name="hidden")(x)
    x = layers.Dropout(config.dropout, name="dropout_hidden")(x)
    if config.codon_usages:
        # Not before the hidden layer: evidence that is independent adds up to logits.
        x = layers.Concatenate(name="evidence")([x, _usages(inputs, config.codon_usages, config.drop_codons)])
    # Logits in float32: in mixed precision the cross-entropy would lose digits.
    outputs = layers.Dense(len(task.labels), dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="promoters")


CODON = 3
"""Letters of a codon."""


def _frames(inputs: Any, filters: int) -> Any:
    """What filters find in the reading frames, [batch, 6 * filters]: their greatest and mean activation in a frame, of
    these the greatest, the least and the mean of the three frames."""
    from keras import layers, ops

    x: Any = layers.Conv1D(filters, CODON, padding="same", name="codons")(inputs)
    x = layers.BatchNormalization(momentum=0.9, name="codons_norm")(x)
    x = layers.ReLU(name="codons_found")(x)
    codons = x.shape[1] // CODON
    x = layers.Cropping1D((0, x.shape[1] % CODON), name="whole_codons")(x)
    x = layers.Reshape((codons, CODON, filters), name="frames")(x)
    found = [over(each(x, axis=1), axis=1) for each in (ops.max, ops.mean) for over in (ops.max, ops.min, ops.mean)]
    return layers.Concatenate(name="frames_found")(found)


def _usages(inputs: Any, usages: int, dropout: float) -> Any:
    """How well usages of codons fit, [batch, usages]: the logarithm of the sum over the three frames of the
    exponential of what the codons of a frame add up to."""
    import keras
    from keras import layers, ops

    places, letters = inputs.shape[1] - CODON + 1, inputs.shape[2]
    # The share of a codon is the product of the shares of its letters.
    first, second, third = (inputs[:, start : start + places] for start in range(CODON))
    pairs = layers.Reshape((places, letters**2), name="pairs")(first[..., None] * second[:, :, None])
    x = layers.Reshape((places, letters**3), name="triplets")(pairs[..., None] * third[:, :, None])
    x = layers.Dropout(dropout, noise_shape=(None, places, 1), name="triplets_dropout")(x)
    # Small, since 26 of them are added up; not the same for all, or all would learn the same.
    start: Any = keras.initializers.RandomNormal(stddev=0.1)
    x = layers.Dense(usages, use_bias=False, kernel_initializer=start, name="usages")(x)
    codons = places // CODON
    x = layers.Cropping1D((0, places % CODON), name="whole_triplets")(x)
    x = layers.Reshape((codons, CODON, usages), name="usages_of_frames")(x)
    x = ops.logsumexp(ops.sum(x, axis=1), axis=1)
    return layers.BatchNormalization(momentum=0.9, name="usages_norm")(x)


def _found(x: Any, name: str, dropout: float) -> Any:
    from keras import layers

    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    x = layers.ReLU(name=f"{name}_found")(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x)
