"""Compare: runs over each other, what differs between them, and what they reach on examples they have not seen."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import gradio as gr

from layerwise.comparing.comparison import contrasts, differences
from layerwise.comparing.measurement import Measurement, start_measuring
from layerwise.errors import NotFoundError
from layerwise.job_folders.events import metrics_of
from layerwise.tasks.metric_names import heading
from layerwise.tasks.metric_values import with_interval
from layerwise_app.web.address import remembering
from layerwise_app.web.curves import bare, curve, overlay_html
from layerwise_app.web.figures import figure_html
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import empty, link, markup, table
from layerwise_app.web.pages import header
from layerwise_app.web.pages.run_list import RunList, choice
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.comparing.comparison import Contrast
    from layerwise.runs import Run

MAX_RUNS = 8
"""As many as there are colours that everybody can tell apart."""
POLL_SECONDS = 1.5


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    summary = "Runs over each other: their curves, what differs between them, and what they reach on new examples."
    header.draw(site, "compare", "Compare", summary)
    page = _Page(site)
    page.draw()
    page.wire(blocks)


class _Page:
    """The components of the page, and what they do."""

    def __init__(self, site: Site) -> None:
        self.store, self.snapshot = site.workspace.runs, site.snapshot
        self.list = RunList(site.workspace)

    def draw(self) -> None:
        """Draw the choice of the runs, and below it what there is to see of them."""
        with gr.Row(equal_height=False, elem_classes="lw-choice"):
            self.runs = gr.Dropdown(
                [], value=[], multiselect=True, max_choices=MAX_RUNS, label="Runs", info=f"Two to {MAX_RUNS}", scale=5
            )
            self.axis = gr.Radio(
                [("Epochs", "epoch"), ("Time", "time")], value="epoch", label="Horizontal axis", scale=1, min_width=230
            )
        self.legend = markup(elem_id="compared")
        self.curves = markup(elem_id="curves")
        self.differences = markup(elem_id="differences")
        self.measured = markup(elem_id="measured")
        with gr.Row(visible=False, elem_classes="lw-actions") as self.actions:
            self.measure = gr.Button("Measure on held-out examples", variant="primary", min_width=280, scale=0)
            self.export = markup(elem_id="export")
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    @property
    def shown(self) -> list[Any]:
        """What `look` fills."""
        parts = [self.legend, self.curves, self.differences, self.measured]
        return [*parts, self.actions, self.measure, self.export, self.timer]

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components."""
        asked = [self.runs, self.axis]
        blocks.load(guard(self.open), None, [*asked, *self.shown], **QUIET)
        for changed in (self.runs.input, self.axis.input, self.timer.tick):
            changed(guard(self.look), asked, self.shown, **QUIET)
        for changed in (self.runs.input, self.axis.input):
            changed(None, asked, None, js=remembering("runs", "axis"), **QUIET)
        self.measure.click(guard(self.start), asked, self.shown, **QUIET)

    def open(self, request: gr.Request) -> list[Any]:
        """A page that is opened shows the runs of its link."""
        asked = [name for name in request.query_params.get("runs", "").split(",") if name]
        axis = "time" if request.query_params.get("axis") == "time" else "epoch"
        chosen = self._find(asked)[:MAX_RUNS]
        listed = {run.id: run for run in (*self.list.newest(), *chosen)}
        choices = [choice(run) for run in listed.values()]
        identifiers = [run.id for run in chosen]
        return [gr.update(choices=choices, value=identifiers), axis, *self.look(identifiers, axis)]

    def _find(self, identifiers: Sequence[str]) -> list[Run]:
        """The runs with these ids; those that were deleted since are left out."""
        found = {}
        for identifier in identifiers:
            try:
                run = self.store.get(identifier)
            except NotFoundError:
                continue
            found[run.id] = run
        return list(found.values())

    def look(self, identifiers: Sequence[str], axis: str) -> list[Any]:
        """What there is to see of the runs now: the values of `shown`."""
        runs = self._find(identifiers)
        if len(runs) < 2:
            said = empty("Choose two runs or more.", "Their curves are drawn over each other here.")
            if len(self.list.newest()) < 2:
                said = empty("There is nothing to compare yet.", f"{link('./train', 'Train')} a network twice.")
            hidden = gr.update(visible=False)
            return [said, "", "", "", hidden, gr.skip(), "", gr.Timer(active=False)]
        progress = [Measurement(run).progress for run in runs]
        missing = [run for run in runs if run.version_folder is not None and Measurement(run).result is None]
        is_measuring = any(progress)
        return [
            self._legend(runs),
            curves_html([self.store.course(run).events() for run in runs], axis),
            differences_html(runs),
            measured_html(runs),
            gr.update(visible=True),
            gr.update(visible=bool(missing), interactive=not is_measuring),
            export_html(runs),
            gr.update(active=is_measuring or any(run.is_active for run in runs)),
        ]

    def start(self, identifiers: Sequence[str], axis: str) -> list[Any]:
        """Measure what is not measured yet; the timer shows how far it is."""
        start_measuring(self._find(identifiers))
        return self.look(identifiers, axis)

    def _legend(self, runs: Sequence[Run]) -> str:
        rows = [self.list.row(run) for run in runs]
        numbered = [(f"{number(index)} {first}", *others) for index, (first, *others) in enumerate(rows, 1)]
        return table("Compared runs", self.list.COLUMNS, numbered)


