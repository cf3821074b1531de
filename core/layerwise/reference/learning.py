"""docs/lessons.md, written from the lessons that are registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from layerwise.snapshot import Snapshot
from layerwise.specs import Page
from layerwise.teaching.lessons import Card, Lesson, Question

HEAD = """\
# The lessons

Written by `python -m layerwise.reference docs` from what is registered. A lesson is a short text with experiments: each
has something to turn, and shows at once what follows. They are on the page Learn of the showcase, which works without
internet; `layerwise` opens it. Read them in this order, or begin with what you want to know.
"""
AFTER = """\
## Remembering it

{cards} flashcards come back when you are about to forget them, by a schedule that learns from your answers. The quiz
draws from {questions} questions, and makes more of your own training runs. A plugin can bring lessons, cards and
questions too: [`layerwise_lessons`](hooks.md#layerwise_lessons).
"""


def lessons_document(snapshot: Snapshot) -> str:
    """All lessons, the pages that go with them, and what helps to remember them, as Markdown."""
    lessons = [item for item in snapshot.lessons if isinstance(item, Lesson)]
    parts = [HEAD]
    for chapter, found in groupby(lessons, key=lambda lesson: lesson.chapter):
        parts += _chapter(chapter, list(found), snapshot)
    pages = [page for page in snapshot.pages.values() if page.section == "learn"]
    cards, questions = (sum(isinstance(item, kind) for item in snapshot.lessons) for kind in (Card, Question))
    return "\n".join([*parts, *_larger(pages), AFTER.format(cards=cards, questions=questions)])


def _chapter(chapter: str, lessons: Sequence[Lesson], snapshot: Snapshot) -> Iterator[str]:
    shown = {*snapshot.models, *snapshot.domains}
    yield f"## {chapter}\n"
    for lesson in lessons:
        yield f"### {lesson.title}\n"
        if lesson.summary:
            yield f"{lesson.summary}\n"
        yield from (f"- {experiment.title}" for experiment in lesson.experiments)
        yield ""
        demos = [f"`{name}`" for name in lesson.demos if name in shown]
        if demos:
            yield f"To be seen in the demos of {', '.join(demos)}.\n"


def _larger(pages: Sequence[Page]) -> Iterator[str]:
    """The pages on which more can be tried than in a lesson."""
    if pages:
        yield "## To try more\n"
        yield from (f"- **{page.title}**: {page.summary}" for page in pages)
        yield ""
