"""Plugins: what is loaded, what failed and why, and how to write one."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import gradio as gr

from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import badge, markup
from layerwise_app.web.pages import header
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.plugins import PluginReport

RELOAD = "() => window.location.reload()"
PLUGIN = """\
# my_plugin.py: pip install it with the entry point "my = my_plugin" in the group "layerwise.plugins"
from layerwise import ModelCard, ModelSpec, hookimpl
from layerwise.tasks import ImageClassification


def build(config, task):
    from layerwise.networks import dense_network

    return dense_network((*task.size, task.channels), (128,), output_units=len(task.labels), scale=1 / 255)


@hookimpl
def layerwise_models():
    task = ImageClassification(labels=("cat", "dog"), size=(64, 64))
    card = ModelCard(title="Cats and dogs", summary="Which of the two is in the picture.")
    return [ModelSpec(name="pets/cats", task=task, build="my_plugin:build", card=card)]
"""


def draw(site: Site) -> None:
    """Draw the page."""
    header.draw(site, "plugins", "Plugins", "Every model here comes from a plugin, the built-in ones too.")
    for report in site.snapshot.plugins:
        _draw_plugin(site, report)
    markup("<h2>Write your own</h2>")
    gr.Markdown(
        "A plugin is a Python package with an entry point in the group `layerwise.plugins`. This one adds a card, a "
        "page with a demo, an HTTP endpoint and a command; `layerwise train pets/cats --data FOLDER` trains it on "
        "pictures of your own.",
        elem_classes="lw-prose",
    )
    gr.Code(PLUGIN, language="python", label="my_plugin.py", interactive=False)


def _draw_plugin(site: Site, report: PluginReport) -> None:
    is_off = report.status in ("disabled", "quarantined")
    with gr.Column(elem_classes="lw-plugin lw-panel"):
        with gr.Row(equal_height=False):
            markup(plugin_html(report))
            button = gr.Button(
                f"{'Enable' if is_off else 'Disable'} {report.name}",
                size="sm",
                min_width=140,
                scale=0,
                elem_classes="lw-switch",
            )
        if report.traceback:
            with gr.Accordion("What went wrong, for its author", open=False):
                gr.Code(report.traceback, language=None, label="Traceback", interactive=False, max_lines=30)

    def switch() -> None:
        site.workspace.registry.set_enabled(report.name, is_off)
        site.refresh()

    # The page shows the former state of the registry, so it is loaded anew.
    button.click(guard(switch), **QUIET).success(None, js=RELOAD, **QUIET)


def plugin_html(report: PluginReport) -> str:
    """A plugin in a few lines."""
    origin = "built in" if report.built_in else f"{report.distribution} {report.version}".strip()
    models = ", ".join(report.models)
    lines = [
        f"<h2>{html.escape(report.name)} {badge(report.status)}</h2>",
        f"<p><small>{html.escape(origin)}</small></p>",
    ]
    if models:
        lines.append(f"<p>Models: {html.escape(models)}</p>")
    if report.reason:
        lines.append(f'<div class="lw-note">{html.escape(report.reason)}</div>')
    return "".join(lines)
