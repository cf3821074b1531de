"""Pages whose script does the work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from layerwise_learn.answers import Answer


def draw_scripted(
    page: Path, template: str, functions: Sequence[Answer], *, scripts: Sequence[str] = (), **options: Any
) -> None:
    """Draw a page from the files beside its module: the style of the same name, and the scripts.

    Args:
        page: The module.
        template: The HTML.
        functions: What the script may ask for.
        scripts: The names of the scripts; none for the one of the same name.
        options: As of `gr.HTML`.
    """
    names = scripts or (page.with_suffix(".js").name,)
    gr.HTML(
        "",
        padding=False,
        apply_default_css=False,
        html_template=template,
        css_template=page.with_suffix(".css").read_text(encoding="utf-8"),
        js_on_load="\n".join(page.with_name(name).read_text(encoding="utf-8") for name in names),
        server_functions=[*functions],
        **options,
    )
