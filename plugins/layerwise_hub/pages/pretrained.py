"""The page of published models: look at one, add it, see which are here, and where to begin."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import gradio as gr

from layerwise.errors import UNEXPECTED, InputError, LayerwiseError
from layerwise.predictor import Predictor
from layerwise.quota import in_bytes
from layerwise_hub import library
from layerwise_hub.curated import CURATED, Suggestion
from layerwise_hub.kinds import KINDS
from layerwise_hub.library import Offer
from layerwise_hub.manifest import Entry, Manifest
from layerwise_hub.models import short_count
from layerwise_hub.pages.work import Works, status_html

logger = logging.getLogger(__name__)

QUIET: Any = {"show_progress": "hidden", "api_visibility": "private"}
BY_ITSELF = "what its settings say"
LOOKING = "Looking at it …"
ADDING = "Getting its files. This is done once …"


def draw(predictor: Predictor) -> None:
    """Draw the page. What it changes is seen by everybody: the registry follows the list of models."""
    _Page(Manifest()).draw()


class _Page:
    """The components of the page, and what they do.

    Args:
        manifest: The models that were added.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest, self.works = manifest, Works()

    def draw(self) -> None:
        """Draw the components and connect them."""
        with gr.Column(elem_classes="lw-panel"):
            _markup("<h2>Add a model</h2>")
            with gr.Row(equal_height=False):
                source = gr.Textbox(
                    label="Id at the hub of Hugging Face, or a folder on this machine",
                    placeholder="microsoft/resnet-18",
                    max_lines=1,
                    scale=3,
                    min_width=260,
                )
                task = gr.Dropdown(
                    [(BY_ITSELF, ""), *((kind.title, name) for name, kind in KINDS.items())],
                    value="",
                    label="What it is for",
                    scale=1,
                    min_width=200,
                )
            look = gr.Button("Look at it", variant="primary")
            said, shown = _markup(elem_id="hub-said"), gr.State({})
            add = gr.Button("Add it", variant="primary", visible=False)
        with gr.Column(elem_classes="lw-panel"):
            _markup("<h2>Here already</h2>")
            listed = _markup(elem_id="hub-listed")
            with gr.Column(visible=False) as managing:
                name = gr.Dropdown([], label="Model")
                with gr.Row():
                    update = gr.Button("Look for a newer one", min_width=160)
                    remove = gr.Button("Remove", min_width=120)
                files = gr.Checkbox(label="When it is removed, delete what was downloaded, too")
            managed = _markup(elem_id="hub-managed")
        self.kept = [listed, managing, name]
        _markup("<h2>To begin with</h2><p>Small models for each task, whose licences allow any use.</p>")
        for kind, group in groupby(CURATED, key=lambda item: item.kind):
            _markup(f'<h3 class="lw-label">{html.escape(KINDS[kind].title)}</h3>')
            for suggestion in group:
                self._draw_suggestion(suggestion)

        offered = [said, add, shown]
        gr.on([look.click, source.submit], self.look, [source, task], offered, **QUIET)
        add.click(self.add, shown, [said, add, *self.kept], **QUIET)
        update.click(self.update, name, [managed, *self.kept], **QUIET)
        remove.click(self.remove, [name, files], [managed, *self.kept], **QUIET)
        # Without triggers and inputs: when somebody opens the page.
        gr.on(fn=lambda: [_missing(), *self.look_at_kept()], outputs=[said, *self.kept], **QUIET)

    def _draw_suggestion(self, suggestion: Suggestion) -> None:
        with gr.Row(equal_height=False, elem_classes="lw-panel"):
            with gr.Column(scale=4, min_width=240):
                facts = f"{suggestion.size} MB, licence {suggestion.licence}"
                _markup(
                    f"<p><strong>{html.escape(suggestion.source)}</strong><br>{html.escape(suggestion.why)}<br>"
                    f"<small>{html.escape(facts)}</small></p>"
                )
                said = _markup()
            button = gr.Button("Add", size="sm", scale=0, min_width=90)
        button.click(partial(self.add_suggested, suggestion), None, [said, *self.kept], **QUIET)

    def look(self, source: str, task: str) -> Iterator[list[Any]]:
        """What a model is: how large, under which licence, what its card says."""
        yield [status_html(LOOKING), gr.update(visible=False), {}]
        try:
            if not (source or "").strip():
                raise InputError("There is nothing to look at", expected="the id of a repository, or a folder")
            offer = library.look(source, task=task or None)
        except Exception as error:
            yield [_failed(error), gr.update(visible=False), {}]
            return
        label = "Add it" if offer.is_local else f"Download {in_bytes(offer.size)} and add it"
        shown = {"source": source, "task": task, "revision": offer.repository.revision}
        missing = library.missing_framework()
        yield [
            offer_html(offer) + (_note("It could not answer yet.", str(missing)) if missing else ""),
            gr.update(visible=missing is None, value=label),
            shown,
        ]

    def add(self, shown: Mapping[str, str]) -> Iterator[list[Any]]:
        """Add the model that is shown."""
        for said, is_done in self._adding(shown["source"], shown["task"] or None, shown["revision"]):
            yield [said, gr.update(visible=False), *(self.look_at_kept() if is_done else self._unchanged)]

    def add_suggested(self, suggestion: Suggestion) -> Iterator[list[Any]]:
        """Add one of the models to begin with."""
        for said, is_done in self._adding(suggestion.source, suggestion.kind):
            yield [said, *(self.look_at_kept() if is_done else self._unchanged)]

    def _adding(self, source: str, task: str | None, revision: str | None = None) -> Iterator[tuple[str, bool]]:
        """What is said while a model is added, and whether that is over."""

        def work(progress: library.Progress) -> Entry:
            library.require_framework()
            offer = library.look(source, task=task)
            if revision is not None and offer.repository.revision != revision:
                raise InputError(f"{source} has changed meanwhile", remedy="look at it again")
            return library.add(offer, progress, self.manifest)

        running = self.works.begin(source.strip(), work, ADDING)
        try:
            for said in running.steps():
                yield said, False
        except Exception as error:
            yield _failed(error), True
            return
        entry: Entry = running.result.result()
        yield f'<p class="lw-status" role="status">{_demo(entry)} answers now.</p>', True

    def update(self, name: str | None) -> Iterator[list[Any]]:
        """Look whether there is something newer where a model came from."""
        if not name:
            return
        running = self.works.begin(name, lambda progress: library.update(name, progress, self.manifest), LOOKING)
        try:
            for said in running.steps():
                yield [said, *self._unchanged]
        except Exception as error:
            yield [_failed(error), *self.look_at_kept()]
            return
        _, is_changed = running.result.result()
        text = f"{name} is now what is published." if is_changed else f"{name} has not changed."
        yield [f'<p role="status">{html.escape(text)}</p>', *self.look_at_kept()]

    def remove(self, name: str | None, files: bool) -> list[Any]:
        """Take a model away."""
        if not name:
            return ["", *self._unchanged]
        try:
            _, freed = library.remove(name, files=files, manifest=self.manifest)
        except Exception as error:
            return [_failed(error), *self.look_at_kept()]
        text = f"{name} is removed" + (f", and {in_bytes(freed)} are free." if freed else ".")
        return [f'<p role="status">{html.escape(text)}</p>', *self.look_at_kept()]

    @property
    def _unchanged(self) -> list[Any]:
        return [gr.skip() for _ in self.kept]

    def look_at_kept(self) -> list[Any]:
        """The values of the components that show which models are here."""
        try:
            entries = list(self.manifest.entries().values())
        except LayerwiseError as error:
            return [_failed(error), gr.update(visible=False), gr.update(choices=[])]
        names = [entry.name for entry in entries]
        return [
            kept_html(entries),
            gr.update(visible=bool(names)),
            gr.update(choices=names, value=names[-1] if names else None),
        ]


