"""Plugins: what is loaded, what failed and why, and how to write one."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import gradio as gr

from layerwise.conformance.report import ConformanceReport, ReportStore
from layerwise.plugins.files import FOLDER
from layerwise_app.web.api_plugins import report_link
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import badge, link, markup, table
from layerwise_app.web.pages import header
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.plugins.loading import PluginReport
    from layerwise_app.web.routes import Routes

RELOAD = "() => window.location.reload()"
PLUGIN = """\
# my_pets.py
from layerwise import ModelCard, ModelSpec, hookimpl
from layerwise.tasks import ImageClassification


def build(config, task):
    from layerwise.networks import dense_network

    return dense_network((*task.size, task.channels), (128,), output_units=len(task.labels), scale=1 / 255)


@hookimpl
def layerwise_models():
    task = ImageClassification(labels=("cat", "dog"), size=(64, 64))
    card = ModelCard(title="Cats and dogs", summary="Which of the two is in the picture.")
    return [ModelSpec(name="vision/pets", task=task, build=build, card=card)]
"""


_SWITCH = {"disabled": "Enable", "quarantined": "Try again:"}
"""What the button of a plugin does that is off."""


def draw(site: Site) -> None:
    """Draw the page."""
    header.draw(site, "plugins", "Plugins", "Every model here comes from a plugin, the built-in ones too.")
    with gr.Row():
        look = gr.Button("Look for new plugins", size="sm", min_width=200, scale=0)
    look.click(guard(lambda: _look(site)), **QUIET).success(None, js=RELOAD, **QUIET)
    for report in site.snapshot.plugins:
        _draw_plugin(site, report)
    markup("<h2>Write your own</h2>")
    gr.Markdown(
        f"A plugin is a Python file. Put this one into the folder `{FOLDER}` of the home (`layerwise doctor` says "
        "where that is), and it adds a card, a tab with a demo, an HTTP endpoint and a command; `layerwise train "
        "vision/pets --data FOLDER` trains it on pictures of your own. For others it becomes a package with an entry "
        "point in the group `layerwise.plugins`.",
        elem_classes="lw-prose",
    )
    gr.Code(PLUGIN, language="python", label="my_pets.py", interactive=False)


def _look(site: Site) -> None:
    site.workspace.registry.reload()
    site.refresh()


def _draw_plugin(site: Site, report: PluginReport) -> None:
    is_off = report.status in ("disabled", "quarantined")
    checks = ReportStore(home=site.workspace.home).find(report.name, report.source)
    with gr.Column(elem_classes="lw-plugin lw-panel"):
        with gr.Row(equal_height=False):
            markup(plugin_html(report, site.routes, checks))
            button = gr.Button(
                f"{_SWITCH.get(report.status, 'Disable')} {report.name}",
                size="sm",
                min_width=140,
                scale=0,
                elem_classes="lw-switch",
            )
        if report.deprecated:
            with gr.Accordion("What later releases will not have, for its author", open=False):
                markup(deprecated_html(report))
        if report.traceback:
            with gr.Accordion("What went wrong, for its author", open=False):
                gr.Code(report.traceback, language=None, label="Traceback", interactive=False, max_lines=30)
        if checks is not None:
            with gr.Accordion(f"{checks.summary} on {checks.created[:10]}", open=False):
                markup(checks_html(checks))

    def switch() -> None:
        site.workspace.registry.set_enabled(report.name, is_off)
        site.refresh()

    # The page shows the former state of the registry, so it is loaded anew.
    button.click(guard(switch), **QUIET).success(None, js=RELOAD, **QUIET)


def plugin_html(report: PluginReport, routes: Routes, checks: ConformanceReport | None = None) -> str:
    """A plugin in a few lines.

    Args:
        routes: Where its models are.
        checks: What `layerwise check-plugin` found, None when nobody has asked.
    """
    origin = "built in" if report.built_in else f'<span translate="no">{html.escape(report.source)}</span>'
    models = ", ".join(link(routes.of_model(name), name) for name in report.models)
    lines = [
        f'<h2><span translate="no">{html.escape(report.name)}</span> {badge(report.status)}{_conformance(checks)}</h2>',
        f"<p><small>{origin}</small></p>",
    ]
    if models:
        lines.append(f"<p>Models: {models}</p>")
    if report.reason:
        lines.append(f'<div class="lw-note">{html.escape(report.reason)}</div>')
    return "".join(lines)


def deprecated_html(report: PluginReport) -> str:
    """What a plugin uses that goes, with what to use in its place."""
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in report.deprecated)


def _conformance(checks: ConformanceReport | None) -> str:
    if checks is None:
        return ""
    count = len(checks.failed)
    failed = f"{count} check{'s' if count != 1 else ''} failed"
    state, words = ("passed", "conforms") if checks.conforms else ("failed", failed)
    address, title = html.escape(report_link(checks.plugin)), "The report of the checks, as Markdown"
    return f' <a href="{address}" title="{title}" class="lw-state lw-{state}">{words}</a>'


def checks_html(checks: ConformanceReport) -> str:
    """What came of each check, those of a model together, and a link to the report."""
    rows: list[list[str]] = []
    for subject in dict.fromkeys(result.subject for result in checks.results):
        rows.append([html.escape(subject)])
        rows += [
            [badge(result.status), f"{html.escape(result.check)}<br><small>{html.escape(result.detail)}</small>"]
            for result in checks.results
            if result.subject == subject
        ]
    report = link(report_link(checks.plugin), "The report as Markdown")
    return f"{table('Checks', ('', 'check'), rows)}<p>{report}</p>"
