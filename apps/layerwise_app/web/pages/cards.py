"""What is known of a model, as text: its card, its measured figures, how to call it."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from layerwise import stored_plots
from layerwise.conformance.report import ReportStore
from layerwise.errors import LayerwiseError
from layerwise.stored_plots import REPORT
from layerwise.versions import Reference
from layerwise_app.web.api_plugins import report_link
from layerwise_app.web.figures import figures_markdown, main_figure
from layerwise_app.web.plots import plots_html
from layerwise_app.web.visuals import load_examples

if TYPE_CHECKING:
    from layerwise.plugins.loading import PluginReport
    from layerwise.specs import ModelSpec
    from layerwise.tasks.fields import Field
    from layerwise.versions import Version
    from layerwise_app.web.site import Site


def version_in_use(site: Site, spec: ModelSpec, variant: str | None = None) -> Version | None:
    """The version that answers for a model; None when it has no usable weights."""
    try:
        return site.predictor.version(Reference(spec.name, variant))
    except LayerwiseError:
        return None


def main_metric(site: Site, spec: ModelSpec) -> str:
    """The figure on a model's card: "test accuracy 93.5%", or that it has no weights yet."""
    version = version_in_use(site, spec)
    return main_figure(spec, version) if version is not None else "no weights yet"


def card_markdown(site: Site, spec: ModelSpec) -> str:
    """The model card: how it works, its figures, its limits, its licence and sources."""
    card, plugin = spec.card, site.snapshot.plugin_of(spec.name)
    versions = {variant.name: version_in_use(site, spec, variant.name) for variant in spec.variants}
    parts = [card.description, figures_markdown(versions)]
    if plugin is not None and plugin.reason:
        parts.insert(0, f"**Its plugin failed.** {plugin.reason}")
    if card.limits:
        parts.append(f"**Limits.** {card.limits}")
    if plugin is not None:
        parts.append(_checks_markdown(site, plugin))
    parts.append(f"**Licence of the weights:** {card.licence}")
    if card.sources:
        parts.append("**Sources:**\n\n" + "\n".join(f"- {source}" for source in card.sources))
    return "\n\n".join(part for part in parts if part)


def _checks_markdown(site: Site, plugin: PluginReport) -> str:
    """What `layerwise check-plugin` has found of the plugin, with a link to its report; empty when nobody has asked."""
    checks = ReportStore(home=site.workspace.home).find(plugin.name, plugin.source)
    if checks is None:
        return ""
    words = "conforms" if checks.conforms else "does not conform"
    link = f"[the report]({report_link(plugin.name)})"
    return f"**Checked** on {checks.created[:10]}: its plugin {words}, {checks.summary} ({link})."


def reports_html(site: Site, spec: ModelSpec) -> str:
    """What was seen of each network on its test set, behind a line to open; empty where nothing was kept."""
    found = []
    for variant in spec.variants:
        version = version_in_use(site, spec, variant.name)
        shown = stored_plots.read(version.folder, REPORT).get(REPORT) if version is not None else None
        if shown:
            name = f" of {variant.name}" if len(spec.variants) > 1 else ""
            summary = f"<summary>How it did on its test{html.escape(name)}</summary>"
            found.append(f'<details class="lw-report">{summary}{plots_html(shown)}</details>')
    return "".join(found)


def sample_inputs(fields: tuple[Field, ...]) -> dict[str, object]:
    """Inputs as JSON, of the right form, for the snippets."""
    samples: dict[str, object] = {"text": "Hello", "number": 1.0, "files": ["<file in base64>"]}
    files = ("image", "sketch", "audio", "video", "file")
    found: dict[str, object] = {}
    for field in fields:
        if field.kind in files:
            found[field.name] = f"<{field.kind} file in base64>"
        elif field.kind == "choice":
            found[field.name] = field.choices[0]
        elif field.kind == "table":
            found[field.name] = sample_inputs(field.columns)
        else:
            found[field.name] = samples.get(field.kind, {})
    return found


def _asked(spec: ModelSpec) -> tuple[tuple[Field, ...], dict[str, object]]:
    """The fields that a call needs, the first one where none is needed, and values for them: texts are those of the
    model's first example."""
    fields = tuple(field for field in spec.task.inputs if not field.optional) or tuple(spec.task.inputs[:1])
    example = next(iter(load_examples(spec)), None)
    texts = {
        field.name: example.inputs[field.name]
        for field in fields
        if example is not None and field.kind == "text" and isinstance(example.inputs.get(field.name), str)
    }
    return fields, {**sample_inputs(fields), **texts}


def curl_snippet(site: Site, spec: ModelSpec) -> str:
    """A call of the HTTP API from a shell. A single file is sent as it is, anything else as JSON."""
    url = f"{site.address}/api/v1/predict/{spec.name}"
    fields, values = _asked(spec)
    if len(fields) == 1 and fields[0].kind in ("image", "audio", "video", "file"):
        name = {"image": "picture.png", "audio": "speech.wav", "video": "clip.mp4", "file": "data.bin"}[fields[0].kind]
        return f"curl -F {fields[0].name}=@{name} {url}"
    body = json.dumps({"inputs": values})
    quoted = body.replace("'", "'\\''")
    return f"curl -H 'Content-Type: application/json' \\\n  -d '{quoted}' \\\n  {url}"


def client_snippet(site: Site, spec: ModelSpec) -> str:
    """A call from Python on any machine."""
    return (
        "from layerwise.client import Client\n\n"
        f"with Client({json.dumps(site.address)}) as client:\n"
        f"    print(client.predict({json.dumps(spec.name)}, {_python_inputs(spec)!r}))"
    )


def python_snippet(spec: ModelSpec) -> str:
    """A call from Python, without a server."""
    inputs = _python_inputs(spec)
    return (
        "from layerwise.workspace import open_workspace\n\n"
        "with open_workspace() as workspace:\n"
        f"    print(workspace.predictor.predict({json.dumps(spec.name)}, {inputs!r}))"
    )


def _python_inputs(spec: ModelSpec) -> dict[str, object]:
    fields, values = _asked(spec)
    files: dict[str, object] = {
        "image": "picture.png",
        "audio": "speech.wav",
        "video": "clip.mp4",
        "file": "data.bin",
        "files": ["one.png", "two.png"],
    }
    return {name: files.get(field.kind, value) for field, (name, value) in zip(fields, values.items(), strict=True)}


def model_card_html(site: Site, spec: ModelSpec, visual: str) -> str:
    """A model as a card of the gallery, linked to its demo.

    Args:
        visual: The upper part of the card, as HTML.
    """
    facts = [main_metric(site, spec)]
    if len(spec.variants) > 1:
        facts.append(f"{len(spec.variants)} networks")
    shown = "".join(f"<span>{html.escape(fact)}</span>" for fact in facts if fact)
    return (
        f'<a class="lw-card" href="{html.escape(site.routes.of_model(spec.name))}">{visual}'
        f'<div class="lw-card-text"><h3>{html.escape(spec.card.title)}</h3><p>{html.escape(spec.card.summary)}</p>'
        f'<div class="lw-facts">{shown}</div></div></a>'
    )
