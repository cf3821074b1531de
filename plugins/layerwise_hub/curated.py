"""A few small published models for each task, under licences that allow any use: where to begin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A published model to begin with.

    Args:
        source: The id of its repository.
        kind: What it does, one of `layerwise_hub.kinds.KINDS`.
        licence: As its card tells it.
        size: About how many megabytes are downloaded.
        why: A sentence.
    """

    source: str
    kind: str
    licence: str
    size: int
    why: str


CURATED = (
    Suggestion(
        source="microsoft/resnet-18",
        kind="image-classification",
        licence="apache-2.0",
        size=47,
        why="The convolutional network that later ones are compared with; 1,000 classes of ImageNet.",
    ),
    Suggestion(
        source="facebook/deit-tiny-patch16-224",
        kind="image-classification",
        licence="apache-2.0",
        size=23,
        why="A Vision Transformer of 6 million parameters, for the same 1,000 classes.",
    ),
    Suggestion(
        source="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        kind="text-classification",
        licence="apache-2.0",
        size=268,
        why="Good or bad, learned from the film reviews of SST-2: the same task as our own sentiment demo.",
    ),
    Suggestion(
        source="HuggingFaceTB/SmolLM2-135M-Instruct",
        kind="dialogue",
        licence="apache-2.0",
        size=272,
        why="135 million parameters that hold a conversation, on any computer.",
    ),
    Suggestion(
        source="openai-community/gpt2",
        kind="text-generation",
        licence="mit",
        size=551,
        why="The decoder that made text generation famous, 124 million parameters.",
    ),
    Suggestion(
        source="openai/whisper-tiny",
        kind="speech-recognition",
        licence="apache-2.0",
        size=154,
        why="99 languages, with the times of what was said.",
    ),
    Suggestion(
        source="facebook/wav2vec2-base-960h",
        kind="speech-recognition",
        licence="apache-2.0",
        size=378,
        why="English letter by letter, learned mostly from sounds without texts.",
    ),
    Suggestion(
        source="sentence-transformers/all-MiniLM-L6-v2",
        kind="embedding",
        licence="apache-2.0",
        size=91,
        why="A vector of 384 numbers for an English sentence: search, and maps of your texts.",
    ),
    Suggestion(
        source="facebook/dinov2-small",
        kind="image-embedding",
        licence="apache-2.0",
        size=88,
        why="A vector of 384 numbers for a picture, learned without labels: which of yours look alike, and a map.",
    ),
    Suggestion(
        source="ntu-spml/distilhubert",
        kind="audio-embedding",
        licence="apache-2.0",
        size=94,
        why="A vector of 768 numbers for a sound, by a HuBERT that was distilled to 23 million parameters.",
    ),
    Suggestion(
        source="hustvl/yolos-tiny",
        kind="object-detection",
        licence="apache-2.0",
        size=26,
        why="A plain Transformer that finds the 80 things of COCO.",
    ),
    Suggestion(
        source="PekingU/rtdetr_r18vd",
        kind="object-detection",
        licence="apache-2.0",
        size=81,
        why="The same 80 things, by a network that reads a picture at several sizes at once.",
    ),
    Suggestion(
        source="wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M",
        kind="zero-shot-image-classification",
        licence="mit",
        size=96,
        why="Any labels that you name, by a CLIP that was distilled to 23 million parameters.",
    ),
    Suggestion(
        source="google/siglip-base-patch16-224",
        kind="zero-shot-image-classification",
        licence="apache-2.0",
        size=816,
        why="Any labels that you name, each judged by itself: several may fit, or none.",
    ),
    Suggestion(
        source="depth-anything/Depth-Anything-V2-Small-hf",
        kind="depth-estimation",
        licence="apache-2.0",
        size=99,
        why="What is nearer than what, sharp at the edges of things, in any photograph.",
    ),
    Suggestion(
        source="vinvino02/glpn-nyu",
        kind="depth-estimation",
        licence="apache-2.0",
        size=245,
        why="Metres, within rooms: it has learned from NYU Depth V2.",
    ),
    Suggestion(
        source="google-t5/t5-small",
        kind="translation",
        licence="apache-2.0",
        size=242,
        why="English to German, by the network that does every task as text to text.",
    ),
)
"""Ordered by task. Sizes and licences may change with the repositories: `layerwise hub show ID` looks them up, and so
does the page before anything is added."""
