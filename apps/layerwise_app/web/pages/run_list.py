"""The list of all runs, as a table."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.job_folders.events import ENDINGS, main_metric
from layerwise.job_folders.outline import outline
from layerwise.tasks.metric_names import words
from layerwise_app.web.descriptions import is_promoted
from layerwise_app.web.figures import in_words
from layerwise_app.web.markup import badge, empty, link, table
from layerwise_app.web.remembered import Remembered
from layerwise_app.words import ago, moment

if TYPE_CHECKING:
    from layerwise.job_folders.job import Job
    from layerwise.runs import Run
    from layerwise.workspace import Workspace

SHOWN_RUNS = 50
SHOWN_REASON = 200
"""How many letters of a reason fit into the table."""


class RunList:
    """The newest runs below one home folder, and those that are going on."""

    COLUMNS = ("Started", "Network", "State", "Epochs", "Result", "")

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.runs, self.versions = workspace, workspace.runs, workspace.versions
        # Those that have ended change only when they are resumed.
        self._outlines = Remembered(outline, lambda found: found["state"] in ENDINGS)

    def newest(self) -> list[Run]:
        """The runs that are shown."""
        return self._shown(self.runs.list())

    def _shown(self, runs: list[Run]) -> list[Run]:
        self._outlines.forget_beyond(len(runs))
        older = [run for run in runs[SHOWN_RUNS:] if self.outline(run)["state"] not in ENDINGS]
        return runs[:SHOWN_RUNS] + older

    def table_html(self) -> str:
        """All of them, the trials of a search together."""
        runs = self.runs.list()
        if not runs:
            return empty("No run yet.", "Choose a model, and start one.")
        shown = self._shown(runs)
        rows: list[tuple[str, ...]] = []
        for study, members in _by_study(shown, self.outline):
            members_rows = [self.row(run) for run in members]
            if study:
                rows.append((_heading(study, [self.outline(run) for run in members]),))
                members_rows = [(f'<span class="lw-trial">{first}</span>', *others) for first, *others in members_rows]
            rows += members_rows
        hidden = len(runs) - len(shown)
        more = f'<p class="lw-hint">{hidden} older runs are not shown; layerwise runs lists all.</p>' if hidden else ""
        return table("Runs", self.COLUMNS, rows) + more

    def is_promoted(self, run: Run) -> bool:
        """Whether its version is in use."""
        return is_promoted(self.workspace, run)

    def has_former(self, run: Run) -> bool:
        """Whether another version of its model was in use before the present one."""
        try:
            return bool(self.versions.history(run.name, run.variant))
        except LayerwiseError:
            return False

    def row(self, run: Run) -> tuple[str, ...]:
        """What the list says of a run: cells of HTML."""
        found = self.outline(run)
        asked = [f"by {html.escape(found['by'])}"] if found["by"] else []
        asked += [f"on {html.escape(found['device'])}"] if found["device"] != "auto" else []
        said = [html.escape(found["reason"][:SHOWN_REASON]), _checkpoint(found)]
        small = "".join(f"<br><small>{text}</small>" for text in said if text)
        return (
            link(f"./train?run={run.id}", when(run)),
            html.escape(f"{run.name}:{run.variant}") + "".join(f"<br><small>{text}</small>" for text in asked),
            f"{badge(found['state'])}{small}",
            f"{found['epochs']} of {html.escape(str(found['num_epochs'] or '?'))}",
            html.escape(_result(found["metrics"])),
            '<span class="lw-badge">in use</span>' if self.is_promoted(run) else "",
        )

    def outline(self, run: Run) -> dict[str, Any]:
        """What there is to say of a run."""
        return self._outlines.of(run)


def when(job: Job) -> str:
    """A run or a study by its time: "2026-11-24 20:15 UTC (a1b2)". The server does not know the reader's zone, and the
    id, which begins with the time, is in UTC too."""
    return f"{moment(job.created, UTC)} ({job.id[-4:]})"


def choice(job: Job) -> tuple[str, str]:
    """A run or a study in a list to choose from, and its id. The time comes first: a phone has no room for more, and
    the model is to be seen below."""
    return f"{when(job)}, {job.name}:{job.variant}", job.id


def checkpoint_age(found: Mapping[str, Any]) -> str:
    """How old the newest checkpoint of a run with that outline is: "3 min ago"; "" without one."""
    if not found["checkpoint"]:
        return ""
    return ago((datetime.now(UTC) - datetime.fromisoformat(found["checkpoint"])).total_seconds())


def _checkpoint(found: Mapping[str, Any]) -> str:
    age = checkpoint_age(found)
    return f"Checkpoint {age}." if age and found["is_resumable"] else ""


def _by_study(runs: Iterable[Run], outline_of: Any) -> list[tuple[str | None, list[Run]]]:
    """The runs in their order, the trials of a search below the newest of them."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(outline_of(run)["study"] or f"/{run.id}", []).append(run)
    return [(None if name.startswith("/") else name, members) for name, members in groups.items()]


def _heading(study: str, trials: list[dict[str, Any]]) -> str:
    ended = sum(trial["state"] in ENDINGS for trial in trials)
    return f"Study {link(f'./tune?study={study}', study)}: {ended} of these {len(trials)} trials have ended"


def _result(metrics: Mapping[str, Any]) -> str:
    name = main_metric(metrics)
    return in_words(words(name), metrics[name]) if name else ""
