"""HTML of the app's own: what Gradio has no component for, or none that is quiet and says what it is."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr


def markup(value: Any = None, **options: Any) -> gr.HTML:
    """HTML on a page, without the styles and the click event that Gradio gives to every gr.HTML."""
    return gr.HTML(value, **{"padding": False, "apply_default_css": False, "js_on_load": None, **options})


def note(title: str, text: str = "") -> str:
    """A note that stays on the page: something went wrong, or has to be known."""
    return f'<div class="lw-note" role="alert"><strong>{html.escape(title)}</strong> {html.escape(text)}</div>'


def status(text: str) -> str:
    """A line that says what is going on."""
    return f'<div class="lw-status" role="status"><i class="lw-pulse"></i>{html.escape(text)}</div>'


def empty(title: str, hint: str = "") -> str:
    """What stands where there is nothing yet. `hint` is HTML."""
    return f'<div class="lw-empty" role="status"><strong>{html.escape(title)}</strong> {hint}</div>'


def badge(state: str) -> str:
    """The state of a run or a plugin, coloured by what it is."""
    return f'<span class="lw-state lw-{html.escape(state)}">{html.escape(state)}</span>'


def table(label: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that scrolls by itself where it is too wide.

    Args:
        label: What it lists, for those who do not see it.
        names: The heading of each column; no headings at all when all are empty.
        rows: Cells, which are HTML. A row of one cell is the heading of those below it.
    """
    cells = "".join(f"<th scope=col>{name}</th>" for name in names)
    head = f"<thead><tr>{cells}</tr></thead>" if any(names) else ""
    body = "".join(f"<tr>{_cells(row, len(names))}</tr>" for row in rows)
    return (
        f'<div class="lw-scroll" tabindex="0" role="region" aria-label="{html.escape(label)}">'
        f'<table class="lw-table">{head}<tbody>{body}</tbody></table></div>'
    )


def _cells(row: Sequence[str], num_columns: int) -> str:
    if len(row) == 1:
        return f"<th scope=rowgroup colspan={num_columns}>{row[0]}</th>"
    return "".join(f"<td>{cell}</td>" for cell in row)


def link(target: str, text: str) -> str:
    """A link to a page of this app. `target` is relative, since the app may be served below a path."""
    return f'<a href="{html.escape(target)}">{html.escape(text)}</a>'
