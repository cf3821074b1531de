"""The lessons: the list of all with a search, and each with its live experiments."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerwise import Card, Experiment, Lesson
from layerwise.snapshot import named
from layerwise.teaching.lesson_search import LessonSearch
from layerwise_app.web.experiments import ExperimentCalls
from layerwise_app.web.lesson import answers_html, lesson_html, list_html
from layerwise_app.web.lessons import registered
from layerwise_app.web.pages import header
from layerwise_app.web.routes import LEARN
from layerwise_app.web.site import Site

SCRIPT = Path(__file__).with_name("learn.js")
LONGEST_QUESTION = 500
_TEMPLATE = f"""
<div class="lw-learn">
  <div class="lw-note" role="alert" data-part="problem" hidden></div>
  <div data-part="contents">
    <div class="lw-heading"><h1>Learn</h1>
      <p>How networks compute, how they learn, and why it works: short lessons, each with something to turn.</p></div>
    <div class="lw-ask" role="search"><label for="lw-question">Ask in your own words</label>
      <input id="lw-question" type="search" data-part="question" maxlength="{LONGEST_QUESTION}" autocomplete="off"
        placeholder="Why does the loss go up?"></div>
    <div data-part="answers" role="region" aria-label="Answers" aria-live="polite"></div>
    <div data-part="list">${{list}}</div>
  </div>
  <div data-part="lesson"></div>
</div>
"""


def draw(site: Site) -> None:
    """Draw the page. The script asks for the lesson that stands in the address."""
    header.draw_navigation(site, LEARN)
    page = LearnPage(site)
    page.markup(_TEMPLATE, SCRIPT, page.open, page.ask, list=list_html(site), elem_id="learn")


class LearnPage(ExperimentCalls):
    """What the page asks for. Each call is given a JSON value and answers with one; those about an experiment have
    `lesson` and `experiment`."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site, self.lessons = site, registered(site, Lesson)

    def open(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A lesson.

        Args:
            asked: `lesson`, its name, and `settings`, by the names of its experiments.

        Raises:
            NotFoundError: There is no such lesson.
        """
        lesson = self._lesson(asked)
        return {"html": lesson_html(self.site, lesson, asked.get("settings") or {}), "title": lesson.title}

    def ask(self, question: str) -> dict[str, Any]:
        """The lessons and cards that answer a question."""
        text = str(question)[:LONGEST_QUESTION]
        return {"html": answers_html(self.site, text, self._search.search(text)) if text.strip() else ""}

    @functools.cached_property
    def _search(self) -> LessonSearch:
        # Made at the first question: it takes a second or two, and not everybody asks.
        return LessonSearch([*self.lessons.values(), *registered(self.site, Card).values()])

    def _lesson(self, asked: Mapping[str, Any]) -> Lesson:
        return named(self.lessons, str(asked.get("lesson")), "lesson", "the page Learn lists them")

    def experiment(self, asked: Mapping[str, Any]) -> Experiment:
        lesson = self._lesson(asked)
        experiments = {item.name: item for item in lesson.experiments}
        return named(experiments, str(asked.get("experiment")), "experiment", "load the page again")
