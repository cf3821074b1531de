"""Home: what this is, and everything that can be tried."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from layerwise import Lesson
from layerwise_app.web.guard import guard
from layerwise_app.web.lessons import registered
from layerwise_app.web.markup import empty, link, markup
from layerwise_app.web.pages import cards, header, tours
from layerwise_app.web.routes import LEARN, TOURS, title_of
from layerwise_app.web.site import Site
from layerwise_app.web.visuals import card_visual

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec

NEWCOMERS = Path(__file__).with_name("newcomers.js")


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    header.draw(
        site,
        "",
        "Deep learning, layer by layer",
        "Try networks that were trained right here, look at how they were made, and retrain them on your own data.",
    )
    invitation = lessons_html(site)
    if invitation:
        markup(invitation)
    search = gr.Textbox(
        label="Search the models",
        placeholder="Search: pictures, words, games …",
        max_lines=1,
        container=False,
        elem_classes="lw-search",
        visible=len(site.snapshot.models) > 1,
    )
    visuals = {spec.name: card_visual(spec) for spec in site.snapshot.models.values()}
    gallery = markup(
        gallery_html(site, visuals, ""), elem_id="gallery", js_on_load=NEWCOMERS.read_text(encoding="utf-8")
    )
    # One event for both, so that what was searched for early is not overwritten by the opening of the page, at which
    # the figures are read anew.
    gr.on(
        [blocks.load, search.change],
        guard(lambda query: gallery_html(site, visuals, query or "")),
        search,
        gallery,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )


def lessons_html(site: Site) -> str:
    """The way to the lessons; empty when there are none."""
    count = len(registered(site, Lesson))
    if not count:
        return ""
    lessons = link(f"./{LEARN}", f"{count} short lesson{'s' * (count != 1)}")
    said = f"New to it? {lessons}: how networks compute and learn, with something to try."
    if found := tours.places(site):
        tour, stages = found[0]
        said = (
            f"New here? {link(f'./{TOURS}', tour.title)} takes about {tours.minutes(stages)} minutes. "
            f"{html.escape(tour.summary)} {lessons} go deeper."
        )
    return f'<p class="lw-summary">{said}</p>'


def matches(spec: ModelSpec, query: str) -> bool:
    """Whether every word of `query` is somewhere in what is said of the model."""
    text = " ".join((spec.name, spec.card.title, spec.card.summary, spec.card.description, spec.task.type_name)).lower()
    return all(word in text for word in query.lower().split())


def gallery_html(site: Site, visuals: Mapping[str, str], query: str) -> str:
    """The cards that match, by domain; the domains first of which most can be seen at a glance.

    Args:
        visuals: What each model looks like, by its name.
    """
    sections = []
    for domain, specs in sorted(site.snapshot.domains.items(), key=lambda item: -_share_of_pictures(item[1], visuals)):
        found = [spec for spec in specs if matches(spec, query)]
        if found:
            shown = "".join(cards.model_card_html(site, spec, visuals[spec.name]) for spec in found)
            heading = f"<h2>{html.escape(title_of(domain))}</h2>{_invitation_html(site, found)}"
            sections.append(f'<section>{heading}<div class="lw-cards">{shown}</div></section>')
    if not sections:
        if site.snapshot.models:
            return empty("No model found.", "Try another word.")
        return empty("No model yet.", f"No plugin has registered one; see {link('./plugins', 'Plugins')}.")
    return f'<div class="lw-gallery">{"".join(sections)}</div>'


def _invitation_html(site: Site, specs: Sequence[ModelSpec]) -> str:
    """What to try first among models: a link to an answered example, or to a page where there is none."""
    spec = next((spec for spec in specs if spec.card.invitation), None)
    if spec is None:
        return ""
    place = site.routes.of_model(spec.name, example=1 if spec.examples is not None else None)
    return f'<p class="lw-invitation">Try this: {link(place, spec.card.invitation)}</p>'


def _share_of_pictures(specs: Sequence[ModelSpec], visuals: Mapping[str, str]) -> float:
    return sum("<img" in visuals[spec.name] for spec in specs) / len(specs)
