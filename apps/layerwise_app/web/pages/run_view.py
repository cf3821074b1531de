"""The run that is looked at: its curves as they grow, and what can be done with it."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise import jobs
from layerwise.errors import NotFoundError
from layerwise.job_folders.events import ENDINGS
from layerwise.tasks.metric_names import heading
from layerwise_app.web.address import remembering
from layerwise_app.web.curves import curve, curve_html, metric_of
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import empty, link, markup
from layerwise_app.web.pages.run_list import RunList, checkpoint_age, choice
from layerwise_app.web.progress import num_epochs_of, progress_html, resumes_of
from layerwise_app.web.site import SERVER_START, Site

if TYPE_CHECKING:
    from layerwise.runs import Run

POLL_SECONDS, IDLE_SECONDS = 1.0, 5.0
"""How often a page looks while its run is going on, and otherwise: another browser may start or resume one."""
RECONNECT = Path(__file__).parents[1].joinpath("reconnect.js").read_text(encoding="utf-8")


class RunView:
    """The components of a run, and what they do. All that is shown is read from the run's folder."""

    def __init__(self, site: Site) -> None:
        self.site, self.runs = site, site.workspace.runs
        self.list = RunList(site.workspace)

    def draw(self) -> None:
        """Draw the run."""
        self.run = gr.Dropdown([], label="Run", info="The newest is at the top", visible=False)
        with gr.Column(elem_classes="lw-panel lw-live"):
            self.progress = markup(elem_id="progress")
            self.loss = markup(elem_id="loss")
            self.metric = markup(elem_id="metric")
        with gr.Row(elem_classes="lw-actions", visible=False) as self.actions:
            self.stop = gr.Button("Stop", interactive=False, min_width=90)
            self.resume = gr.Button("Resume", interactive=False, min_width=90)
            self.promote = gr.Button("Use this version", variant="primary", interactive=False, min_width=150)
            self.rollback = gr.Button("Roll back", interactive=False, min_width=110)
            self.delete = gr.Button("Delete", interactive=False, min_width=90)
        with gr.Row(visible=False, elem_classes="lw-confirm") as self.confirm:
            self.question = markup()
            self.really = gr.Button("Delete it", variant="stop", min_width=110, scale=0)
            self.keep = gr.Button("Keep it", min_width=110, scale=0)
        with gr.Accordion("What its process printed", open=False) as self.printed:
            self.log = gr.Code(label="Log", language=None, interactive=False, max_lines=20)
            self.read_log = gr.Button("Read again", size="sm")
        self.timer = gr.Timer(IDLE_SECONDS)
        markup("", js_on_load=RECONNECT.replace("SERVER_START", SERVER_START))

    def draw_list(self) -> None:
        """Draw the list of all runs."""
        markup(f"<h2>Runs</h2><p>{link('./compare', 'Compare runs')}</p>")
        self.table = markup(elem_id="runs")

    @property
    def shown(self) -> list[Any]:
        """What `look` fills."""
        buttons = [self.stop, self.resume, self.promote, self.rollback, self.delete]
        return [self.progress, self.loss, self.metric, self.actions, *buttons, self.confirm, self.table, self.timer]

    @property
    def everything(self) -> list[Any]:
        """What `choose` fills."""
        return [self.run, *self.shown]

    def wire(self) -> None:
        """Connect the components."""
        self.run.input(guard(self.look), self.run, self.shown, **QUIET)
        self.timer.tick(guard(self.look), self.run, self.shown, **QUIET)
        self.stop.click(guard(self.stop_run), self.run, self.shown, **QUIET)
        self.run.change(None, self.run, None, js=remembering("run"), **QUIET)
        self.resume.click(guard(self.resume_run), self.run, self.shown, **QUIET)
        self.promote.click(guard(self.promote_run), self.run, self.shown, **QUIET)
        self.rollback.click(guard(self.roll_back), self.run, self.shown, **QUIET)
        self.delete.click(guard(self.ask), self.run, [self.confirm, self.question], **QUIET)
        self.keep.click(lambda: gr.update(visible=False), None, self.confirm, **QUIET)
        self.really.click(guard(self.delete_run), self.run, self.everything, **QUIET)
        for asked in (self.printed.expand, self.read_log.click, self.run.change):
            asked(guard(self.log_of), self.run, self.log, **QUIET)

    def choose(self, identifier: str | None) -> list[Any]:
        """Look at another run: the values of `everything`."""
        choices = [choice(run) for run in self.list.newest()]
        known = any(identifier == value for _, value in choices)
        run = gr.update(choices=choices, value=identifier if known else None, visible=bool(choices))
        return [run, *self.look(identifier)]

    def look(self, identifier: str | None) -> list[Any]:
        """What there is to see of a run now: the values of `shown`."""
        try:
            if not identifier:
                raise NotFoundError("There is no run yet")
            run = self.runs.get(identifier)
        except NotFoundError as error:
            hint = "Choose a model, and start one: its curves grow here while it learns."
            off, hidden = gr.update(interactive=False), gr.update(visible=False)
            said = empty(f"{error.what}.", hint)
            table, timer = self.list.table_html(), gr.Timer(IDLE_SECONDS)
            return [said, "", "", hidden, *[off] * 5, hidden, table, timer]
        found = self.list.outline(run)
        is_active = found["state"] not in ENDINGS
        enabled = (
            is_active and not run.stop_requested,
            found["is_resumable"],
            found["has_version"] and not self.list.is_promoted(run),
            self.list.has_former(run),
            not is_active,
        )
        return [
            *self._drawn(run, found),
            gr.update(visible=True),
            *(gr.update(interactive=is_enabled) for is_enabled in enabled),
            gr.update(visible=False) if is_active else gr.skip(),
            self.list.table_html(),
            gr.Timer(POLL_SECONDS if is_active else IDLE_SECONDS),
        ]

    def _drawn(self, run: Run, found: dict[str, Any]) -> list[str]:
        """The progress, the curve of the loss, and that of the first metric if there is one."""
        events = self.runs.course(run).events()
        progress = progress_html(run, found["state"], events) + _note(found) + self._way_to_demo(run)
        # While it runs the axis is as long as the run will be, afterwards as long as it was.
        num_epochs = 0 if found["state"] in ENDINGS else num_epochs_of(run, events)
        metric, resumes = metric_of(events), resumes_of(events)
        drawn = [("Loss", "loss"), *([(heading(metric), metric)] if metric else [])]
        curves = [curve_html(title, curve(events, name), num_epochs, resumes) for title, name in drawn]
        return [progress, *curves, *[""] * (2 - len(curves))]

    def _way_to_demo(self, run: Run) -> str:
        """Where the version of the run answers, once it is in use."""
        if run.name not in self.site.snapshot.models or not self.list.is_promoted(run):
            return ""
        return f'<p class="lw-links">In use. {link(self.site.routes.of_model(run.name, run.variant), "Try it")}</p>'

    def stop_run(self, identifier: str) -> list[Any]:
        """Ask the run to stop; the timer shows when it did."""
        jobs.stop(self.runs.get(identifier))
        gr.Info("It stops after the current step and keeps what it has learned.")
        return self.look(identifier)

    def resume_run(self, identifier: str) -> list[Any]:
        """Let the run go on from its newest checkpoint."""
        jobs.resume(self.runs.get(identifier))
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
        left = self.list.newest()
        values = self.choose(left[0].id if left else None)
        values[self.everything.index(self.confirm)] = gr.update(visible=False)
        return values

    def log_of(self, identifier: str | None) -> str:
        """The end of what the run's process printed."""
        if not identifier:
            return ""
        return self.runs.get(identifier).log_text()[-20_000:] or "It has printed nothing."


def _note(found: dict[str, Any]) -> str:
    """Why a run ended before its time, and what a resume would do."""
    if not found["is_resumable"]:
        return ""
    age = checkpoint_age(found)
    hint = f"Resume goes on from its checkpoint of {age}." if age else "Without a checkpoint yet, Resume begins anew."
    return f'<div class="lw-note" role="status">{html.escape(found["reason"])} {hint}</div>'
