"""Tune: search for the settings with which a network learns best."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise import jobs
from layerwise.errors import NotFoundError
from layerwise.hyperparameters import tuning
from layerwise.hyperparameters.search_space import parse_ranges, usual_ranges
from layerwise.hyperparameters.studies import ALGORITHMS
from layerwise.versions import parse_reference
from layerwise_app.web.forms import device_control
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import badge, empty, link, markup, table
from layerwise_app.web.pages import header
from layerwise_app.web.pages.own_data import choices_of, data_choice, located
from layerwise_app.web.pages.run_list import choice
from layerwise_app.web.scatter import scatter_html, value_text
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.hyperparameters.studies import Study, Trial
    from layerwise.specs import ModelSpec, Variant

POLL_SECONDS = 1.5
SHOWN_STUDIES = 50


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    summary = "Search for the settings with which a network learns best. Every trial is a run like any other."
    header.draw(site, "tune", "Tune", summary)
    page = _Page(site)
    page.draw()
    page.wire(blocks)


class _Page:
    """The components of the page, and what they do."""

    def __init__(self, site: Site) -> None:
        self.site, self.studies = site, site.workspace.studies

    def draw(self) -> None:
        """Draw what is searched at the left, and a study at the right."""
        with gr.Row(equal_height=False, elem_classes="lw-demo"):
            with gr.Column(scale=4, min_width=300):
                self._draw_form()
            with gr.Column(scale=7, min_width=300):
                self._draw_study()
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    def _draw_form(self) -> None:
        references = [str(reference) for reference in self.site.references(trainable=True)]
        self.model = gr.Dropdown(references, value=None, label="Model and network")
        self.ranges = gr.Textbox(
            label="What is searched",
            info="A line for each setting: from..to, or values between slashes. Without a line it stays as it is.",
            lines=4,
            max_lines=12,
        )
        with gr.Column(elem_classes="lw-settings"):
            self.trials = gr.Number(20, label="Trials", info="At most", precision=0)
            self.epochs = gr.Number(0, label="Epochs", info="Of each trial; 0: as usual", precision=0)
            self.algorithm = gr.Dropdown(list(ALGORITHMS), value="bayesian", label="Algorithm", info="What to try next")
            self.objective = gr.Textbox("val_loss", label="Objective", info="A metric of the epochs", max_lines=1)
            self.data = data_choice(self.site.workspace.uploads, has_usual=True)
            self.device = device_control()
        self.begin = gr.Button("Start searching", variant="primary")

    def _draw_study(self) -> None:
        self.study = gr.Dropdown([], label="Study", info="The newest is at the top", visible=False)
        self.status = markup(elem_id="study")
        self.charts = markup(elem_id="charts")
        self.table = markup(elem_id="trials")
        self.command = gr.Code(
            label="To train with the best", language=None, lines=1, interactive=False, visible=False, wrap_lines=True
        )
        with gr.Row(elem_classes="lw-actions", visible=False) as self.actions:
            self.stop = gr.Button("Stop", min_width=90)
            self.resume = gr.Button("Resume", min_width=90)
            self.promote = gr.Button("Use the best version", variant="primary", min_width=180)

    @property
    def shown(self) -> list[Any]:
        """What `look` fills."""
        parts = [self.status, self.charts, self.table, self.command, self.actions]
        return [*parts, self.stop, self.resume, self.promote, self.timer]

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components."""
        everything = [self.study, *self.shown]
        blocks.load(guard(self.open), None, [self.model, self.ranges, self.data, *everything], **QUIET)
        self.model.input(guard(self.ranges_of), self.model, self.ranges, **QUIET)
        asked = [self.model, self.ranges, self.trials, self.epochs, self.algorithm, self.objective]
        self.begin.click(guard(self.start), [*asked, self.data, self.device], everything, **QUIET)
        for changed in (self.study.input, self.timer.tick):
            changed(guard(self.look), self.study, self.shown, **QUIET)
        for button, do in ((self.stop, self.stop_study), (self.resume, self.go_on), (self.promote, self.use_best)):
            button.click(guard(do), self.study, self.shown, **QUIET)

    def open(self, request: gr.Request) -> list[Any]:
        """A page that is opened shows the model and the study of its link, or the newest ones."""
        asked, references = request.query_params.get("model", ""), self.site.references(trainable=True)
        chosen = [str(item) for item in references if asked in (str(item), item.name)] or [*map(str, references)]
        reference = chosen[0] if chosen else None
        newest = next(iter(self.studies.list()), None)
        identifier = request.query_params.get("study") or (newest.id if newest else None)
        data = gr.update(choices=choices_of(self.site.workspace.uploads, has_usual=True))
        return [reference, self.ranges_of(reference), data, *self.choose(identifier)]

    def ranges_of(self, reference: str | None) -> str:
        """The usual ranges of a model, a line for each."""
        if not reference:
            return ""
        _, variant = self._variant(reference)
        return "\n".join(f"{item.name}={item}" for item in usual_ranges(variant.config))

    def start(self, reference: str, ranges: str, trials: Any, epochs: Any, *rest: Any) -> list[Any]:
        """Start a study, and look at it."""
        algorithm, objective, data, device = rest
        spec, variant = self._variant(reference)
        found = parse_ranges(variant.config, [line for line in ranges.splitlines() if line.strip()])
        study = tuning.start(
            self.studies,
            spec,
            variant.name,
            found,
            algorithm=algorithm,
            objective=objective.strip(),
            num_trials=int(trials or 0),
            num_epochs=int(epochs) if epochs else None,
            data=located(self.site.workspace.uploads, data),
            device=device,
        )
        return self.choose(study.id)

    def choose(self, identifier: str | None) -> list[Any]:
        """Look at another study: the values of the choice and of `shown`."""
        known = self.studies.list()[:SHOWN_STUDIES]
        choices = [choice(study) for study in known]
        value = identifier if any(identifier == study.id for study in known) else None
        return [gr.update(choices=choices, value=value, visible=bool(choices)), *self.look(identifier)]

    def look(self, identifier: str | None) -> list[Any]:
        """What there is to see of a study now: the values of `shown`."""
        try:
            if not identifier:
                raise NotFoundError("There is no study yet")
            study = self.studies.get(identifier)
            spec = self.site.snapshot.model(study.name)
        except NotFoundError as error:
            hidden = gr.update(visible=False)
            said = empty(f"{error.what}.", "Choose a model, and start one: what its trials reach is drawn here.")
            return [said, "", "", hidden, hidden, *[gr.skip()] * 3, gr.Timer(active=False)]
        ranked = study.ranked()
        scored = [trial for trial in ranked if trial.score is not None]
        command = study.command(spec, scored[0]) if scored else None
        state = study.state
        return [
            status_html(study, state, ranked),
            charts_html(study, scored),
            trials_html(study, ranked),
            gr.update(value=command, visible=command is not None),
            gr.update(visible=True),
            gr.update(interactive=study.is_active and not study.stop_requested),
            gr.update(interactive=study.is_resumable),
            gr.update(interactive=bool(scored) and scored[0].run.version_folder is not None),
            gr.update(active=study.is_active),
        ]

    def stop_study(self, identifier: str) -> list[Any]:
        """Ask the study to stop; the timer shows when it did."""
        jobs.stop(self.studies.get(identifier))
        gr.Info("It stops with its current run, which keeps what it has learned.")
        return self.look(identifier)

    def go_on(self, identifier: str) -> list[Any]:
        """Let a study that ended early go on."""
        tuning.resume(self.studies.get(identifier))
        return self.look(identifier)

    def use_best(self, identifier: str) -> list[Any]:
        """Put the version of the best trial in use."""
        study = self.studies.get(identifier)
        run = study.ranked()[0].run
        self.site.workspace.versions.promote(self.site.snapshot.model(run.name), run)
        gr.Info(html.escape(f"{run.name}:{run.variant} now answers with the version {run.id}."))
        self.site.refresh()
        return self.look(identifier)

    def _variant(self, reference: str) -> tuple[ModelSpec, Variant]:
        parsed = parse_reference(reference)
        spec = self.site.snapshot.model(parsed.name)
        return spec, spec.variant(parsed.variant)


