"""All pages as one Gradio Blocks, drawn from one snapshot of the registry."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import gradio as gr
import gradio.blocks

from layerwise import Page
from layerwise.paths import home_is
from layerwise.specs import resolve
from layerwise_app.accounts import EVERYBODY, STRANGER
from layerwise_app.web.access.events import CheckedBlocks
from layerwise_app.web.endpoints import add_endpoints
from layerwise_app.web.guard import drawn
from layerwise_app.web.lean import replaced
from layerwise_app.web.pages import (
    beside,
    class_board,
    compare,
    domain,
    experiments,
    figures,
    flashcards,
    header,
    home,
    learn,
    models,
    plugins,
    quiz,
    tours,
    train,
    tune,
)
from layerwise_app.web.routes import BOARD, FIGURES, TOURS
from layerwise_app.web.sessions import keep_little
from layerwise_app.web.site import Site

MAX_WAITING = 256
"""How many requests may wait for one function before visitors are told that it is busy."""
CONCURRENCY = 8
"""How many requests of one function are worked on at a time."""
MOST_THREADS = 256
"""How many events are worked on at a time. Each has a thread, also while it waits for a model that others have asked
before: with the 40 that Gradio has for all, five busy models would keep everybody from every page."""

CLEANING, KEPT = 600, 6 * 3600
"""How often files are removed that were uploaded or made for somebody, and how old they are then, in seconds."""


def build(site: Site) -> gr.Blocks:
    """The Blocks of all pages, without a config and an app yet (`layerwise_app.web.served_pages.mounted_app`). What a
    plugin draws is drawn apart, so that its mistakes stay its own."""
    # After each event Gradio would compute percentiles over all events so far, which no page of ours shows; a server
    # that had answered some thousands was busy with little else.
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(sys.maxsize))
    with _without_apps(), without_configs():
        blocks = _drawn_pages(site)
        blocks.max_threads = MOST_THREADS
        blocks.queue(max_size=MAX_WAITING, default_concurrency_limit=CONCURRENCY, api_open=False)
    return blocks


def _drawn_pages(site: Site) -> gr.Blocks:
    routes, snapshot = site.routes, site.snapshot
    demos = {name: domain.prepare(site, name) for name in routes.domains}
    foreign = {
        name: drawn(lambda page=page: _draw_foreign(site, page), f"The page {page.title}")
        for name, page in snapshot.pages.items()
    }
    with CheckedBlocks(title="Layerwise", analytics_enabled=False, delete_cache=(CLEANING, KEPT)) as blocks:
        blocks.unknown = STRANGER if site.has_accounts else EVERYBODY
        home.draw(site, blocks)
        add_endpoints(site)
        keep_little(site, blocks)
    for name, path in routes.domains.items():
        with blocks.route(routes.titles[path], path):
            domain.draw(site, blocks, name, demos[name])
    for name, path in routes.pages.items():
        with blocks.route(snapshot.pages[name].title, path):
            header.draw(site, path, snapshot.pages[name].title, snapshot.pages[name].summary)
            foreign[name].render()
    if snapshot.lessons:
        with blocks.route("Learn", "learn"):
            learn.draw(site)
        with blocks.route("Flashcards", "flashcards"):
            flashcards.draw(site)
        with blocks.route("Quiz", "quiz"):
            quiz.draw(site)
        with blocks.route("Tours", TOURS):
            tours.draw(site)
    with blocks.route("Train", "train"):
        train.draw(site, blocks)
    with blocks.route("Compare", "compare"):
        compare.draw(site, blocks)
    with blocks.route("Side by side", "beside"):
        beside.draw(site, blocks)
    with blocks.route("Class board", BOARD):
        class_board.draw(site, blocks)
    with blocks.route("Tune", "tune"):
        tune.draw(site, blocks)
    with blocks.route("Models", "models"):
        models.draw(site, blocks)
    with blocks.route("Figures", FIGURES):
        figures.draw(site, blocks)
    with blocks.route("Plugins", "plugins"):
        plugins.draw(site)
    return blocks


def _draw_foreign(site: Site, page: Page) -> None:
    if page.draw is None:
        experiments.draw(page)
    else:
        with home_is(site.workspace.home), site.snapshot.noted(site.snapshot.plugin_of_page(page.name)):
            resolve(page.draw)(site.predictor)


@contextmanager
def _without_apps() -> Iterator[None]:
    """Keep Gradio from making a web app of its own of every Blocks that is begun, left or given a queue: two for each
    model and one for each page, of 60 ms and more each, of which none is ever asked."""
    module: Any = gradio.blocks
    with replaced(module, "App", SimpleNamespace(create_app=lambda *_, **__: None)):
        yield


@contextmanager
def without_configs() -> Iterator[None]:
    """Keep Gradio from describing all that was drawn so far, again and again: what counts is the description of it
    all, half a second of work, once everything is set."""
    with replaced(gradio.blocks.Blocks, "get_config_file", lambda _: {}):
        yield