def number(index: int) -> str:
    """The number of a run in its colour, as it stands at the end of its curves."""
    return f'<i class="lw-number lw-run-{index}">{index}</i>'


def curves_html(runs: Sequence[list[dict[str, Any]]], axis: str) -> str:
    """A chart for the loss and each metric that the runs report.

    Args:
        runs: The events of each.
        axis: As for `layerwise_app.web.curves.curve`.
    """
    epochs = (event for events in runs for event in events if event["event"] == "epoch")
    names = dict.fromkeys(("loss", *(bare(name) for event in epochs for name in metrics_of(event))))
    charts = [
        overlay_html(heading(name), [curve(events, name, axis=axis) for events in runs], axis=axis) for name in names
    ]
    hint = "Validation, and training dashed."
    return f'<div class="lw-panel lw-charts">{"".join(charts)}</div><p class="lw-hint">{hint}</p>'


def differences_html(runs: Sequence[Run]) -> str:
    """A table of what the runs were asked for differently, and made with."""
    found = differences(runs)
    if not found:
        return "<h2>What differs</h2>" + empty("Nothing.", "They were asked for the same, on the same machine.")
    heads = ("", *(number(index) for index in range(1, len(runs) + 1)))
    rows = [
        (f"<code>{html.escape(item.name)}</code>", *(f"{html.escape(_in_words(value))}" for value in item.values))
        for item in found
    ]
    return f"<h2>What differs</h2>{table('What differs', heads, rows)}"


def _in_words(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def measured_html(runs: Sequence[Run]) -> str:
    """A table of what the versions of the runs reach on examples that they were not trained on, and whether each
    differs from the first by more than chance."""
    results = [Measurement(run).result for run in runs]
    said = contrasts(runs)
    names = dict.fromkeys(name for result in results if result for name in result["metrics"])
    rows = []
    for index, (run, result) in enumerate(zip(runs, results, strict=True), 1):
        if result is None:
            cells = [_not_measured(run), *[""] * len(names)]
        else:
            cells = [f"{html.escape(result['split'])}, {result['count']:,}"]
            cells += [_figure(result, name, said.get(run.id, {}).get(name)) for name in names]
        rows.append((number(index), *cells))
    heads = ("", "Examples", *(html.escape(heading(name)) for name in names))
    hint = (
        "In brackets the 95 % interval. Below it the difference to run 1 on the same examples, with its interval by a "
        "paired bootstrap: beyond chance when that excludes zero. Another seed of the training may differ more."
    )
    title = "<h2>On held-out examples</h2>"
    return f'{title}{table("Measured", heads, rows)}<p class="lw-hint">{hint if names else ""}</p>'


def _figure(result: dict[str, Any], name: str, contrast: Contrast | None) -> str:
    if name not in result["metrics"]:
        return ""
    cell = figure_html(result["metrics"][name], *result["interval"].get(name, (None, None)))
    if contrast is None:
        return cell
    verdict = "beyond chance" if contrast.is_beyond_chance else "may be chance"
    difference = with_interval(contrast.difference, contrast.low, contrast.high, "+")
    kind = "lw-beyond" if contrast.is_beyond_chance else "lw-chance"
    return f'{cell}<br><small class="{kind}">{difference}: {verdict}</small>'


def _not_measured(run: Run) -> str:
    found = Measurement(run)
    if run.version_folder is None:
        return "no version yet"
    if (progress := found.progress) is not None:
        done, total = progress
        bar = f'<progress max="{total}" value="{done}" aria-label="Progress"></progress>' if total else ""
        return f'<span role="status">{f"{done:,} of {total:,}" if total else "waiting"}</span> {bar}'
    if found.error:
        return f'<span class="lw-note">{html.escape(found.error)}</span>'
    return "not measured yet"


def export_html(runs: Sequence[Run]) -> str:
    """Links to the comparison as files."""
    asked = urlencode([("run", run.id) for run in runs])
    targets = (("Epochs (CSV)", "epochs.csv"), ("Summary (CSV)", "summary.csv"))
    links = [f'<a href="./api/v1/comparison/{name}?{asked}" download>{text}</a>' for text, name in targets]
    links.append(f'<a href="./api/v1/comparison?{asked}">JSON</a>')
    return f'<p class="lw-links">Download: {" ".join(links)}</p>'
