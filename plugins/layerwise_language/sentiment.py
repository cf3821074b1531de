"""`language/sentiment`: whether a text is for or against what it is about, by a dense network over n-grams or by a
convolution over words.

Trained on the sentences of SST-2 (`layerwise_language.sst2`), or on texts of one's own with any labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import TextClassification
from layerwise_language.sst2 import LABELS

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class SentimentConfig(TrainingConfig):
    """The settings of `language/sentiment`."""

    network: str = setting(
        "ngrams",
        "What the network looks at: n-grams in any order, or words in theirs",
        choices=("ngrams", "convolution"),
    )
    dimensions: int = setting(32, "Numbers that stand for a token or an n-gram", minimum=1, maximum=1024)
    longest: int = setting(3, "Most tokens that are looked at together", minimum=1, maximum=7, unit="tokens")
    buckets: int = setting(
        50_000, "Numbers that longer n-grams share", minimum=100, maximum=10_000_000, log=True, advanced=True
    )
    units: int = setting(64, "Filters of each width, of the convolution", minimum=1, maximum=4096)
    drop_features: float = setting(0.3, "Share of n-grams left out in a training step", minimum=0, maximum=0.9)
    dropout: float = setting(0.5, "Share of features zeroed before the last layer", minimum=0, maximum=0.9)


def build(config: SentimentConfig, task: TextClassification) -> keras.Model:
    """The network: tokens int32 [batch, length] to logits [batch, classes]."""
    import keras
    from keras import layers

    inputs = keras.Input((task.length,), dtype="int32", name="tokens")
    features = (_ngrams if config.network == "ngrams" else _convolution)(inputs, config, task)
    x = layers.Dropout(config.dropout, name="dropout")(features)
    # Logits in float32: in mixed precision the cross-entropy would lose digits.
    outputs = layers.Dense(len(task.labels), dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="sentiment")


def _ngrams(inputs: Any, config: SentimentConfig, task: TextClassification) -> Any:
    """A bag of n-grams (Joulin et al. 2016, arXiv:1607.01759) and a hidden layer."""
    from keras import layers

    from layerwise_language.ngrams import NGrams, Rarity, SumOfEmbeddings, characters_of

    size = task.vocabulary + config.buckets
    characters = characters_of(task.known_tokenizer, task.vocabulary, config.buckets)
    numbers = NGrams(config.longest, task.vocabulary, config.buckets, characters, name="ngrams")(inputs)
    weights = Rarity(size, name="rarity")(numbers)
    # Zero, so that n-grams of which nothing was learned say nothing.
    vectors = layers.Embedding(size, config.dimensions, embeddings_initializer="zeros", name="embedding")(numbers)
    kinds = (1, characters.shape[1], *[1] * (config.longest - 1))
    return SumOfEmbeddings(kinds, config.drop_features, name="sum")(vectors, weights)


def _convolution(inputs: Any, config: SentimentConfig, task: TextClassification) -> Any:
    """Filters over 1, 2, ... tokens, and the largest activation of each (Kim 2014, arXiv:1408.5882). A token is the sum
    of its own vector and those of the groups of characters in it."""
    from keras import layers, ops

    from layerwise_language.ngrams import NGrams, characters_of

    size = task.vocabulary + config.buckets
    characters = characters_of(task.known_tokenizer, task.vocabulary, config.buckets)
    numbers = NGrams(1, task.vocabulary, config.buckets, characters, name="parts")(inputs)
    vectors = layers.Embedding(size, config.dimensions, name="embedding")(numbers)
    there: Any = ops.cast(ops.greater(ops.expand_dims(numbers, -1), 0), vectors.dtype)
    x: Any = ops.divide(ops.sum(vectors * there, axis=2), ops.maximum(ops.sum(there, axis=2), 1))
    x = layers.SpatialDropout1D(config.drop_features, name="drop_features")(x)
    found = [
        layers.GlobalMaxPooling1D(name=f"largest_{width}")(
            layers.Conv1D(config.units, width, padding="same", activation="relu", name=f"words_{width}")(x)
        )
        for width in range(1, config.longest + 1)
    ]
    return layers.Concatenate(name="joined")(found) if len(found) > 1 else found[0]


def examples() -> Sequence[Example]:
    """Sentences that nobody trained on."""
    return [
        Example(inputs={"text": text}, label=label)
        for label, text in (
            ("For it", "A warm, funny film that I would gladly see again."),
            ("Against it", "Two hours of my life that I will never get back."),
            ("Denied", "It is not a bad film at all."),
            ("Mixed", "The actors are wonderful, but the story goes nowhere."),
        )
    ]


SENTIMENT = ModelSpec(
    name="language/sentiment",
    task=TextClassification(labels=LABELS, length=64, vocabulary=16_000),
    build="layerwise_language.sentiment:build",
    data="sst2",
    config=SentimentConfig,
    examples="layerwise_language.sentiment:examples",
    variants=(
        Variant(
            name="ngrams",
            summary="A dense network over words and words that follow each other",
            config=SentimentConfig(
                dimensions=4,
                longest=3,
                buckets=200_000,
                drop_features=0.6,
                dropout=0.3,
                num_epochs=5,
                batch_size=32,
                learning_rate=1e-3,
            ),
            weights=HERE / "weights" / "sentiment-ngrams",
        ),
        Variant(
            name="convolution",
            summary="Filters over words in their order",
            config=SentimentConfig(
                network="convolution",
                dimensions=48,
                buckets=30_000,
                drop_features=0.4,
                num_epochs=6,
                batch_size=64,
                learning_rate=1e-3,
            ),
            weights=HERE / "weights" / "sentiment-convolution",
        ),
    ),
    card=ModelCard(
        title="Sentiment",
        summary="Write what you think of a film, a meal, a book; the network says whether you liked it.",
        description=(
            "Trained from scratch on 6,920 sentences of English film reviews (SST-2), with a vocabulary of 16,000 "
            "words and pieces of words that was learned from them too. The first network looks at words, at words that "
            "follow each other and at the characters in them, wherever they stand, and what is rare counts more; the "
            "second slides filters over the words in their order and keeps what answers most; a word is the mean of "
            "the vectors of itself and of the characters in it. Published for networks "
            "that know nothing but these sentences and their phrases: 82.7 % (Kim 2014). To tell other things apart, "
            "in any language, train it on a table with your own texts and labels."
        ),
        limits=(
            "It knows English film reviews of 2005 and says positive or negative whatever it reads: irony, denials and "
            "words that it never met mislead it, and it has no opinion of facts. It reads the first 64 words of a "
            "text. What the reviews say of people is in it too."
        ),
        licence="Apache-2.0",
        sources=("https://nlp.stanford.edu/sentiment/", "https://arxiv.org/abs/1408.5882"),
    ),
)