def offer_html(offer: Offer) -> str:
    """What is known of a model before it is downloaded."""
    licence = offer.licence or "not told by its card"
    terms = ", and its terms have to be accepted at its page first" if offer.is_gated else ""
    rows = [
        ("What it does", offer.kind.title),
        ("Architecture", offer.architecture),
        ("Size", in_bytes(offer.size)),
        ("Licence", licence + terms),
        ("Commit", offer.repository.revision[:12]),
        ("Registered as", offer.name),
    ]
    body = "".join(f"<tr><th scope=row>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in rows if value)
    card = f"<p><small>Its card says: {html.escape(offer.about)}</small></p>" if offer.about else ""
    title = html.escape(offer.repository.source)
    return f'<div role="status"><p><strong>{title}</strong></p><table class="lw-table">{body}</table>{card}</div>'


def kept_html(entries: Sequence[Entry]) -> str:
    """The models that were added, as a table."""
    if not entries:
        return '<div class="lw-empty" role="status"><strong>No published model was added yet.</strong></div>'
    head = "".join(f"<th scope=col>{name}</th>" for name in ("Model", "What it does", "Size", "Licence", "From"))
    rows = "".join(
        f"<tr><td>{_demo(entry)}</td><td>{html.escape(KINDS[entry.kind].title if entry.kind in KINDS else entry.kind)}"
        f"</td><td>{in_bytes(entry.size)}<br><small>{short_count(entry.num_parameters)}</small></td>"
        f"<td>{html.escape(entry.licence or 'not told')}</td>"
        f"<td>{html.escape(entry.source)}<br><small>{html.escape(entry.revision[:12])}</small></td></tr>"
        for entry in entries
    )
    return (
        '<div class="lw-scroll" tabindex="0" role="region" aria-label="Published models">'
        f'<table class="lw-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _demo(entry: Entry) -> str:
    domain, _, application = entry.name.partition("/")
    return f'<a href="./{html.escape(domain)}?model={html.escape(application)}">{html.escape(entry.name)}</a>'


def _missing() -> str:
    error = library.missing_framework()
    return _note("Published models cannot answer yet.", str(error)) if error is not None else ""


def _failed(error: Exception) -> str:
    if isinstance(error, LayerwiseError):
        return _note("That did not work.", str(error))
    logger.error("The page of published models failed", exc_info=error)
    return _note("That did not work.", UNEXPECTED)


def _note(title: str, text: str) -> str:
    return f'<div class="lw-note" role="alert"><strong>{html.escape(title)}</strong> {html.escape(text)}</div>'


def _markup(value: str = "", **options: Any) -> gr.HTML:
    return gr.HTML(value, padding=False, apply_default_css=False, js_on_load=None, **options)
