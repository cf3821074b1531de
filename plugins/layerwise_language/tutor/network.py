"""The network of the tutor: a text to a vector, and how near it is to each topic."""

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
SHORTEST = 0.01
"""The length below which a vector is not stretched any more."""


class Direction(layers.Layer):
    """Vectors made to be of length 1, those that are nearly zero shorter: the gradient of what is divided by nearly
    nothing would be immense, and a text of which all n-grams were left out in a step is zero.

    Input shape:
        [batch, dimensions].

    Output shape:
        The same.
    """

    def call(self, x: Any) -> Any:
        square: Any = ops.sum(ops.square(x), axis=-1, keepdims=True)
        return x * ops.rsqrt(square + SHORTEST**2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Nearness(layers.Layer):
    """The cosine with each of some vectors that are learned.

    Args:
        count: How many vectors.

    Input shape:
        [batch, dimensions], each of length 1.

    Output shape:
        [batch, count].
    """

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(**options)
        self.count = count

    def build(self, input_shape: Any) -> None:
        spread: Any = keras.initializers.RandomNormal()
        self.vectors = self.add_weight(shape=(self.count, input_shape[-1]), initializer=spread, name="vectors")
        self.built = True

    def call(self, x: Any) -> Any:
        return ops.matmul(x, ops.transpose(ops.normalize(self.vectors, axis=-1)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.count)


def build(config: TutorConfig, task: Tutoring) -> keras.Model:
    """The network: tokens int32 [batch, length] to cosines [batch, topics]. What goes into its last layer, "nearness",
    is the vector of the text: the sum of the embeddings of words, of words that follow each other and of the
    characters in them, made to be of length 1."""
    size = task.vocabulary + config.buckets
    characters = characters_of(task.known_tokenizer, task.vocabulary, config.buckets)
    tokens = keras.Input((task.length,), dtype="int32", name="tokens")
    numbers = NGrams(config.longest, task.vocabulary, config.buckets, characters, name="ngrams")(tokens)
    weights = Rarity(size, name="rarity")(numbers)
    initializer: Any = keras.initializers.RandomNormal(stddev=SPREAD)
    vectors = layers.Embedding(size, config.dimensions, embeddings_initializer=initializer, name="embedding")(numbers)
    kinds = (1, characters.shape[1], *[1] * (config.longest - 1))
    x = SumOfEmbeddings(kinds, config.drop_features, name="sum")(vectors, weights)
    x = Direction(dtype="float32", name="direction")(x)
    return keras.Model(tokens, Nearness(len(task.topics), dtype="float32", name="nearness")(x), name="tutor")
