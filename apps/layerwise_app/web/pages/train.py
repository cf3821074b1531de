"""Train: choose a model, set it up, watch it learn, and put the result in use."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise import jobs
from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.versions import parse_reference
from layerwise_app.web.curves import curve, metric_of, progress_html
from layerwise_app.web.forms import control_of, ordered_settings, read_config
from layerwise_app.web.guard import guard
from layerwise_app.web.pages import header
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.runs import Run
    from layerwise.specs import ModelSpec

POLL_SECONDS = 1.0
SHOWN_RUNS = 50
QUIET: Any = {"show_progress": "hidden", "api_visibility": "private"}
COLORS = {"training": "#23988c", "validation": "#c77d1e"}


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    header.draw(site, "train", "Train", "Every network here can be trained again, on its own data or on yours.")
    page = _Page(site)
    with gr.Row(equal_height=False, elem_classes="lw-demo"):
        with gr.Column(scale=2, min_width=300):
            page.draw_setup()
        with gr.Column(scale=3, min_width=300):
            page.draw_run()
    page.draw_list()
    page.wire(blocks)


class _Page:
    """The components of the page, and what they do. All that is shown of runs is read from their folders."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.runs = site.workspace.runs

    def draw_setup(self) -> None:
        """The form: its fields follow the model."""
        references = [str(reference) for reference in self.site.references()]
        self.model = gr.Dropdown(references, value=references[0] if references else None, label="Model and variant")
        self.data = gr.Textbox(
            label="Folder with your own data",
            info="A path on the machine of the server. Empty: the data that the model was made with.",
            max_lines=1,
        )
        self.form = gr.Column()

    def draw_run(self) -> None:
        """The run that is looked at, live."""
        self.run = gr.Dropdown([], label="Run", info="The newest is at the top")
        self.progress = gr.HTML(padding=False, elem_classes="lw-live")
        self.loss = self._plot("Loss")
        self.metric = self._plot("Metric")
        with gr.Row():
            self.stop = gr.Button("Stop", interactive=False)
            self.promote = gr.Button("Use this version", variant="primary", interactive=False)
            self.rollback = gr.Button("Back to the former version", interactive=False)
            self.delete = gr.Button("Delete", interactive=False)
        with gr.Row(visible=False, elem_classes="lw-confirm") as self.confirm:
            self.question = gr.HTML(padding=False)
            self.really = gr.Button("Delete it", variant="stop")
            self.keep = gr.Button("Keep it")
        with gr.Accordion("What its process printed", open=False):
            self.log = gr.Code(label="Log", language=None, interactive=False, max_lines=20)
            self.read_log = gr.Button("Read again", size="sm")
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    @staticmethod
    def _plot(label: str) -> gr.LinePlot:
        return gr.LinePlot(
            x="epoch",
            y="value",
            color="data",
            color_map=COLORS,
            label=label,
            x_title="Epoch",
            y_title=label,
            height=220,
            tooltip="all",
            elem_classes="lw-plot",
        )

    def draw_list(self) -> None:
        """All runs."""
        gr.HTML("<h2>Runs</h2>", padding=False)
        self.table = gr.HTML(padding=False, elem_id="runs")

    @property
    def shown(self) -> list[Any]:
        """What `look` fills."""
        return [
            self.progress,
            self.loss,
            self.metric,
            self.stop,
            self.promote,
            self.rollback,
            self.delete,
            self.confirm,
            self.table,
            self.timer,
        ]

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components."""
        everything = [self.run, *self.shown]
        blocks.load(guard(self.open), None, [self.model, *everything], **QUIET)
        self.run.input(guard(self.look), self.run, self.shown, **QUIET)
        self.timer.tick(guard(self.look), self.run, self.shown, **QUIET)
        self.stop.click(guard(self.stop_run), self.run, self.shown, **QUIET)
        self.promote.click(guard(self.promote_run), self.run, self.shown, **QUIET)
        self.rollback.click(guard(self.roll_back), self.run, self.shown, **QUIET)
        self.delete.click(guard(self.ask), self.run, [self.confirm, self.question], **QUIET)
        self.keep.click(lambda: gr.update(visible=False), None, self.confirm, **QUIET)
        self.really.click(guard(self.delete_run), self.run, everything, **QUIET)
        self.read_log.click(guard(self.log_of), self.run, self.log, **QUIET)
        with self.form:
            gr.render(inputs=self.model, show_progress="hidden")(self.draw_form)

    def draw_form(self, reference: str | None) -> None:
        """The settings of the chosen variant, and the button that starts."""
        if not reference:
            gr.HTML('<div class="lw-empty">There is no model to train.</div>', padding=False)
            return
        spec, variant = self._variant(reference)
        basic, advanced = ordered_settings(spec)
        with gr.Group():
            controls = [control_of(item, getattr(variant.config, item.name)) for item in basic]
        with gr.Accordion("More settings", open=False):
            controls += [control_of(item, getattr(variant.config, item.name)) for item in advanced]
        if type(spec.task).folder_format:
            with gr.Accordion("How a folder with your own data must look", open=False):
                gr.Markdown(type(spec.task).folder_format)
        start = gr.Button("Start training", variant="primary")

        def begin(reference: str, data: str, *values: Any) -> list[Any]:
            config = read_config(spec, [*basic, *advanced], values)
            run = jobs.start(self.runs, spec, variant=variant.name, config=config, data=data.strip() or None)
            return [self._choices(run.id), *self.look(run.id)]

        start.click(guard(begin), [self.model, self.data, *controls], [self.run, *self.shown], **QUIET)

    def _variant(self, reference: str) -> tuple[ModelSpec, Any]:
        parsed = parse_reference(reference)
        spec = self.site.snapshot.model(parsed.name)
        return spec, spec.variant(parsed.variant)

    def open(self, request: gr.Request) -> list[Any]:
        """A page that is opened shows the model of its link, and the run that is going on, if there is one."""
        asked = request.query_params.get("model", "")
        chosen = [str(reference) for reference in self.site.references() if asked in (str(reference), reference.name)]
        runs = self.runs.list()[:SHOWN_RUNS]
        active = next((run for run in runs if run.is_active), runs[0] if runs else None)
        identifier = request.query_params.get("run") or (active.id if active else None)
        return [
            gr.update(value=chosen[0]) if chosen else gr.skip(),
            self._choices(identifier),
            *self.look(identifier),
        ]

    def _choices(self, identifier: str | None) -> dict:
        choices = [(f"{run.name}:{run.variant}, {_when(run)}", run.id) for run in self.runs.list()[:SHOWN_RUNS]]
        known = any(identifier == value for _, value in choices)
        return gr.update(choices=choices, value=identifier if known else None)

    def look(self, identifier: str | None) -> list[Any]:
        """What there is to see of a run now: the values of `shown`."""
        table = self.runs_html()
        try:
            if not identifier:
                raise NotFoundError("There is no run yet")
            run = self.runs.get(identifier)
        except NotFoundError as error:
            empty = f'<div class="lw-empty">{html.escape(error.what)}. Choose a model and start one.</div>'
            off = gr.update(interactive=False)
            return [
                empty,
                None,
                gr.update(value=None),
                off,
                off,
                off,
                off,
                gr.update(visible=False),
                table,
                gr.Timer(active=False),
            ]
        state = run.state
        is_active = state in ("queued", "running")
        events = run.events()
        metric = metric_of(events)
        shown_metric = gr.update(visible=False)
        if metric is not None:
            title = metric.replace("_", " ").capitalize()
            shown_metric = gr.update(value=curve(events, metric), visible=True, label=title, y_title=title)
        progress = progress_html(run, state, events)
        if run.reason:
            progress += f'<div class="lw-note" role="status">{html.escape(run.reason)}</div>'
        return [
            progress,
            curve(events, "loss"),
            shown_metric,
            gr.update(interactive=is_active and not run.stop_requested),
            gr.update(interactive=run.version_folder is not None and not self._is_promoted(run)),
            gr.update(interactive=self._has_former(run)),
            gr.update(interactive=not is_active),
            gr.update(visible=False) if is_active else gr.skip(),
            table,
            gr.update(active=is_active),
        ]

    def stop_run(self, identifier: str) -> list[Any]:
        """Ask the run to stop; the timer shows when it did."""
        jobs.stop(self.runs.get(identifier))
        gr.Info("It stops after the current step and keeps what it has learned.")
        return self.look(identifier)

    def promote_run(self, identifier: str) -> list[Any]:
        """Put the run's version in use."""
        run = self.runs.get(identifier)
        self.site.workspace.versions.promote(self.site.snapshot.model(run.name), run)
        gr.Info(html.escape(f"{run.name}:{run.variant} now answers with this version."))
        self.site.refresh()
        return self.look(identifier)

    def roll_back(self, identifier: str) -> list[Any]:
        """Put the version in use that was in use before."""
        run = self.runs.get(identifier)
        version = self.site.workspace.versions.rollback(self.site.snapshot.model(run.name), run.variant)
        gr.Info(html.escape(f"{run.name}:{run.variant} answers with the version {version.id} again."))
        self.site.refresh()
        return self.look(identifier)

    def ask(self, identifier: str) -> list[Any]:
        """Ask before deleting."""
        run = self.runs.get(identifier)
        text = f"Delete the run {run.id} with its weights and its log?"
        return [gr.update(visible=True), f'<p class="lw-question">{html.escape(text)}</p>']

    def delete_run(self, identifier: str) -> list[Any]:
        """Delete the run, and look at the newest one that is left."""
        self.runs.delete(identifier)
        left = self.runs.list()
        newest = left[0].id if left else None
        values = self.look(newest)
        values[self.shown.index(self.confirm)] = gr.update(visible=False)
        return [self._choices(newest), *values]

    def log_of(self, identifier: str | None) -> str:
        """The end of what the run's process printed."""
        return self.runs.get(identifier).log_text()[-20_000:] if identifier else ""

    def _is_promoted(self, run: Run) -> bool:
        try:
            return self.site.workspace.versions.is_promoted(run)
        except LayerwiseError:
            return False  # the pointer is unreadable: promoting again writes a good one

    def _has_former(self, run: Run) -> bool:
        try:
            return bool(self.site.workspace.versions.history(run.name, run.variant))
        except LayerwiseError:
            return False

    def runs_html(self) -> str:
        """All runs as a table."""
        rows = "".join(self._row(run) for run in self.runs.list()[:SHOWN_RUNS])
        if not rows:
            return '<div class="lw-empty">No run yet.</div>'
        head = "".join(f"<th scope=col>{name}</th>" for name in ("Run", "Model", "State", "Epochs", "Result", ""))
        return f'<div class="lw-scroll" tabindex="0"><table class="lw-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'

    def _row(self, run: Run) -> str:
        state, history = run.state, run.history()
        in_use = '<span class="lw-badge">in use</span>' if self._is_promoted(run) else ""
        reason = (
            f"<br><small>{html.escape(run.reason[:200])}</small>"
            if state in ("failed", "stopped") and run.reason
            else ""
        )
        link = f'<a href="./train?run={html.escape(run.id)}">{html.escape(_when(run))}</a>'
        cells = (
            link,
            html.escape(f"{run.name}:{run.variant}"),
            f'<span class="lw-state lw-{html.escape(state)}">{html.escape(state)}</span>{reason}',
            f"{len(history)} of {html.escape(str(run.config.get('num_epochs', '?')))}",
            html.escape(_result(history)),
            in_use,
        )
        return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _when(run: Run) -> str:
    return run.created.replace("T", " ")[:19] + f" ({run.id[-4:]})"


def _result(history: list[dict[str, Any]]) -> str:
    if not history:
        return ""
    metric = metric_of(history)
    names = [name for name in (f"val_{metric}", metric, "loss") if name in history[-1]]
    return f"{names[0].replace('val_', 'validation ').replace('_', ' ')} {history[-1][names[0]]:.4g}" if names else ""
