"""A pad to draw on. Gradio's own is an editor of pictures, with more tools than a drawing of a shoe needs."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import gradio as gr

from layerwise_app.web.files import decode_base64
from layerwise_app.web.markup import markup
from layerwise_app.web.visuals import thumbnail_url

SCRIPT = Path(__file__).with_name("sketchpad.js")
SIDE = 320
"""Pixels of the drawing, however large the pad is on the screen."""
_TEMPLATE = """
<div class="lw-sketch">
  <canvas width="{side}" height="{side}" role="img" aria-label="{label}: draw here"></canvas>
  <div class="lw-tools">
    <label>Pen <input type="range" min="4" max="48" value="20" aria-label="Width of the pen"></label>
    <button type="button" data-action="undo">Undo</button>
    <button type="button" data-action="clear">Clear</button>
  </div>
</div>
"""


def sketch_pad(label: str) -> gr.HTML:
    """Draw the pad. It triggers `submit` when the hand rests."""
    return markup(
        "",
        html_template=_TEMPLATE.format(side=SIDE, label=html.escape(label)),
        js_on_load=SCRIPT.read_text(encoding="utf-8"),
        label=label,
        elem_classes="lw-pad",
    )


def read_drawing(value: str | None) -> bytes | None:
    """The drawing as the bytes of a picture, None for an empty pad.

    Raises:
        InputError: The value is none that a pad gives.
    """
    return decode_base64(value, "The drawing") if value else None


def show_drawing(value: Any) -> str:
    """What puts a picture on the pad; None empties it."""
    return thumbnail_url(value) if value is not None else ""
