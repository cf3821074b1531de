"""Figures: what was measured of every network that comes with the app, and how each was made, as their records say."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import LayerwiseError
from layerwise.tasks.metric_names import words
from layerwise.tasks.metric_values import in_digits, interval_text
from layerwise.verification import shipped_models
from layerwise.versions import SHIPPED
from layerwise_app.web.figures import format_count
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import empty, link, markup, table
from layerwise_app.web.pages import header
from layerwise_app.web.routes import FIGURES
from layerwise_app.web.site import Site
from layerwise_app.words import duration

if TYPE_CHECKING:
    from layerwise.versions import Version

_COLUMNS = ("Model", "On new examples", "Parameters", "Trained by", "Processor time")
_COMMIT = 10
"""So many digits of a commit are shown."""
_HINT = (
    "Below a figure its 95 % interval. Processor time is that of all cores together; what is not said was not counted. "
    "<code>layerwise verify</code> measures the networks once more, and says which figure is not right any more."
)


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    summary = "What was measured of the networks that come with Layerwise, and how each of them was made."
    header.draw(site, FIGURES, "Figures", summary)
    shown = markup(elem_id="figures")
    # When somebody looks, so that no start waits for the records.
    blocks.load(guard(lambda: figures_html(site)), None, shown, **QUIET)


def figures_html(site: Site) -> str:
    """The table of all shipped networks."""
    rows = []
    for spec, variant in shipped_models(site.snapshot):
        address = link(f"./models?model={spec.name}:{variant.name}", spec.name)
        name = f"{address}<br><small>{html.escape(variant.name)}</small>"
        try:
            rows.append((name, *_cells(site.workspace.versions.get(spec, variant.name, SHIPPED))))
        except LayerwiseError as error:
            rows.append((name, f'<span class="lw-note">{html.escape(str(error))}</span>', *[""] * (len(_COLUMNS) - 2)))
    if not rows:
        return empty("No figures.", "No model has come with weights.")
    return f'{table("Figures", _COLUMNS, rows)}<p class="lw-hint">{_HINT}</p>'


def _cells(version: Version) -> list[str]:
    record = version.record
    return [
        _figure(record.get("measured")),
        format_count(version.num_parameters),
        f"<code>{html.escape(record.get('command') or '')}</code><br><small>{html.escape(_origin(version))}</small>",
        "<br>".join(_processor_times(record)),
    ]


def _figure(measured: dict[str, Any] | None) -> str:
    """The main figure with its interval, and what it is of."""
    if not measured:
        return "<small>Its card says how it was measured.</small>"
    metric, value = next(iter(measured["metrics"].items()))
    interval = interval_text(*measured["interval"].get(metric, (None, None)), like=value)
    of = f"{measured['count']:,} of {measured['dataset']}, {measured['split']}"
    below = f"{interval}<br>{html.escape(of)}" if interval else html.escape(of)
    return f"{html.escape(words(metric))} <b>{in_digits(value)}</b><br><small>{below}</small>"


def _processor_times(record: dict[str, Any]) -> Iterator[str]:
    for what, seconds in (("train", record), ("measure", record.get("measured") or {})):
        if (taken := seconds.get("cpu_seconds")) is not None:
            yield f"{duration(taken)} <small>to {what}</small>"


def _origin(version: Version) -> str:
    """What a training began with, and when it was: "seed 0, 2026-11-29, commit 852eb77006 with changes"."""
    seed, (commit, _, changes) = version.record["config"].get("seed"), (version.record.get("git") or "").partition("-")
    said = [f"seed {seed}" if seed is not None else "", version.created[:10]]
    said += [f"commit {commit[:_COMMIT]}{' with changes' if changes else ''}" if commit else ""]
    return ", ".join(part for part in said if part)
