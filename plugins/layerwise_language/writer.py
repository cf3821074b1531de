"""`language/writer`: what follows the beginning of a text, by a decoder of the Llama family that is trained here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerwise import Example, ModelCard, ModelSpec, Variant
from layerwise.tasks import TextGeneration
from layerwise_language.llama import LlamaConfig

WEIGHTS = Path(__file__).parent / "weights" / "writer"


def examples() -> Sequence[Example]:
    """Beginnings."""
    return [Example(inputs={"text": text}) for text in ("I would like", "The orcs", "Click on the", "Tom")]


WRITER = ModelSpec(
    name="language/writer",
    task=TextGeneration(length=128, vocabulary=4000),
    build="layerwise_language.llama:build",
    runner="layerwise_language.llama.runner:LlamaRunner",
    data="english-german",
    config=LlamaConfig,
    examples="layerwise_language.writer:examples",
    variants=(
        Variant(
            name="small",
            summary="A small decoder of English sentences",
            config=LlamaConfig(
                num_hidden_layers=3,
                context=128,
                num_epochs=6,
                batch_size=32,
                learning_rate=2e-3,
                optimizer="adamw",
                warmup_epochs=0.5,
                weight_decay=0.1,
                precision="auto",
                validation_fraction=0.01,
            ),
            weights=WEIGHTS,
        ),
    ),
    card=ModelCard(
        title="Writer",
        summary="Begin a text; the network goes on with it, and shows how sure it was of each piece.",
        description=(
            "A decoder that says for each token which one follows, trained from scratch on the 82,000 English "
            "sentences of the translation's data: short ones of Tatoeba, and longer ones from three games and an "
            "office program, which is what it writes about. Train it on texts of your own to have it write like them."
        ),
        limits="It writes sentences that sound like those that it read; what they say is made up.",
        licence="Apache-2.0",
        sources=("https://tatoeba.org", "https://arxiv.org/abs/2302.13971"),
    ),
)
