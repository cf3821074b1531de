"""Flashcards that come back when they are about to be forgotten. What was learned is kept in the browser alone."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from layerwise import Card
from layerwise.errors import InputError
from layerwise.snapshot import named
from layerwise.teaching.repetition import RATINGS, in_words, outcomes
from layerwise_app.web.guard import answering
from layerwise_app.web.lessons import chapters, registered
from layerwise_app.web.markup import empty, link, markup
from layerwise_app.web.pages import header
from layerwise_app.web.plots import rich_text
from layerwise_app.web.routes import SUMMARIES
from layerwise_app.web.site import Site

SCRIPT = Path(__file__).with_name("flashcards.js")
_TEMPLATE = """
<div class="lw-deck">
  <div class="lw-choices">
    <label>Lesson <select data-part="lesson">{lessons}</select></label>
    <label>New cards a day <input data-part="per-day" type="number" min="0" max="999" value="10"></label>
  </div>
  <div class="lw-learned">
    <span data-part="counts" role="status"></span>
    <progress data-part="bar" aria-label="Cards learned" max="1" value="0"></progress>
  </div>
  <div class="lw-note" data-part="note" role="alert" hidden></div>
  <article class="lw-panel lw-flashcard" data-part="card" aria-label="Card" hidden>
    <p class="lw-about" data-part="about"></p>
    <div class="lw-front lw-rich" data-part="front"></div>
    <div class="lw-back" data-part="answer" tabindex="-1" role="region" aria-label="Answer" hidden>
      <div class="lw-rich" data-part="back"></div>
      <a data-part="link">Read the lesson</a>
    </div>
    <button type="button" class="lw-primary" data-part="show">Show the answer <kbd>Space</kbd></button>
    <div class="lw-ratings" data-part="ratings" role="group" aria-label="How well did you know it?" hidden>
      {ratings}
    </div>
  </article>
  <div class="lw-empty" data-part="done" hidden>
    <strong>Nothing is due.</strong> <span data-part="when"></span>
    <p><button type="button" data-part="more">Ten more new cards</button></p>
  </div>
  <div class="lw-small-tools">
    <button type="button" data-part="undo" hidden>Take the last rating back</button>
    <button type="button" data-action="export">Export progress</button>
    <button type="button" data-action="import">Import progress</button>
    <button type="button" data-action="reset">Reset</button>
    <input type="file" data-part="file" accept=".json,application/json" aria-label="A file with progress" hidden>
  </div>
  <div class="lw-note" data-part="confirm" role="alert" hidden>
    Forget all that was learned here?
    <button type="button" data-action="forget">Forget it</button>
    <button type="button" data-action="keep">Keep it</button>
  </div>
  <p class="lw-hint">Space shows the answer, 1 to 4 rate it. Each button says when the card comes back: the algorithm
  FSRS aims at the moment when you would still know it with a chance of 90 %. Your progress is kept in this browser.</p>
</div>
"""
_RATINGS = "".join(
    f'<button type="button" data-rating="{index}">'
    f"<b>{rating.capitalize()}</b> <kbd>{index + 1}</kbd><span></span></button>"
    for index, rating in enumerate(RATINGS)
)


def draw(site: Site) -> None:
    """Draw the page."""
    header.draw(site, "flashcards", "Flashcards", SUMMARIES["flashcards"])
    cards = registered(site, Card)
    if not cards:
        markup(empty("No flashcard yet.", f"No plugin has registered one; see {link('./plugins', 'Plugins')}."))
        return

    def look(asked: Mapping[str, Any]) -> dict[str, Any]:
        return looked_at(cards, asked)

    markup(
        "",
        html_template=_TEMPLATE.format(lessons=_options(site, cards), ratings=_RATINGS),
        js_on_load=SCRIPT.read_text(encoding="utf-8"),
        server_functions=[answering(look)],
        deck=[{"name": card.name, "lesson": card.lesson} for card in cards.values()],
        elem_id="flashcards",
    )


def looked_at(cards: Mapping[str, Card], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A card as HTML, and what follows from each rating.

    Args:
        cards: By name.
        asked: `name`, `state` (None for a new card) and `now`, ISO 8601 with a time zone.

    Raises:
        NotFoundError: There is no such card any more.
        InputError: The state or the time cannot be read.
    """
    card = named(cards, str(asked.get("name")), "card", "load the page again")
    try:
        now = datetime.fromisoformat(str(asked.get("now")))
    except ValueError as error:
        raise InputError("The time cannot be read", received=str(error)) from error
    return {
        "front": rich_text(card.front),
        "back": rich_text(card.back),
        "outcomes": [
            {"state": outcome.state, "interval": in_words(outcome.interval)}
            for outcome in outcomes(asked.get("state"), now)
        ],
    }


def _options(site: Site, cards: Mapping[str, Card]) -> str:
    """The lessons to choose from."""
    groups = [
        f'<optgroup label="{html.escape(chapter)}">'
        + "".join(f'<option value="{lesson.name}">{html.escape(lesson.title)}</option>' for lesson in lessons)
        + "</optgroup>"
        for chapter, lessons in chapters(site, cards.values()).items()
    ]
    return f'<option value="">All lessons</option>{"".join(groups)}'
