"""The class board: everyone's runs of a model, the best first, while they train."""

from __future__ import annotations

import html
import math
import threading
import time
from collections.abc import Sequence
from typing import Any

import gradio as gr

from layerwise.comparing.standings import Standing, standings
from layerwise.runs import Run
from layerwise.tasks.metric_names import heading
from layerwise_app.web.address import remembering
from layerwise_app.web.curves import bare, curve, overlay_html
from layerwise_app.web.figures import format_metric
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import badge, empty, link, markup, table
from layerwise_app.web.pages import header
from layerwise_app.web.pages.compare import MAX_RUNS, number
from layerwise_app.web.pages.run_list import when
from layerwise_app.web.remembered import Remembered
from layerwise_app.web.routes import BOARD
from layerwise_app.web.site import Site

MOST_RUNS = 200
"""How many runs of a model are ranked: the newest."""
POLL_SECONDS = 2.0


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    summary = "Everyone's runs of a network, the best first, while they train. Its address is one to share."
    header.draw(site, BOARD, "Class board", summary)
    page = _Page(site)
    page.draw()
    page.wire(blocks)


class _Page:
    """The components of the page, and what they do."""

    def __init__(self, site: Site) -> None:
        self.store = site.workspace.runs
        # A class looks at the page all at once: what was read is kept for all of them.
        self._lock = threading.Lock()
        self._histories = Remembered(Run.history)
        self._boards: dict[str, tuple[float, str]] = {}

    def draw(self) -> None:
        """Draw the choice of the model, and below it the board."""
        with gr.Row(elem_classes="lw-choice"):
            self.model = gr.Dropdown([], label="Network", interactive=True)
        self.board = markup(elem_id="class-board")
        self.timer = gr.Timer(POLL_SECONDS)

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components."""
        blocks.load(guard(self.open), None, [self.model, self.board], **QUIET)
        for changed in (self.model.input, self.timer.tick):
            changed(guard(self.look), self.model, self.board, **QUIET)
        self.model.input(None, self.model, None, js=remembering("model"), **QUIET)

    def open(self, request: gr.Request) -> list[Any]:
        """A page that is opened shows the model of its link, or that of the newest run."""
        names = list(dict.fromkeys(run.name for run in self.store.list()))
        asked = request.query_params.get("model", "")
        chosen = asked if asked in names else next(iter(names), None)
        return [gr.update(choices=names, value=chosen), self.look(chosen)]

    def look(self, model: str | None) -> str:
        """The board of a model as it is now, or was a second ago."""
        if not model:
            return empty("No run yet.", f"{link('./train', 'Train')} a network, and it is listed here.")
        with self._lock:
            drawn, board = self._boards.get(model, (-math.inf, ""))
            if time.monotonic() - drawn > POLL_SECONDS / 2:
                board = self._drawn(model)
                self._boards[model] = time.monotonic(), board
            return board

    def _drawn(self, model: str) -> str:
        # The trials of a search are one person's many tries, and have a page of their own.
        everyones = self.store.list()
        self._histories.forget_beyond(len(everyones))
        runs = [run for run in everyones if run.name == model and not run.request.get("study")]
        found = standings([(run, self._histories.of(run)) for run in runs[:MOST_RUNS]])
        best = [item for item in found if item.best is not None][:MAX_RUNS]
        return charts_html(best, [self.store.course(item.run).events() for item in best]) + table_html(found)


def charts_html(best: Sequence[Standing], events: Sequence[list[dict[str, Any]]]) -> str:
    """The courses of the best runs over each other; empty without one.

    Args:
        events: Of each of them.
    """
    if not best:
        return ""
    name = bare(best[0].metric)
    chart = overlay_html(heading(name), [curve(happened, name) for happened in events])
    return f'<div class="lw-panel lw-charts">{chart}</div><p class="lw-hint">Validation, and training dashed.</p>'


def table_html(found: Sequence[Standing]) -> str:
    """All runs: by whom, what they have reached, and how far they are."""
    has_names = any(item.run.by for item in found)
    metric = heading(found[0].metric) if found[0].metric else "Result"
    heads = ("", *(["By"] if has_names else []), "Network", html.escape(metric), "Epochs", "State", "Started")
    return table("Class board", heads, [_row(item, has_names) for item in found])


def _row(item: Standing, has_names: bool) -> tuple[str, ...]:
    run = item.run
    place = f"{item.place}." if item.place is not None else ""
    if item.place is not None and item.place <= MAX_RUNS:
        place = number(item.place)
    reached = "not yet"
    if item.best is not None:
        reached = f"<b>{format_metric(item.metric, item.best)}</b> <small>in epoch {item.epoch}</small>"
    return (
        place,
        *([html.escape(run.by or "")] if has_names else []),
        html.escape(run.variant),
        reached,
        f"{item.epochs} of {html.escape(str(run.config.get('num_epochs') or '?'))}",
        badge(run.state),
        link(f"./train?run={run.id}", when(run)),
    )
