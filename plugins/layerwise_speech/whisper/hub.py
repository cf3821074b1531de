"""Published weights as a version of a model: from a folder, or the hub of Hugging Face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.hub import WEIGHTS, Progress, download

if TYPE_CHECKING:
    from layerwise.fetching import Fetched
    from layerwise_speech.whisper import WhisperConfig
    from layerwise_speech.whisper.task import Transcription

NEEDED = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    *WEIGHTS,
)
"""The files of a repository that are downloaded: data, and no code."""
EXPECTED = "a folder, or the id of a repository, such as openai/whisper-tiny.en"


def fetch(source: str, task: Transcription, config: WhisperConfig, progress: Progress) -> Fetched:
    """A published network that writes down what is said.

    Args:
        source: A folder, or the id of a repository at the hub.
        task: The task of the model.
        config: Its settings are taken from the published network where they say what it is made of.
        progress: `(file, bytes that are here, its size)`.

    Raises:
        WeightsError: It cannot be had, or is of another architecture.
    """
    from layerwise.devices import quiet_import
    from layerwise.fetching import Fetched

    quiet_import()
    from layerwise_speech.whisper import SHARED
    from layerwise_speech.whisper.network import Whisper
    from layerwise_speech.whisper.published import load_published, read_published

    path = Path(source).expanduser()
    published = read_published(path if path.exists() else download(source, NEEDED, progress, expected=EXPECTED))
    shape = published.shape
    whisper = Whisper(shape, is_blank=True)
    load_published(whisper, published)
    return Fetched(
        model=whisper.whole(),
        task=replace(task, samples=shape.num_samples, tokenizer=published.tokenizer, special=published.special),
        config=replace(config, **{name: getattr(shape, name) for name in SHARED}),
    )
