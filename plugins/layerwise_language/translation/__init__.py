"""`language/translation`: English to German and back, by a Transformer that is trained here.

Trained on sentences of Tatoeba and of the catalogues of free programs
(`layerwise_language.translation.english_german`), or on pairs of one's own in any two languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import Translation
from layerwise_language.heads import check_heads

if TYPE_CHECKING:
    import keras

    from layerwise_language.translation.network import Transformer

WEIGHTS = Path(__file__).parents[1] / "weights" / "translation"


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(TrainingConfig):
    """The settings of `language/translation`."""

    dimensions: int = setting(192, "Numbers for each token, a multiple of twice the heads", minimum=2, maximum=2048)
    depth: int = setting(3, "Layers of the encoder, and of the decoder", minimum=1, maximum=24)
    heads: int = setting(4, "Heads of each attention", minimum=1, maximum=64)
    units: int = setting(768, "Units of the first dense layer of a block", minimum=1, maximum=16384)
    dropout: float = setting(0.1, "Share of numbers zeroed in a training step", minimum=0, maximum=0.9)


def layers_of(config: TranslationConfig, task: Translation) -> Transformer:
    """The layers of the network, from which the one for training and those for writing are made."""
    from layerwise_language.translation.network import Transformer

    check_heads(config.dimensions, config.heads)
    return Transformer(
        task.vocabulary,
        task.length,
        dimensions=config.dimensions,
        depth=config.depth,
        heads=config.heads,
        units=config.units,
        dropout=config.dropout,
        beginnings=[task.first_token(direction) for direction in (0, 1)],
    )


def build(config: TranslationConfig, task: Translation) -> keras.Model:
    """The network for training: "source" and "target", int32 [batch, length], to logits [batch, length, tokens]."""
    return layers_of(config, task).whole()


TASK = Translation(languages=("English", "German"), length=48, vocabulary=8000)


def examples() -> Sequence[Example]:
    """Sentences to try."""
    there, back = TASK.directions
    return [
        Example(inputs={"text": text, "direction": direction}, label=label)
        for label, text, direction in (
            ("A question", "Where did you learn German?", there),
            ("A statement", "Tom is not at home today.", there),
            ("Eine Frage", "Kannst du mir bitte helfen?", back),
            ("Eine Aussage", "Ich habe keine Zeit.", back),
        )
    ]


TRANSLATION = ModelSpec(
    name="language/translation",
    task=TASK,
    build="layerwise_language.translation:build",
    runner="layerwise_language.translation.runner:Translator",
    data="english-german",
    config=TranslationConfig,
    examples="layerwise_language.translation:examples",
    variants=(
        Variant(
            name="transformer",
            summary="A small Transformer, both ways",
            config=TranslationConfig(
                num_epochs=16,
                batch_size=32,
                learning_rate=1e-3,
                optimizer="adamw",
                schedule="cosine",
                warmup_epochs=1,
                label_smoothing=0.1,
                weight_decay=0.01,
                precision="auto",
                validation_fraction=0.01,
            ),
            weights=WEIGHTS,
        ),
    ),
    card=ModelCard(
        title="Translation",
        summary="Write a short sentence in English or German; the network writes it in the other language.",
        invitation="Ask in German where somebody learned German",
        description=(
            "A Transformer of three layers on each side, trained from scratch on 82,000 pairs of sentences, both ways "
            "at once: a token tells it which language to write. 47,000 are short ones that volunteers of Tatoeba "
            "wrote; 36,000 longer ones come from the games Battle for Wesnoth, FreedroidRPG and Widelands and from the "
            "help of LibreOffice. It looks at four beginnings at a time and shows what else it thought of, and where "
            "it looked. "
            "One in twenty English sentences, chosen by a hash of its words, was kept for the test, with all its "
            "translations; no German sentence of the test is in the training data either. Figures for the short ones "
            "are below; for longer ones: `layerwise evaluate language/translation --split test-longer`. The texts keep "
            "their licences: CC BY 2.0, GPL-2.0-or-later, MPL-2.0."
        ),
        limits=(
            "It learned from few sentences, half of them of at most four words and nine of ten of at most sixteen: "
            "longer ones are translated badly, and words that it has not met are made up. It does not know what a text "
            "is about; do not rely on it."
        ),
        licence="Apache-2.0",
        sources=("https://tatoeba.org", "https://arxiv.org/abs/1706.03762"),
    ),
)
