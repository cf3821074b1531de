"""Speech: from a waveform to text."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_speech.whisper.model import WHISPER
    from layerwise_speech.words import WORDS

    return [WORDS, WHISPER]


@hookimpl
def layerwise_tasks():
    from layerwise_speech.whisper.task import Transcription

    return [Transcription]


@hookimpl
def layerwise_datasets():
    from layerwise_speech.fsdd import FSDD
    from layerwise_speech.speech_commands import SPEECH_COMMANDS
    from layerwise_speech.spoken_words import SPOKEN_WORDS

    return [SPOKEN_WORDS, FSDD, SPEECH_COMMANDS]
