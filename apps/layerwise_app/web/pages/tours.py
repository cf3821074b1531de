"""Tours: ways through the showcase. The page lists their stages; a bar leads from one to the next (tour_bar.js)."""

from __future__ import annotations

import html
import json
from pathlib import Path

from layerwise import Lesson, Stage, Tour
from layerwise_app.web.lessons import address, registered
from layerwise_app.web.markup import empty, link, markup
from layerwise_app.web.pages import header
from layerwise_app.web.routes import SUMMARIES, TOURS
from layerwise_app.web.site import Site

SCRIPT = Path(__file__).with_name("tours.js")


def draw(site: Site) -> None:
    """Draw the page."""
    header.draw(site, TOURS, "Tours", SUMMARIES[TOURS])
    tours = places(site)
    if not tours:
        markup(empty("No tour yet.", f"No plugin has registered one; see {link('./plugins', 'Plugins')}."))
        return
    shown = "".join(_tour_html(tour, stages) for tour, stages in tours)
    markup(f'<div class="lw-tours">{shown}</div>', js_on_load=SCRIPT.read_text(encoding="utf-8"), elem_id="tours")


def places(site: Site) -> list[tuple[Tour, list[tuple[Stage, str]]]]:
    """The tours with the stages whose place is registered, and the link to each, relative to any page. A tour of which
    nothing is left is left out."""
    found = []
    for tour in registered(site, Tour).values():
        stages = [(stage, place) for stage in tour.stages if (place := _place(site, stage))]
        if stages:
            found.append((tour, stages))
    return found


def minutes(stages: list[tuple[Stage, str]]) -> int:
    """How long they take, in whole minutes."""
    return max(1, round(sum(stage.minutes for stage, _ in stages)))


def _place(site: Site, stage: Stage) -> str | None:
    """The link to where a stage takes place; None where that is not registered."""
    snapshot = site.snapshot
    if stage.lesson is not None:
        return address(stage.lesson) if stage.lesson in registered(site, Lesson) else None
    if stage.page is not None:
        return f"./{site.routes.pages[stage.page]}" if stage.page in snapshot.pages else None
    if stage.model is not None:
        return site.routes.of_model(stage.model) if stage.model in snapshot.models else None
    spec = snapshot.models.get(stage.train or "")
    return f"./train?model={spec.name}" if spec is not None and spec.is_trainable else None


def _tour_html(tour: Tour, stages: list[tuple[Stage, str]]) -> str:
    entries = "".join(
        f'<li><a class="lw-lesson" href="{html.escape(place)}" data-stage="{number}"><b>{html.escape(stage.title)}</b>'
        f"<span>{html.escape(stage.text)}</span></a></li>"
        for number, (stage, place) in enumerate(stages)
    )
    told = json.dumps(
        {
            "name": tour.name,
            "title": tour.title,
            "stages": [{"title": stage.title, "text": stage.text, "place": place} for stage, place in stages],
        }
    )
    return (
        f'<section class="lw-tour" data-tour="{html.escape(told)}" aria-label="{html.escape(tour.title)}">'
        f"<h2>{html.escape(tour.title)}</h2>"
        f'<p class="lw-summary">{html.escape(tour.summary)} About {minutes(stages)} minutes.</p>'
        '<p class="lw-small-tools"><button type="button" class="lw-primary" data-action="begin">Begin</button>'
        '<button type="button" data-action="go-on" hidden></button></p>'
        f'<ol class="lw-lessons lw-stages">{entries}</ol></section>'
    )
