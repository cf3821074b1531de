"""All pages as one Gradio Blocks, drawn from one snapshot of the registry."""

from __future__ import annotations

import gradio as gr

from layerwise.specs import resolve
from layerwise_app.web.guard import drawn
from layerwise_app.web.pages import domain, header, home, models, plugins, train
from layerwise_app.web.site import Site

MAX_WAITING = 256
"""How many requests may wait for one function before visitors are told that it is busy."""
CONCURRENCY = 8
"""How many requests of one function are worked on at a time."""


def build(site: Site) -> gr.Blocks:
    """The Blocks of all pages. What a plugin draws is drawn apart, so that its mistakes stay its own."""
    routes, snapshot = site.routes, site.snapshot
    demos = {name: domain.prepare(site, name) for name in routes.domains}
    foreign = {
        name: drawn(lambda page=page: resolve(page.draw)(site.predictor), f"The page {page.title}")
        for name, page in snapshot.pages.items()
    }
    with gr.Blocks(title="Layerwise", analytics_enabled=False) as blocks:
        home.draw(site)
    for name, path in routes.domains.items():
        with blocks.route(routes.titles[path], path):
            domain.draw(site, blocks, name, demos[name])
    for name, path in routes.pages.items():
        with blocks.route(routes.titles[path], path):
            header.draw(site, path, snapshot.pages[name].title)
            foreign[name].render()
    with blocks.route("Train", "train"):
        train.draw(site, blocks)
    with blocks.route("Models", "models"):
        models.draw(site, blocks)
    with blocks.route("Plugins", "plugins"):
        plugins.draw(site)
    blocks.queue(max_size=MAX_WAITING, default_concurrency_limit=CONCURRENCY, api_open=False)
    return blocks
