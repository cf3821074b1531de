"""A page of a plugin's own in the web app, as it is handed to the core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerwise.errors import SpecError
from layerwise.specs.checks import check_name, check_text
from layerwise.specs.references import Reference, check_reference

if TYPE_CHECKING:
    from layerwise.teaching.lessons import Experiment


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a plugin's own in the web app: one that it draws, or experiments that the web app draws.

    Args:
        name: One word, also its path.
        title: What the navigation shows.
        draw: `(predictor) -> None`, called inside a Gradio Blocks; only the web app calls it.
        experiments: `layerwise.teaching.lessons.Experiment`s with different names, in place of `draw`.
        section: Where it belongs: the name of a domain, or "learn"; it is then found from that page instead of from
            the navigation of all pages.
        summary: One sentence, shown where the page is offered.
    """

    name: str
    title: str
    draw: Reference | None = None
    experiments: tuple[Experiment, ...] = ()
    section: str = ""
    summary: str = ""

    def __post_init__(self) -> None:
        check_name("Page", self.name)
        owner = f"Page {self.name}"
        check_text(owner, title=self.title)
        if self.experiments:
            from layerwise.teaching.lessons import check_experiments  # which needs this module

            object.__setattr__(self, "experiments", check_experiments(owner, self.experiments))
        if (self.draw is None) != bool(self.experiments):
            raise SpecError(f"{owner} shows nothing, or two things", expected="either draw or experiments")
        if self.draw is not None:
            check_reference(owner, "draw", self.draw)
        if self.section:
            check_name(f"Page {self.name}: section", self.section)