def status_html(study: Study, state: str, ranked: list[Trial]) -> str:
    """What a study is doing, in words and as a bar."""
    ended = sum(not trial.run.is_active for trial in ranked)
    best = ranked[0].score if ranked else None
    facts = [f"<b>{ended}</b> of at most {study.num_trials} trials", html.escape(study.algorithm)]
    if best is not None:
        facts.insert(1, f"best {html.escape(study.objective)} <b>{best:.4g}</b>")
    name = html.escape(f"{study.name}:{study.variant}")
    reason = f'<div class="lw-note" role="status">{html.escape(study.reason)}</div>' if study.reason else ""
    bar = f'<progress max="{study.num_trials}" value="{ended}" aria-label="Progress of the search"></progress>'
    return (
        f'<div class="lw-progress lw-panel"><p class="lw-run"><strong>{name}</strong> {badge(state)}</p>{bar}'
        f"<p>{' &middot; '.join(facts)}</p></div>{reason}"
    )


def charts_html(study: Study, scored: list[Trial]) -> str:
    """A chart for each field that is searched: the objective over its values."""
    if not scored:
        return ""
    charts = "".join(scatter_html(item, study.objective, scored) for item in study.ranges)
    hint = f"{html.escape(study.objective)} over each setting, a dot for each trial; the best one is marked."
    return f'<div class="lw-panel lw-charts lw-small">{charts}</div><p class="lw-hint">{hint}</p>'


def trials_html(study: Study, ranked: list[Trial]) -> str:
    """The trials as a table, the best first."""
    if not ranked:
        return empty("No trial yet.", "The first one begins in a few seconds.")
    names = [item.name for item in study.ranges]
    rows = [
        (
            link(f"./train?run={trial.run.id}", trial.run.id[-4:]),
            "" if trial.score is None else f"<b>{trial.score:.4g}</b>",
            *(html.escape(value_text(trial.values[name])) for name in names),
            badge(trial.run.state),
        )
        for trial in ranked
    ]
    compare = link(f"./compare?runs={','.join(trial.run.id for trial in ranked[:8])}", "Compare the best of them")
    heads = ("Run", html.escape(study.objective), *map(html.escape, names), "State")
    return table("Trials", heads, rows) + (f'<p class="lw-hint">{compare}</p>' if len(ranked) > 1 else "")
