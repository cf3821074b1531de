"""The examples of a model, to be clicked: thumbnails of pictures, lines of anything else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise_app.web.markup import markup
from layerwise_app.web.visuals import PICTURE_KINDS, summary_of, thumbnail_url

if TYPE_CHECKING:
    import gradio as gr

    from layerwise.specs import Example
    from layerwise.tasks.fields import Field

SCRIPT = Path(__file__).with_name("gallery.js")


def draw_gallery(examples: Sequence[Example], fields: Sequence[Field], model: str = "") -> gr.HTML:
    """Draw the examples. Choosing one makes its index the value, a text, and triggers `select`.

    Args:
        model: The name of the model whose page it is: the address of the page says then which example was chosen, and
            an address that says so chooses it.
    """
    return markup(
        "",
        html_template="${examples}",
        examples=gallery_html(examples, fields, model),
        js_on_load=SCRIPT.read_text(encoding="utf-8"),
        elem_classes="lw-examples",
    )


def gallery_html(examples: Sequence[Example], fields: Sequence[Field], model: str = "") -> str:
    """A button for each example, named by its label or by what is in it."""
    draw = _picture if fields[0].kind in PICTURE_KINDS else _line
    buttons = "".join(
        f'<li><button type="button" data-index="{index}" aria-pressed="false">'
        f"{draw(index, example, fields)}</button></li>"
        for index, example in enumerate(examples)
    )
    kind = "lw-pictures" if draw is _picture else "lw-lines"
    return (
        f'<p class="lw-label">Try an example</p>'
        f'<ul class="{kind}" aria-label="Examples" data-model="{html.escape(model)}">{buttons}</ul>'
    )


def _picture(index: int, example: Example, fields: Sequence[Field]) -> str:
    label = example.label or f"Example {index + 1}"
    return f'<img src="{thumbnail_url(example.inputs[fields[0].name])}" alt=""><span>{html.escape(label)}</span>'


def _line(index: int, example: Example, fields: Sequence[Field]) -> str:
    label = example.label or summary_of(example, fields) or f"Example {index + 1}"
    return f"<span>{html.escape(label)}</span>"
