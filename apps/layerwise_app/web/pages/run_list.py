"""The list of all runs, as a table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.events import ENDINGS
from layerwise_app.web.curves import metric_of
from layerwise_app.web.figures import in_words, words
from layerwise_app.web.markup import badge, empty, link, table

if TYPE_CHECKING:
    from layerwise.runs import Run
    from layerwise.workspace import Workspace

SHOWN_RUNS = 50


@dataclass(frozen=True)
class Facts:
    """What a row says of a run."""

    state: str
    reason: str
    num_epochs: int
    result: str


class RunList:
    """The newest runs below one home folder."""

    COLUMNS = ("Started", "Network", "State", "Epochs", "Result", "")

    def __init__(self, workspace: Workspace) -> None:
        self.runs, self.versions = workspace.runs, workspace.versions
        # Ended runs do not change, and reading the events of all of them each second would keep the server busy.
        self._ended: dict[str, Facts] = {}

    def newest(self) -> list[Run]:
        """The runs that are shown."""
        return self.runs.list()[:SHOWN_RUNS]

    def table_html(self) -> str:
        """All of them."""
        rows = [self.row(run) for run in self.newest()]
        if not rows:
            return empty("No run yet.", "Choose a model, and start one.")
        return table("Runs", self.COLUMNS, rows)

    def is_promoted(self, run: Run) -> bool:
        """Whether its version is in use."""
        try:
            return self.versions.is_promoted(run)
        except LayerwiseError:
            return False  # the pointer is unreadable: promoting again writes a good one

    def has_former(self, run: Run) -> bool:
        """Whether another version of its model was in use before the present one."""
        try:
            return bool(self.versions.history(run.name, run.variant))
        except LayerwiseError:
            return False

    def row(self, run: Run) -> tuple[str, ...]:
        """What the list says of a run: cells of HTML."""
        facts = self._facts(run)
        reason = f"<br><small>{html.escape(facts.reason[:200])}</small>" if facts.reason else ""
        return (
            link(f"./train?run={run.id}", when(run)),
            html.escape(f"{run.name}:{run.variant}"),
            f"{badge(facts.state)}{reason}",
            f"{facts.num_epochs} of {html.escape(str(run.config.get('num_epochs', '?')))}",
            html.escape(facts.result),
            '<span class="lw-badge">in use</span>' if self.is_promoted(run) else "",
        )

    def _facts(self, run: Run) -> Facts:
        if run.id in self._ended:
            return self._ended[run.id]
        state, history = run.state, run.history()
        facts = Facts(state, run.reason, len(history), _result(history))
        if state in ENDINGS:
            self._ended[run.id] = facts
        return facts


def when(run: Run) -> str:
    """A run by its time: "2026-11-24 20:15:02 (a1b2)"."""
    return f"{run.created.replace('T', ' ')[:19]} ({run.id[-4:]})"


def _result(history: Sequence[Mapping[str, Any]]) -> str:
    if not history:
        return ""
    metric = metric_of(history)
    name = next((name for name in (f"val_{metric}", metric, "loss") if name in history[-1]), None)
    return in_words(words(name), history[-1][name]) if name else ""
