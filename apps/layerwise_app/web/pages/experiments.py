"""A page of experiments that a plugin has registered: no plugin needs Gradio for that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerwise import Experiment, Page
from layerwise.snapshot import named
from layerwise_app.web.experiments import ExperimentCalls, experiment_html

SCRIPT = Path(__file__).with_name("experiments.js")
_TEMPLATE = """
<div class="lw-learn">
  <div class="lw-note" role="alert" data-part="problem" hidden></div>
  <div class="lw-lesson-page" data-part="experiments"></div>
</div>
"""


def draw(page: Page) -> None:
    """Draw the experiments below the heading. The script asks for them with the settings that stand in the address."""
    calls = PageOfExperiments(page)
    calls.markup(_TEMPLATE, SCRIPT, calls.open)


class PageOfExperiments(ExperimentCalls):
    """What the page asks for. Each call is given a JSON value and answers with one; those about an experiment have
    `experiment`, its name."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.experiments = {experiment.name: experiment for experiment in page.experiments}

    def open(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """All experiments.

        Args:
            asked: `settings`, by the names of the experiments.
        """
        settings = asked.get("settings") or {}
        return {
            "html": "".join(experiment_html(item, settings.get(name, {})) for name, item in self.experiments.items())
        }

    def experiment(self, asked: Mapping[str, Any]) -> Experiment:
        """One of them.

        Raises:
            NotFoundError: It is not on this page.
        """
        return named(self.experiments, str(asked.get("experiment")), "experiment", "load the page again")
