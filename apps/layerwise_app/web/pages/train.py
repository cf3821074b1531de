"""Train: choose a model, set it up, watch it learn, and put the result in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise import jobs
from layerwise.fine_tuning import find_start, usual_config
from layerwise.versions import parse_reference
from layerwise_app.web.access.asking import asker, named_cluster
from layerwise_app.web.forms import (
    cluster_controls,
    control_of,
    device_control,
    ordered_settings,
    read_config,
    start_control,
    value_of,
)
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import empty, markup
from layerwise_app.web.pages import header
from layerwise_app.web.pages.own_data import OwnData, located
from layerwise_app.web.pages.run_view import RunView
from layerwise_app.web.site import Site
from layerwise_app.web.typed import TAKE, form_of, keep, restore

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec, Variant


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    header.draw(site, "train", "Train", "Every network here can be trained again, on its own data or on yours.")
    view = RunView(site)
    with gr.Row(equal_height=False, elem_classes="lw-demo"):
        with gr.Column(scale=5, min_width=300):
            setup = _Setup(site, view)
            setup.draw()
        with gr.Column(scale=6, min_width=300):
            view.draw()
    view.draw_list()
    view.wire()
    blocks.load(guard(setup.open), setup.typed, [setup.model, setup.typed, *view.everything], js=TAKE, **QUIET)
    setup.wire(blocks)


class _Setup:
    """What is trained, and how."""

    def __init__(self, site: Site, view: RunView) -> None:
        self.site, self.view = site, view

    def draw(self) -> None:
        """The choice of the model; the form follows it."""
        references = [str(reference) for reference in self.site.references(trainable=True)]
        # Empty until `open` knows which model was asked for: the form would be drawn twice.
        self.model = gr.Dropdown(references, value=None, label="Model and network")
        # What was typed before the server was restarted.
        self.typed = gr.Textbox(visible=False)
        self.form = gr.Column()

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components, once those of the run are there."""
        with self.form:
            # Not when `typed` comes: the model comes with it, and the form would be drawn twice.
            drawing = [blocks.load, self.model.change]
            gr.render([self.model, self.typed], drawing, show_progress="hidden")(self.draw_form)

    def open(self, typed: str, request: gr.Request) -> list[Any]:
        """A page that is opened shows the model of its link, and the run that is going on, if there is one."""
        runs = self.view.list.newest()
        shown = next((run for run in runs if run.id == request.query_params.get("run")), None)
        asked = form_of(typed) or request.query_params.get("model")
        asked = asked or (f"{shown.name}:{shown.variant}" if shown else "")
        references = self.site.references(trainable=True)
        chosen = [str(item) for item in references if asked in (str(item), item.name)] or [*map(str, references)]
        active = next((run for run in runs if run.is_active), runs[0] if runs else None)
        identifier = request.query_params.get("run") or (active.id if active else None)
        return [chosen[0] if chosen else None, typed, *self.view.choose(identifier)]

    def draw_form(self, reference: str | None, typed: str) -> None:
        """The settings of the chosen variant, and the button that starts."""
        if not reference:
            if not self.site.references(trainable=True):
                markup(empty("There is no model to train."))
            return
        spec, variant = self._variant(reference)
        basic, advanced = ordered_settings(spec)
        with gr.Column(elem_classes="lw-settings"):
            controls = [control_of(item, getattr(variant.config, item.name)) for item in basic]
            device = device_control()
            start_from = start_control(self._starts(spec, variant))
        with gr.Accordion("More settings", open=False), gr.Column(elem_classes="lw-settings"):
            controls += [control_of(item, getattr(variant.config, item.name)) for item in advanced]
        with gr.Accordion("Several machines", open=False), gr.Column(elem_classes="lw-settings"):
            cluster, workers = cluster_controls()
        own_data = OwnData(self.site, spec, variant)
        data = own_data.draw()
        start = gr.Button("Start training", variant="primary")
        everything = [data, start_from, device, cluster, workers, *controls]
        settings = [*basic, *advanced]
        form = [reference, "data", "start_from", "device", "cluster", "workers", *(item.name for item in settings)]
        restore(typed, form, everything)
        keep(form, everything)

        def usual(word: str) -> list[Any]:
            config = usual_config(variant, find_start(self.site.workspace.versions, spec, variant.name, word))
            return [value_of(item, getattr(config, item.name)) for item in settings]

        def begin(
            data: str | None, word: str, device: str, cluster: str, workers: int | None, *values: Any
        ) -> list[Any]:
            run = jobs.start(
                self.view.runs,
                spec,
                variant=variant.name,
                config=read_config(spec, settings, values),
                data=located(self.site.workspace.uploads, data),
                start_from=find_start(self.site.workspace.versions, spec, variant.name, word),
                device=device,
                cluster=named_cluster(cluster),
                workers=workers if cluster.strip() else None,
                by=asker(),
            )
            return self.view.choose(run.id)

        start_from.input(guard(usual), start_from, controls, **QUIET)
        start.click(guard(begin), everything, self.view.everything, **QUIET)

    def _starts(self, spec: ModelSpec, variant: Variant) -> list[str]:
        """The ids of the versions that a training can begin with."""
        if spec.train is not None:
            return []
        return [version.id for version in self.site.workspace.versions.list(spec, variant.name)]

    def _variant(self, reference: str) -> tuple[ModelSpec, Variant]:
        parsed = parse_reference(reference)
        spec = self.site.snapshot.model(parsed.name)
        return spec, spec.variant(parsed.variant)
