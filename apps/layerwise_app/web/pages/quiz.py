"""A quiz on the lessons, and on the learner's own runs. The best results are kept in the browser alone."""

from __future__ import annotations

import html
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layerwise import Lesson, Question, QuestionMaker
from layerwise.errors import InputError
from layerwise.teaching.quiz import Asked, from_runs, scores, total
from layerwise.teaching.quiz import draw as drawn
from layerwise_app.web.guard import answering
from layerwise_app.web.lessons import address, chapters, registered
from layerwise_app.web.markup import empty, link, markup, table
from layerwise_app.web.pages import header
from layerwise_app.web.plots import plots_html, rich_text
from layerwise_app.web.plots.texts import inline_html
from layerwise_app.web.routes import SUMMARIES
from layerwise_app.web.site import Site

SCRIPT = Path(__file__).with_name("quiz.js")
COUNTS = (5, 10, 20, 50)
OWN = "own"
"""What stands for the learner's own runs where a lesson is chosen."""
_TEMPLATE = """
<div class="lw-quiz">
  <div class="lw-note" data-part="note" role="alert" hidden></div>
  <form class="lw-panel" data-part="start">
    {chapters}
    <fieldset>
      <legend>From your own runs</legend>
      <label><input type="checkbox" name="lesson" value="{own}" disabled> What your own runs show</label>
      <p class="lw-hint" data-part="own" role="status">Looking at your runs …</p>
    </fieldset>
    <div class="lw-choices">
      <label>Questions <select data-part="count">{counts}</select></label>
      <button type="submit" class="lw-primary">Start</button>
      <button type="button" data-action="all">Choose all</button>
      <button type="button" data-action="none">Choose none</button>
    </div>
  </form>
  <article class="lw-panel lw-asked" data-part="asked" aria-label="Question" tabindex="-1" hidden>
    <div class="lw-learned">
      <span data-part="place"></span>
      <progress data-part="bar" aria-label="Questions answered"></progress>
    </div>
    <div class="lw-front lw-rich" data-part="text"></div>
    <div data-part="plots"></div>
    <ol class="lw-options" data-part="choices"></ol>
    <div class="lw-back" data-part="explained" role="status" hidden>
      <p><strong data-part="verdict"></strong></p>
      <div class="lw-rich" data-part="explanation"></div>
      <a data-part="link" target="_blank" rel="noopener">Read the lesson (in a new tab)</a>
    </div>
    <button type="button" class="lw-primary" data-part="next" hidden>Next <kbd>Enter</kbd></button>
  </article>
  <div class="lw-panel" data-part="end" tabindex="-1" role="region" aria-label="Result" hidden>
    <div data-part="result"></div>
    <div class="lw-choices">
      <button type="button" class="lw-primary" data-part="again">Ask the missed ones again</button>
      <button type="button" data-action="restart">Another quiz</button>
    </div>
  </div>
  <p class="lw-hint">1 to 4 choose an answer, Enter goes on. Your best results are kept in this browser.</p>
</div>
"""


def draw(site: Site) -> None:
    """Draw the page."""
    header.draw(site, "quiz", "Quiz", SUMMARIES["quiz"])
    if not registered(site, Question) and not registered(site, QuestionMaker):
        markup(empty("No question yet.", f"No plugin has registered one; see {link('./plugins', 'Plugins')}."))
        return
    quiz = Quiz(site)
    counts = "".join(
        f'<option value="{count}"{" selected" if count == 10 else ""}>{count}</option>' for count in COUNTS
    )
    markup(
        "",
        html_template=_TEMPLATE.format(chapters=_chapters(site), own=OWN, counts=counts),
        js_on_load=SCRIPT.read_text(encoding="utf-8"),
        server_functions=[answering(quiz.look_at_runs), answering(quiz.begin), answering(quiz.finish)],
        elem_id="quiz",
    )


