"""What was typed into a form and not sent yet, for the page that is opened again when the server was restarted.

It stays in the browser: `reconnect.js` hands it from the page to the one that replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from layerwise_app.web.guard import QUIET

TAKE = """() => {
  window.typed = sessionStorage.getItem("typed") ?? "";
  sessionStorage.removeItem("typed");
  return [window.typed];
}"""
"""Gives what the page before this one left, once."""
_KEEP = "(...values) => { window.typed = JSON.stringify({ form: FORM, values }); return []; }"


def keep(form: Sequence[str], controls: Sequence[Any]) -> None:
    """Remember what the controls hold whenever somebody changes one.

    Args:
        form: What names the form and each of its controls.
    """
    changes = [control.input for control in controls]
    gr.on(changes, None, [*controls], None, js=_KEEP.replace("FORM", json.dumps([*form])), **QUIET)


def restore(typed: str, form: Sequence[str], controls: Sequence[Any]) -> None:
    """Draw the controls with what was typed into them, if it was this form."""
    kept = json.loads(typed or "{}")
    if kept.get("form") == [*form]:
        for control, value in zip(controls, kept["values"], strict=True):
            control.value = value


def form_of(typed: str) -> str:
    """The first word of what names the form that was typed into, "" for none."""
    return json.loads(typed or "{}").get("form", [""])[0]
