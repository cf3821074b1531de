"""Language: what texts say and how they mean it."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_language.chat import CHAT
    from layerwise_language.sentiment import SENTIMENT
    from layerwise_language.translation import TRANSLATION
    from layerwise_language.tutor import TUTOR
    from layerwise_language.writer import WRITER

    return [SENTIMENT, TRANSLATION, TUTOR, CHAT, WRITER]


@hookimpl
def layerwise_tasks():
    from layerwise_language.tutor.task import Tutoring

    return [Tutoring]


@hookimpl
def layerwise_datasets():
    from layerwise_language.persona_chat import PERSONA_CHAT
    from layerwise_language.sst2 import SST_2
    from layerwise_language.translation.english_german import ENGLISH_GERMAN
    from layerwise_language.translation.tatoeba import TATOEBA
    from layerwise_language.tutor import QUESTIONS

    return [SST_2, TATOEBA, ENGLISH_GERMAN, QUESTIONS, PERSONA_CHAT]
