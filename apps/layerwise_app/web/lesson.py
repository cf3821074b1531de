"""A lesson as HTML, the list of all, and the answers to a question in plain words."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from layerwise import Card, Lesson, Question
from layerwise.teaching.lesson_search import Found, stems
from layerwise_app.web.experiments import experiment_html
from layerwise_app.web.lessons import address, registered
from layerwise_app.web.markup import empty, link
from layerwise_app.web.plots import plots_html
from layerwise_app.web.plots.texts import inline_html, plain_text, rich_text
from layerwise_app.web.routes import LEARN, SUMMARIES, title_of
from layerwise_app.web.site import Site

NUM_CHECKS, NUM_CARDS = 3, 3
"""How many questions and cards stand below a lesson; the quiz and the flashcards have the others."""
SHOWN_LESSONS, SHOWN_CARDS = 4, 4
_OUTSIDE_TAGS = re.compile(r"<math.*?</math>|<[^>]+>|[^\W_]+", re.DOTALL)


def list_html(site: Site) -> str:
    """All lessons by chapter, and the pages that belong to learning."""
    chapters: dict[str, list[Lesson]] = {}
    for lesson in registered(site, Lesson).values():
        chapters.setdefault(lesson.chapter or "Further lessons", []).append(lesson)
    sections = "".join(
        f'<section><h2>{html.escape(chapter)}</h2><ol class="lw-lessons">{"".join(map(_entry, lessons))}</ol></section>'
        for chapter, lessons in chapters.items()
    )
    return sections + _tools(site)


def _entry(lesson: Lesson) -> str:
    return (
        f'<li><a class="lw-lesson" href="{address(lesson.name)}"><b>{inline_html(lesson.title)}</b>'
        f"<span>{inline_html(lesson.summary)}</span></a></li>"
    )


def _tools(site: Site) -> str:
    """The other pages of the section."""
    routes = site.routes
    summaries = SUMMARIES | {routes.pages[name]: page.summary for name, page in site.snapshot.pages.items()}
    entries = "".join(
        f'<li><a class="lw-lesson" href="./{path}"><b>{html.escape(title)}</b>'
        f"<span>{html.escape(summaries.get(path, ''))}</span></a></li>"
        for path, title in routes.sections.get(LEARN, {}).items()
        if path != LEARN
    )
    return f'<section><h2>Try, look, practise</h2><ul class="lw-lessons">{entries}</ul></section>' if entries else ""


def lesson_html(site: Site, lesson: Lesson, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """A lesson with its experiments.

    Args:
        settings: What the controls of its experiments show, by the experiment's name; the defaults for what is missing.
    """
    experiments = "".join(experiment_html(item, settings.get(item.name, {})) for item in lesson.experiments)
    chapter = f'<p class="lw-chapter">{html.escape(lesson.chapter)}</p>' if lesson.chapter else ""
    return (
        f'<article class="lw-lesson-page" data-lesson="{lesson.name}">'
        f'<div class="lw-heading">{chapter}<h1 tabindex="-1">{inline_html(lesson.title)}</h1></div>'
        f'<div class="lw-rich">{rich_text(lesson.text)}</div>{experiments}'
        f"{_further(site, lesson)}{_check(site, lesson)}{_neighbours(site, lesson)}</article>"
    )


def _further(site: Site, lesson: Lesson) -> str:
    """The page and the demos in which it can be seen, as far as they are there."""
    routes, snapshot = site.routes, site.snapshot
    links = []
    if lesson.page in routes.pages:
        links.append(link(f"./{routes.pages[lesson.page]}", snapshot.pages[lesson.page].title))
    for name in lesson.demos:
        if name in routes.domains:
            links.append(link(f"./{routes.domains[name]}", f"{title_of(name)}: the demos"))
        elif name in snapshot.models:
            links.append(link(routes.of_model(name), snapshot.models[name].card.title))
    if not links:
        return ""
    items = "".join(f"<li>{item}</li>" for item in links)
    return f'<section class="lw-further"><h2>Go on trying</h2><ul>{items}</ul></section>'


def _check(site: Site, lesson: Lesson) -> str:
    """A few questions and cards of the lesson."""
    questions = [item for item in registered(site, Question).values() if item.lesson == lesson.name]
    cards = [item for item in registered(site, Card).values() if item.lesson == lesson.name]
    parts = ""
    if questions:
        asked = "".join(map(_question, questions[:NUM_CHECKS]))
        more = link(f"./quiz?lesson={lesson.name}", f"All {len(questions)} questions of this lesson")
        parts += f"<h2>Check yourself</h2>{asked}<p>{more}</p>"
    if cards:
        shown = "".join(
            f'<details class="lw-card-line"><summary>{inline_html(card.front)}</summary>'
            f'<div class="lw-rich">{rich_text(card.back)}</div></details>'
            for card in cards[:NUM_CARDS]
        )
        more = link(f"./flashcards?lesson={lesson.name}", f"Learn all {len(cards)} cards of this lesson")
        parts += f"<h2>Remember</h2>{shown}<p>{more}</p>"
    return f'<section class="lw-checks">{parts}</section>' if parts else ""


def _question(question: Question) -> str:
    # Mixed, but the same at each look.
    order = sorted(range(len(question.choices)), key=lambda index: zlib.crc32(question.choices[index].encode()))
    choices = "".join(
        f'<li><button type="button" data-choice="{"right" if index == question.answer else "wrong"}" '
        # A browser finds no name in a formula.
        f'aria-label="{html.escape(plain_text(question.choices[index]))}">'
        f"{inline_html(question.choices[index])}</button></li>"
        for index in order
    )
    shown = question.shown()
    return (
        f'<div class="lw-check-question" role="group" aria-label="Question">'
        f'<div class="lw-rich">{rich_text(question.text)}</div>{plots_html(shown) if shown else ""}'
        f'<ol class="lw-options">{choices}</ol>'
        f'<div class="lw-back" role="status" hidden><p><strong></strong></p>'
        f'<div class="lw-rich">{rich_text(question.explanation)}</div></div></div>'
    )


def _neighbours(site: Site, lesson: Lesson) -> str:
    lessons = list(registered(site, Lesson).values())
    place = next(index for index, item in enumerate(lessons) if item.name == lesson.name)
    found = f'<a href="./{LEARN}">All lessons</a>'
    if place:
        former = lessons[place - 1]
        found = f'<a rel="prev" href="{address(former.name)}">← {inline_html(former.title)}</a>' + found
    if place + 1 < len(lessons):
        following = lessons[place + 1]
        found += f'<a rel="next" href="{address(following.name)}">{inline_html(following.title)} →</a>'
    return f'<nav class="lw-neighbours" aria-label="Lessons before and after">{found}</nav>'


def answers_html(site: Site, question: str, found: Sequence[Found]) -> str:
    """The lessons and cards that answer a question, with the sentences that do."""
    lessons = [item for item in found if isinstance(item.item, Lesson)][:SHOWN_LESSONS]
    cards = [item for item in found if isinstance(item.item, Card)][:SHOWN_CARDS]
    if not lessons and not cards:
        return empty("Nothing found.", "Try other words, or look through the lessons below.")
    known = registered(site, Lesson)
    wanted = set(stems(question))
    parts = "".join(
        f'<li><a class="lw-lesson" href="{address(answer.item.name)}"><b>{inline_html(answer.item.title)}</b>'
        f"<span>{_marked(inline_html(answer.sentence), wanted)}</span></a></li>"
        for answer in lessons
        if isinstance(answer.item, Lesson)
    )
    flashcards = "".join(_card(answer.item, known, wanted) for answer in cards if isinstance(answer.item, Card))
    return f'<h2>Lessons that answer it</h2><ul class="lw-lessons">{parts}</ul>' + (
        f"<h2>In short</h2>{flashcards}" if flashcards else ""
    )


def _card(card: Card, known: Mapping[str, Lesson], wanted: Iterable[str]) -> str:
    lesson = known.get(card.lesson or "")
    source = f"<p>{link(address(lesson.name), lesson.title)}</p>" if lesson else ""
    return (
        f'<details class="lw-card-line"><summary>{_marked(inline_html(card.front), wanted)}</summary>'
        f'<div class="lw-rich">{_marked(rich_text(card.back), wanted)}</div>{source}</details>'
    )


def _marked(text: str, wanted: Iterable[str]) -> str:
    """HTML in which the words with one of the stems are marked."""

    def mark(match: re.Match[str]) -> str:
        word = match.group()
        return f"<mark>{word}</mark>" if word[0] != "<" and set(stems(word)) & set(wanted) else word

    return _OUTSIDE_TAGS.sub(mark, text)
