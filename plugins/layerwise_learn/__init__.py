"""Learning itself: lessons with live experiments, flashcards and a quiz, and pages to see a network think."""

from __future__ import annotations

from layerwise import QuestionMaker, hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_lessons():
    from layerwise_learn.cards import CARDS
    from layerwise_learn.lessons import LESSONS
    from layerwise_learn.questions import QUESTIONS
    from layerwise_learn.tours import TOURS

    own = QuestionMaker(name="own-runs", make="layerwise_learn.run_questions:questions")
    return [*LESSONS, *CARDS, *QUESTIONS, own, *TOURS]


@hookimpl
def layerwise_pages():
    from layerwise_learn.pages import PAGES

    return PAGES
