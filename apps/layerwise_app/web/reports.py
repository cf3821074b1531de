"""The report of a user's own data, as HTML."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import InputError
from layerwise.own_data import in_numbers
from layerwise_app.web.markup import note, table
from layerwise_app.web.visuals import thumbnail_url

if TYPE_CHECKING:
    from layerwise.own_data import DataReport, Sample

SHOWN_CLASSES = 50
SHOWN_UNREADABLE = 10
SHOWN_PICTURES = 24


def report_html(report: DataReport) -> str:
    """What was seen in the data: counts as bars, examples, columns, what cannot be read, and what is to be known."""
    parts = [f'<p class="lw-question" role="status">{html.escape(report.summary)}</p>']
    parts += [note("Note.", warning) for warning in report.warnings]
    parts += [_counts(report), _examples(report)]
    if report.columns:
        rows = [(item.name, item.kind, f"{item.missing:,}", item.summary) for item in report.columns]
        parts.append(_table("Columns", ("Column", "Kind", "Missing", "Values"), rows))
    if report.sizes:
        rows = [(name.capitalize(), in_numbers(size)) for name, size in report.sizes.items()]
        parts.append(_table("Sizes", ("Size", "Smallest to largest"), rows))
    if report.unreadable:
        rows = [(item.name, item.reason) for item in report.unreadable[:SHOWN_UNREADABLE]]
        parts.append(_table("Files that cannot be read", ("Cannot be read", "Reason"), rows))
    return f'<div class="lw-report">{"".join(parts)}</div>'


def _table(label: str, names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return table(label, names, [[html.escape(cell) for cell in row] for row in rows])


def _counts(report: DataReport) -> str:
    """A bar for each class."""
    totals = {label: sum(counts.values()) for label, counts in report.classes.items()}
    if not totals:
        return ""
    most = max(totals.values())
    bars = "".join(
        f'<li title="{html.escape(report.counts_of(label))}"><span class="lw-name">{html.escape(label)}</span>'
        f'<span class="lw-bar"><i style="width: {100 * count / most:.1f}%"></i></span>'
        f'<span class="lw-share">{count:,}</span></li>'
        for label, count in list(totals.items())[:SHOWN_CLASSES]
    )
    more = f"<p>and {len(totals) - SHOWN_CLASSES:,} more classes</p>" if len(totals) > SHOWN_CLASSES else ""
    return f'<ul class="lw-bars" aria-label="Examples of each class">{bars}</ul>{more}'


def _examples(report: DataReport) -> str:
    pictures = [sample for sample in report.examples if sample.kind == "image"][:SHOWN_PICTURES]
    others = [sample for sample in report.examples if sample.kind in ("text", "row")][:SHOWN_PICTURES]
    shown = "".join(_picture(Path(report.path), sample) for sample in pictures)
    lines = "".join(
        f"<li>{f'<b>{html.escape(sample.label)}</b> ' if sample.label else ''}{html.escape(sample.value)}</li>"
        for sample in others
    )
    return (f'<div class="lw-seen">{shown}</div>' if shown else "") + (f"<ul>{lines}</ul>" if lines else "")


def _picture(folder: Path, sample: Sample) -> str:
    try:
        url = thumbnail_url(folder / sample.value)
    except InputError:
        return ""  # gone since it was counted
    label = html.escape(sample.label)
    return f'<figure><img src="{url}" alt="{label}"><figcaption>{label}</figcaption></figure>'
