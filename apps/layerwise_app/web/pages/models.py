"""Models: the registry, with the card and the versions of each model."""

from __future__ import annotations

import html
from datetime import UTC
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.versions import FETCHED, GIVEN, parse_reference
from layerwise_app.web.fetching import published_html
from layerwise_app.web.figures import figures_of, format_count, in_words, main_figure
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import empty, link, markup, table
from layerwise_app.web.pages import cards, header
from layerwise_app.web.pages.export_part import ExportPart
from layerwise_app.web.site import Site
from layerwise_app.words import moment

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version


_COLUMNS = ("Model", "Title", "Task", "Version in use", "Parameters", "Measured", "In memory")
_WARMTH = {"ready": "warm", "loading": "loading", "cold": "cold"}
"""Whether a model answers at once, by the predictor's state of it."""
_TO_THE_MODEL = """() => {
  const show = () => document.querySelector(".lw-demo").scrollIntoView();
  if (new URL(window.location).searchParams.has("model")) requestAnimationFrame(show);
}"""
"""A link to a model leads to it: it stands below the list of all, which is long."""


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    header.draw(site, "models", "Models", "What is registered, which version of it answers, and what else there is.")
    page = _Page(site)
    page.draw()
    page.wire(blocks)


class _Page:
    """The components of the page, and what they do."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.versions = site.workspace.versions
        self.export = ExportPart(site.workspace)

    def draw(self) -> None:
        """The table of all models, and below it one of them."""
        self.table = markup(elem_id="registry")
        references = [str(reference) for reference in self.site.references()]
        with gr.Row(equal_height=False, elem_classes="lw-demo"):
            with gr.Column(scale=2, min_width=300):
                self.model = gr.Dropdown(
                    references, value=references[0] if references else None, label="Model and network"
                )
                self.version = gr.Dropdown([], label="Another version")
                with gr.Row(elem_classes="lw-for-editors"):
                    self.promote = gr.Button("Use this version", variant="primary")
                    self.rollback = gr.Button("Roll back")
                self.list = markup(elem_id="versions")
                with gr.Column(elem_classes="lw-for-editors"):
                    self.export.draw()
            with gr.Column(scale=3, min_width=300, elem_classes="lw-panel"):
                self.card = gr.Markdown(elem_classes="lw-prose")

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components."""
        shown = [self.table, self.version, self.promote, self.rollback, self.list, self.card, *self.export.components]
        opened = blocks.load(guard(self.open), None, [self.model, *shown], **QUIET)
        opened.then(None, js=_TO_THE_MODEL, **QUIET)
        self.model.input(guard(self.look), self.model, shown, **QUIET)
        self.promote.click(guard(self.promote_version), [self.model, self.version], shown, **QUIET)
        self.rollback.click(guard(self.roll_back), self.model, shown, **QUIET)
        self.export.wire(self.model)

    def open(self, request: gr.Request) -> list[Any]:
        """A page that is opened shows the model of its link."""
        references = self.site.references()
        asked = request.query_params.get("model", "")
        chosen = next((item for item in references if asked in (str(item), item.name)), next(iter(references), None))
        reference = str(chosen) if chosen else None
        return [reference, *self.look(reference)]

    def look(self, reference: str | None) -> list[Any]:
        """What there is to see of a model."""
        table = self.registry_html()
        if not reference:
            off = gr.update(interactive=False)
            return [table, gr.update(choices=[]), off, off, "", "", *self.export.look(None, [], None)]
        spec, variant = self._variant(reference)
        current = cards.version_in_use(self.site, spec, variant)
        versions = self.versions.list(spec, variant)
        others = [item.id for item in versions if item.id not in GIVEN and (current is None or item.id != current.id)]
        return [
            table,
            gr.update(choices=others, value=others[0] if others else None),
            gr.update(interactive=bool(others)),
            gr.update(interactive=bool(self.versions.history(spec.name, variant))),
            _versions_html(versions, current.id if current else None) or _none_yet(spec, variant),
            f"## {_plain(spec.card.title)}\n\n{spec.card.summary}\n\n{cards.card_markdown(self.site, spec)}",
            *self.export.look(spec, versions, current.id if current else None),
        ]

    def promote_version(self, reference: str, identifier: str | None) -> list[Any]:
        """Put a version in use."""
        spec, variant = self._variant(reference)
        self.versions.promote(spec, self.site.workspace.runs.get(identifier or ""))
        gr.Info(html.escape(f"{spec.name}:{variant} now answers with the version {identifier}."))
        self.site.refresh()
        return self.look(reference)

    def roll_back(self, reference: str) -> list[Any]:
        """Put the version in use that was in use before."""
        spec, variant = self._variant(reference)
        version = self.versions.rollback(spec, variant)
        gr.Info(html.escape(f"{spec.name}:{variant} answers with the version {version.id} again."))
        self.site.refresh()
        return self.look(reference)

    def _variant(self, reference: str) -> tuple[ModelSpec, str]:
        parsed = parse_reference(reference)
        spec = self.site.snapshot.model(parsed.name)
        return spec, spec.variant(parsed.variant).name

    def registry_html(self) -> str:
        """All models as a table."""
        rows = []
        for reference in self.site.references():
            spec = self.site.snapshot.model(reference.name)
            version = cards.version_in_use(self.site, spec, reference.variant)
            rows.append(
                (
                    link(f"./models?model={reference}", str(reference)),
                    html.escape(spec.card.title),
                    html.escape(spec.task.type_name.replace("-", " ")),
                    html.escape(version.id if version else "none yet"),
                    format_count(version.num_parameters) if version else "",
                    html.escape(main_figure(spec, version) if version else ""),
                    _WARMTH.get(self.site.predictor.state(reference), "") if version else "",
                )
            )
        if not rows:
            return empty("No model yet.", f"No plugin has registered one; see {link('./plugins', 'Plugins')}.")
        return table("Models", _COLUMNS, rows)


def _versions_html(versions: list[Version], current: str | None) -> str:
    if not versions:
        return ""
    rows = [
        (
            _named(version, version.id == current),
            html.escape(", ".join(in_words(*figure) for figure in list(figures_of(version).items())[:2])),
        )
        for version in versions
    ]
    return table("Versions", ("Version", "Measured"), rows)


def _none_yet(spec: ModelSpec, variant: str) -> str:
    published = spec.variant(variant).published
    if published is not None:
        return published_html(f"{spec.name}:{variant}", published)
    return empty("No version yet.", "Train the network, and use the result.")


def _named(version: Version, is_current: bool) -> str:
    in_use = ' <span class="lw-badge">in use</span>' if is_current else ""
    made = f"{'fetched' if version.id == FETCHED else 'trained'} {moment(version.created, UTC)}"
    return f"{html.escape(version.id)}{in_use}<br><small>{html.escape(made)}</small>"


def _plain(text: str) -> str:
    return text.replace("\n", " ").replace("#", "\\#")
