"""`language/tutor`: a conversation about what the registered lessons and flashcards explain. A small encoder that was
trained here finds the card that answers; what no card answers it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerwise import DatasetSpec, Example, ModelCard, ModelSpec, Source, TrainingConfig, Variant, setting
from layerwise_language.tutor.task import Tutoring

WEIGHTS = Path(__file__).parents[1] / "weights" / "tutor"


@dataclass(frozen=True, kw_only=True)
class TutorConfig(TrainingConfig):
    """The settings of `language/tutor`."""

    dimensions: int = setting(64, "Numbers that stand for a text", minimum=2, maximum=1024)
    longest: int = setting(2, "Most words that are looked at together", minimum=1, maximum=7, unit="words")
    buckets: int = setting(
        30_000, "Numbers that characters and groups of words share", minimum=100, maximum=10_000_000, log=True
    )
    drop_features: float = setting(0.3, "Share of them left out in a training step", minimum=0, maximum=0.9)


QUESTIONS = DatasetSpec(
    name="tutor-questions",
    title="Questions about deep learning",
    summary="The registered flashcards and lessons, 5,000 questions about them, and texts that are about other things.",
    sources=(
        Source(
            name="registered", read="layerwise_language.tutor.topics:read_questions", licence="Apache-2.0 AND CC-BY-4.0"
        ),
    ),
)


def examples() -> Sequence[Example]:
    """Things to ask."""
    return [
        Example(inputs={"message": text})
        for text in (
            "My loss suddenly becomes nan, what is wrong?",
            "What does a bias do?",
            "How come stacking linear layers without anything in between is pointless?",
            "How long do I boil an egg?",
        )
    ]


TUTOR = ModelSpec(
    name="language/tutor",
    task=Tutoring(vocabulary=3000),
    build="layerwise_language.tutor.network:build",
    runner="layerwise_language.tutor.runner:Tutor",
    data="tutor-questions",
    config=TutorConfig,
    examples="layerwise_language.tutor:examples",
    variants=(
        Variant(
            name="encoder",
            summary="The nearest card by the sum of n-grams",
            config=TutorConfig(dimensions=128, drop_features=0.8, num_epochs=30, batch_size=128, learning_rate=2e-3),
            weights=WEIGHTS,
        ),
    ),
    card=ModelCard(
        title="Tutor",
        summary="Ask about deep learning in your own words; the tutor finds the flashcard that answers.",
        description=(
            "An encoder turns a text into a vector: the sum of learned vectors of its words, of pairs of words and of "
            "the characters in them. It was trained from scratch so that a question lies near the texts of the card "
            "that answers it, and that what is about something else lies near none. For that 5,000 questions were "
            "written, 40 for each card, and 1,700 texts about other things. It answers from the cards and lessons that "
            "are registered, also from those of your own plugins, which it has not been trained on. The test are 150 "
            "texts that were written apart from these. Replies to greetings and thanks come from the dialogues of "
            "Synthetic-Persona-Chat (CC BY 4.0)."
        ),
        limits=(
            "It does not make up text and does not reason: it knows what the cards say and nothing else. It reads "
            "English, and the first 32 words of a message; of the conversation it uses the message before, when a "
            "short one leans on it. Questions that use none of the words that it has learned are not understood."
        ),
        licence="Apache-2.0",
        sources=(
            "https://arxiv.org/abs/2004.04906",
            "https://github.com/google-research-datasets/Synthetic-Persona-Chat",
        ),
    ),
)
