"""The encoder of the tutor: a text to a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from layerwise_language.ngrams import NGrams, Rarity, SumOfEmbeddings, characters_of

if TYPE_CHECKING:
    from layerwise_language.tutor import TutorConfig
    from layerwise_language.tutor.task import Tutoring

SPREAD = 0.05
"""The standard deviation of the numbers of an embedding before training. Random vectors are nearly orthogonal: texts
that share words are similar from the beginning, also those of which nothing was learned."""


class Pair(layers.Layer):
    """Two vectors [batch, dimensions] as one array [batch, 2, dimensions]."""

    def call(self, one: Any, other: Any) -> Any:
        return ops.stack([one, other], axis=1)


def encoder(config: TutorConfig, task: Tutoring) -> keras.Model:
    """Tokens int32 [batch, places] to vectors of length 1 [batch, dimensions]: the sum of the embeddings of words, of
    words that follow each other and of the characters in them."""
    size = task.vocabulary + config.buckets
    characters = characters_of(task.known_tokenizer, task.vocabulary, config.buckets)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    numbers = NGrams(config.longest, task.vocabulary, config.buckets, characters, name="ngrams")(tokens)
    weights = Rarity(size, name="rarity")(numbers)
    initializer: Any = keras.initializers.RandomNormal(stddev=SPREAD)
    vectors = layers.Embedding(size, config.dimensions, embeddings_initializer=initializer, name="embedding")(numbers)
    kinds = (1, characters.shape[1], *[1] * (config.longest - 1))
    x = SumOfEmbeddings(kinds, config.drop_features, name="sum")(vectors, weights)
    return keras.Model(tokens, layers.UnitNormalization(name="direction")(x), name="encoder")


def build(config: TutorConfig, task: Tutoring) -> keras.Model:
    """The network: "question" and "document", int32 [batch, places] each, to their vectors [batch, 2, dimensions]."""
    encode = encoder(config, task)
    question, document = (keras.Input((None,), dtype="int32", name=name) for name in ("question", "document"))
    pair = Pair(dtype="float32", name="pair")(encode(question), encode(document))
    return keras.Model({"question": question, "document": document}, pair, name="tutor")
