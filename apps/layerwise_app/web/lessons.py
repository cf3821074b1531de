"""The registered lessons, cards and questions, as the pages of learning need them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from layerwise import Card, Lesson, Question, QuestionMaker, Tour
from layerwise_app.web.routes import LEARN
from layerwise_app.web.site import Site

Item = TypeVar("Item", Lesson, Card, Question, QuestionMaker, Tour)


def address(lesson: str) -> str:
    """The link to a lesson, relative to any page."""
    return f"./{LEARN}?lesson={lesson}"


def registered(site: Site, kind: type[Item]) -> dict[str, Item]:
    """All of a kind by their names, in their order."""
    return {item.name: item for item in site.snapshot.lessons if isinstance(item, kind)}


def chapters(site: Site, items: Iterable[Card | Question]) -> dict[str, list[Lesson]]:
    """The lessons that some of the items belong to, by their chapters."""
    wanted = {item.lesson for item in items}
    found: dict[str, list[Lesson]] = {}
    for lesson in registered(site, Lesson).values():
        if lesson.name in wanted:
            found.setdefault(lesson.chapter, []).append(lesson)
    return found
