"""`speech/whisper`: what is said, written down in whole sentences by published networks."""

from __future__ import annotations

from layerwise import ModelCard, ModelSpec, PublishedWeights, Variant
from layerwise_speech.whisper import WhisperConfig
from layerwise_speech.whisper.task import Transcription

WHISPER = ModelSpec(
    name="speech/whisper",
    task=Transcription(),
    build="layerwise_speech.whisper:build",
    runner="layerwise_speech.whisper.runner:WhisperRunner",
    config=WhisperConfig,
    examples="layerwise_speech.words:examples",
    variants=(
        Variant(
            name="tiny-en",
            summary="Whisper tiny.en (38 million parameters): English",
            config=WhisperConfig(),
            published=PublishedWeights(
                read="layerwise_speech.whisper.hub:fetch",
                source="openai/whisper-tiny.en",
                size=155_000_000,
                licence="Apache-2.0",
            ),
        ),
        Variant(
            name="tiny",
            summary="Whisper tiny (38 million parameters): 99 languages, and from them into English",
            config=WhisperConfig(vocab_size=51_865),
            published=PublishedWeights(
                read="layerwise_speech.whisper.hub:fetch",
                source="openai/whisper-tiny",
                size=155_000_000,
                licence="Apache-2.0",
            ),
        ),
    ),
    card=ModelCard(
        title="Dictation",
        summary="Say whole sentences; the network writes them down, with punctuation and the time of each part.",
        description=(
            "Whisper hears 30 seconds at a time: an encoder turns the spectrogram into numbers for every 20 ms, and a "
            "decoder looks at them while it writes the text token by token, with timestamps between the parts. It goes "
            "on from the last timestamp. A text that repeats itself or that the network hardly believes is written "
            "again with some chance in it. The weights are OpenAI's, learned from 680,000 hours of speech with "
            "subtitles; they are fetched once. Larger networks of the family load as well, by "
            "`layerwise fetch speech/whisper --from` with the id of a repository or a folder."
        ),
        limits=(
            "Where there is music or noise and nobody speaks, it may make up sentences; it writes names, numbers and "
            "rare words as it thinks they are spelled; and it does not tell who speaks. Of the 99 languages of "
            "`tiny` it knows few well. The time of a part is right to a few tenths of a second."
        ),
        licence="Apache-2.0",
        sources=("https://arxiv.org/abs/2212.04356", "https://github.com/openai/whisper"),
    ),
)
