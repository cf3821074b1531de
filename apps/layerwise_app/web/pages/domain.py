"""A domain's page: a tab for each of its models."""

from __future__ import annotations

import contextlib

import gradio as gr

from layerwise.errors import LayerwiseError
from layerwise.specs import ModelSpec, resolve
from layerwise.tasks import BoardGame, Conversation
from layerwise_app.web.board import draw_board
from layerwise_app.web.chat import draw_chat
from layerwise_app.web.demo import draw_demo
from layerwise_app.web.guard import drawn, guard
from layerwise_app.web.pages import header
from layerwise_app.web.routes import title_of
from layerwise_app.web.site import Site
from layerwise_app.web.template import MODEL_TABS


def draw_model(site: Site, spec: ModelSpec) -> None:
    """Draw one model: as its task says, or as its fields do."""
    view = type(spec.task).view
    if view is not None:
        resolve(view)(spec, site.predictor)
    elif isinstance(spec.task, BoardGame):
        draw_board(site, spec)
    elif isinstance(spec.task, Conversation):
        draw_chat(site, spec)
    else:
        draw_demo(site, spec)


def _draw_noted(site: Site, spec: ModelSpec) -> None:
    # Its examples, the fields of its task, and its view, if it has one, are the plugin's own.
    with site.snapshot.noted(site.snapshot.plugin_of(spec.name)):
        draw_model(site, spec)


def prepare(site: Site, domain: str) -> dict[str, gr.Blocks]:
    """The models of a domain, each drawn on its own, so that one that cannot be drawn spoils no other."""
    return {
        spec.name: drawn(lambda spec=spec: _draw_noted(site, spec), f"The model {spec.name}")
        for spec in site.snapshot.domains[domain]
    }


def draw(site: Site, blocks: gr.Blocks, domain: str, models: dict[str, gr.Blocks]) -> None:
    """Draw the page from what `prepare` gave."""
    specs = site.snapshot.domains[domain]
    header.draw(site, site.routes.domains[domain], title_of(domain))
    with gr.Tabs(elem_classes=MODEL_TABS):
        opened = []
        for spec in specs:
            with gr.Tab(spec.card.title, id=spec.name) as tab:
                models[spec.name].render()
            opened.append((tab, spec))
    for tab, spec in opened:
        # Loading begins when somebody looks, not when they ask.
        tab.select(
            guard(lambda name=spec.name: _warm(site, name)),
            show_progress="hidden",
            api_visibility="private",
            queue=False,
        )

    def entered(request: gr.Request) -> None:
        asked = f"{domain}/{request.query_params.get('model', '')}"
        _warm(site, asked if asked in models else specs[0].name)

    blocks.load(guard(entered), show_progress="hidden", api_visibility="private")


def _warm(site: Site, name: str) -> None:
    # What is wrong is said to those who ask; this page may be older than the registry.
    with contextlib.suppress(LayerwiseError):
        site.predictor.warm(name)
