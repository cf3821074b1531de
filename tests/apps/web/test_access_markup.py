"""What plugins and visitors write is text on pages, whatever it looks like."""

from __future__ import annotations

import re

import gradio as gr
import pytest

from layerwise.workspace import open_workspace

EVIL = "<img src=x onerror=alert(1)>"
PLUGIN = f"""
from layerwise import ModelCard, ModelSpec, hookimpl, tasks

EVIL = {EVIL!r}

def build(config, task):
    raise RuntimeError(EVIL)

@hookimpl
def layerwise_models():
    task = tasks.ImageClassification(labels=(EVIL, "</script><script>alert(1)</script>"), size=(8, 8))
    card = ModelCard(title=EVIL, summary=EVIL, description=EVIL, limits=EVIL, licence=EVIL, sources=(EVIL,))
    return [ModelSpec(name="evil/one", task=task, build=build, card=card)]
"""
BROKEN = f"raise RuntimeError({EVIL!r})"


@pytest.fixture(scope="module")
def evil_site(tmp_path_factory):
    from layerwise_app.web.site import Site

    home = tmp_path_factory.mktemp("evil")
    (home / "plugins").mkdir()
    (home / "plugins" / "evil_models.py").write_text(PLUGIN)
    (home / "plugins" / "evil_broken.py").write_text(BROKEN)
    with open_workspace(home) as workspace:
        snapshot = workspace.registry.snapshot()
        assert "evil/one" in snapshot.models
        yield Site(workspace=workspace, snapshot=snapshot, address="http://x", refresh=lambda: None)


def is_inert(markup: str) -> bool:
    return not re.search(r"<img src=x|<script>alert", markup)


@pytest.mark.slow
def test_pages_escape_what_plugins_write(evil_site):
    from layerwise_app.web.app import build

    shown = [block for block in build(evil_site).blocks.values() if isinstance(block, gr.HTML) and block.value]
    texts = [str(block.value) for block in shown] + [str(block.html_template) for block in shown]
    assert any("&lt;img src=x" in text for text in texts), "it is shown"
    assert [text for text in texts if not is_inert(text)] == []


def test_what_events_show_is_escaped_and_markdown_is_cleaned(evil_site):
    from layerwise_app.web.guard import message
    from layerwise_app.web.pages import cards
    from layerwise_app.web.pages.home import gallery_html
    from layerwise_app.web.pages.models import _Page
    from layerwise_app.web.pages.plugins import plugin_html
    from layerwise_app.web.visuals import card_visual

    spec = evil_site.snapshot.model("evil/one")
    visuals = {item.name: card_visual(item) for item in evil_site.snapshot.models.values()}
    found = [
        gallery_html(evil_site, visuals, ""),
        gallery_html(evil_site, visuals, EVIL),
        _Page(evil_site).registry_html(),
        cards.reports_html(evil_site, spec),
        str(message(EVIL).message),
        *(plugin_html(report, evil_site.routes) for report in evil_site.snapshot.plugins),
    ]
    assert any("&lt;img src=x" in text for text in found)
    assert [text for text in found if not is_inert(text)] == []
    # Cards are Markdown, from which Gradio takes what could run.
    assert gr.Markdown("x", render=False).sanitize_html
