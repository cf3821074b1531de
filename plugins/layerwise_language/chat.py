"""`language/chat`: a conversation with a decoder of the Llama family, small and trained here, or published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerwise import Example, ModelCard, ModelSpec, PublishedWeights, Variant
from layerwise.tasks import Dialogue
from layerwise_language.llama import LlamaConfig

WEIGHTS = Path(__file__).parent / "weights" / "chat"


def examples() -> Sequence[Example]:
    """Things to say."""
    return [
        Example(inputs={"message": text})
        for text in ("Hi! How are you?", "What do you like to do for fun?", "Do you have any pets?", "What is gravity?")
    ]


CHAT = ModelSpec(
    name="language/chat",
    task=Dialogue(length=256, vocabulary=4000, is_both=True),
    build="layerwise_language.llama:build",
    runner="layerwise_language.llama.runner:LlamaRunner",
    data="chat-spc",
    config=LlamaConfig,
    examples="layerwise_language.chat:examples",
    variants=(
        Variant(
            name="small",
            summary="A small decoder, trained here on small talk",
            config=LlamaConfig(
                num_epochs=8,
                batch_size=16,
                learning_rate=2e-3,
                optimizer="adamw",
                warmup_epochs=1,
                weight_decay=0.1,
                precision="auto",
                validation_fraction=0.03,
            ),
            weights=WEIGHTS,
        ),
        Variant(
            name="published",
            summary="SmolLM2 (135 million parameters), or another published network of the family",
            config=LlamaConfig(num_epochs=3, batch_size=4, learning_rate=1e-4, validation_fraction=0.05),
            fine_tuning=LlamaConfig(
                num_epochs=3, batch_size=4, learning_rate=5e-4, validation_fraction=0.05, lora_rank=8
            ),
            published=PublishedWeights(
                read="layerwise_language.llama.hub:fetch",
                source="HuggingFaceTB/SmolLM2-135M-Instruct",
                size=272_000_000,
                licence="Apache-2.0",
            ),
        ),
    ),
    card=ModelCard(
        title="Chat",
        summary="Say something; the network answers token by token, each drawn from what it finds probable.",
        description=(
            "A decoder of the Llama family: it says for each token which one follows, and what it has drawn goes in "
            "again. What it has read is kept as keys and values, so each token is computed once. The small one was "
            "trained from scratch on 1,760 conversations of Synthetic-Persona-Chat (430,000 words, CC BY 4.0), in "
            "which two people get to know each other; a tenth of the conversations was kept for the test. It has "
            "learned how such talk goes, and little else. Networks that read the better part of the internet have the "
            "same architecture, so published weights load into it."
        ),
        limits=(
            "The small network makes up everything that it says of itself and of the world, forgets what was said, "
            "and knows only small talk in English. Published ones know more and make things up too."
        ),
        licence="Apache-2.0",
        sources=(
            "https://arxiv.org/abs/2302.13971",
            "https://github.com/google-research-datasets/Synthetic-Persona-Chat",
        ),
    ),
)