class Quiz:
    """What the page asks for. Each call is given a JSON value and answers with one; nothing is kept between two."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.lessons = registered(site, Lesson)

    def look_at_runs(self, _: Any) -> dict[str, Any]:
        """How many questions the learner's own runs give, and a sentence on it."""
        count = len(self._own())
        if count:
            return {"count": count, "said": f"Your runs give {count} question{'' if count == 1 else 's'}."}
        train = link("./train", "train a model")
        more = "Two runs that differ only in the learning rate or in the batch size give more."
        return {"count": 0, "said": f"No run gives a question yet: {train} for five epochs or more. {more}"}

    def begin(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The questions of a quiz.

        Args:
            asked: `count`, and `lessons` (names, OWN for the runs) or `names` of questions.

        Raises:
            InputError: Nothing was chosen.
        """
        names, lessons = asked.get("names"), asked.get("lessons") or []
        pool = list(registered(self.site, Question).values())
        own = self._own() if names or OWN in lessons else []
        if names:
            chosen = [question for question in (*pool, *own) if question.name in names]
        else:
            chosen = [question for question in pool if question.lesson in lessons] + own
        if not chosen:
            raise InputError("There is no question to ask", remedy="choose a lesson, or several")
        return {"questions": [self._described(item) for item in drawn(chosen, int(asked["count"]), random.Random())]}

    def finish(self, answers: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """What the answers of a quiz say.

        Args:
            answers: For each question the name of its lesson, or None, and whether it was answered rightly.
        """
        found = scores((lesson, bool(is_right)) for lesson, is_right in answers)
        whole = total(found)
        rows = [
            [html.escape(self._title(lesson)), f"{score.right} of {score.total}", self._advice(lesson, score.is_known)]
            for lesson, score in found.items()
        ]
        return {
            "html": f'<p class="lw-score"><strong>{whole.right} of {whole.total}</strong> '
            f"{_verdict(whole.right / max(whole.total, 1))}</p>" + table("By lesson", ("Lesson", "Right", ""), rows),
            "lessons": {lesson: [score.right, score.total] for lesson, score in found.items() if lesson},
        }

    def _own(self) -> list[Question]:
        makers = registered(self.site, QuestionMaker).values()
        runs = [run for run in self.site.workspace.runs.list() if run.state == "finished"] if makers else []
        return from_runs(makers, runs)

    def _described(self, asked: Asked) -> dict[str, Any]:
        question = asked.question
        return {
            "name": question.name,
            "lesson": question.lesson if question.lesson in self.lessons else None,
            "title": self._title(question.lesson),
            "text": rich_text(question.text),
            "plots": plots_html(question.shown()),
            "choices": [inline_html(question.choices[position]) for position in asked.order],
            "answer": asked.answer,
            "explanation": rich_text(question.explanation),
        }

    def _title(self, lesson: str | None) -> str:
        return self.lessons[lesson].title if lesson in self.lessons else "Other questions"

    def _advice(self, lesson: str | None, is_known: bool) -> str:
        if is_known:
            return ""
        if lesson not in self.lessons:
            return "repeat"
        return f"repeat: {link(address(lesson), 'lesson')}, {link(f'./flashcards?lesson={lesson}', 'cards')}"


def _verdict(share: float) -> str:
    if share == 1:
        return "All of them are right."
    return "Most of it is known." if share >= 0.75 else "The lessons below are worth another look."


def _chapters(site: Site) -> str:
    """The lessons to choose from, by chapter."""
    return "".join(
        f"<fieldset><legend>{html.escape(chapter)}</legend>{''.join(map(_choice, lessons))}</fieldset>"
        for chapter, lessons in chapters(site, registered(site, Question).values()).items()
    )


def _choice(lesson: Lesson) -> str:
    return (
        f'<label><input type="checkbox" name="lesson" value="{lesson.name}" checked> {html.escape(lesson.title)} '
        f'<small data-best="{lesson.name}"></small></label>'
    )
