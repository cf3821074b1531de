"""Which page has which path: the app's own pages, one for each domain, one for each Page of a plugin; and which pages
belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerwise.registry import Snapshot

OWN = {"": "Home", "train": "Train", "compare": "Compare", "tune": "Tune", "models": "Models", "plugins": "Plugins"}
LEARN = "learn"
"""The path of the lessons, and the name of their section."""
TOURS = "tours"
_ABOUT_LESSONS = {TOURS: "Tours", "flashcards": "Flashcards", "quiz": "Quiz"}
BESIDE = "beside"
"""The path of models side by side, which belongs to the comparing of runs."""
BOARD = "board"
"""The path of the class board, which does too."""
_ABOUT_COMPARING = {"compare": "Runs", BESIDE: "Models side by side", BOARD: "Class board"}
FIGURES = "figures"
"""The path of what was measured of the shipped models."""
_ABOUT_MODELS = {"models": "All models", FIGURES: "Figures"}
NETWORK = "network"
"""What says in the address of a demo which network of the model answers."""
EXAMPLE = "example"
"""What says there which of the examples it is asked at once, from 1 on."""
SUMMARIES = {
    TOURS: "Ways through the showcase, with a word at each place on what to do there.",
    "flashcards": "One idea each, back again just before you would forget it.",
    "quiz": "Questions on the lessons, and on the runs that you trained yourself.",
}
"""What these pages are for."""
# Paths that Gradio and the HTTP API answer themselves.
_TAKEN = frozenset(
    (
        "api",
        "assets",
        "config",
        "favicon.ico",
        "gradio_api",
        "languages",
        "login",
        "logout",
        "manifest.json",
        "monitoring",
        "robots.txt",
        "static",
        "svelte",
        "theme.css",
    )
)
_WORDS = {"rl": "Reinforcement learning"}


@dataclass(frozen=True)
class Routes:
    """Paths without slashes.

    Args:
        domains, pages: The path of each, by its name.
        titles: What the navigation of all pages shows, by the path, in its order.
        sections: The pages that belong together, by the path of the first of them: what the navigation among them
            shows, by the path, in its order.
    """

    domains: dict[str, str]
    pages: dict[str, str]
    titles: dict[str, str]
    sections: dict[str, dict[str, str]]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Routes:
        """The routes of a snapshot. A name that is taken already gets a suffix, so every page is reachable."""
        taken = {*OWN, LEARN, *_ABOUT_LESSONS, *_ABOUT_COMPARING, *_ABOUT_MODELS, *_TAKEN}
        domains = {domain: _free(domain, "models", taken) for domain in snapshot.domains}
        pages = {name: _free(name, "page", taken) for name in snapshot.pages}
        firsts = {domain: (path, "Demos") for domain, path in domains.items()}
        if snapshot.lessons:
            firsts[LEARN] = (LEARN, "Lessons")
        sections = {path: {path: title} for path, title in firsts.values()}
        titles = {"": OWN[""]} | ({LEARN: "Learn"} if snapshot.lessons else {})
        titles |= {path: title_of(domain) for domain, path in domains.items()}
        for name, path in pages.items():
            page = snapshot.pages[name]
            place = sections[firsts[page.section][0]] if page.section in firsts else titles
            place[path] = page.title
        if snapshot.lessons:
            sections[LEARN] |= _ABOUT_LESSONS
        sections |= {"compare": _ABOUT_COMPARING, "models": _ABOUT_MODELS}
        titles |= {path: title for path, title in OWN.items() if path}
        return cls(domains, pages, titles, {path: found for path, found in sections.items() if len(found) > 1})

    def section_of(self, path: str) -> str | None:
        """The path of the first page of the section that a page belongs to; None for a page of its own."""
        return next((first for first, titles in self.sections.items() if path in titles), None)

    def of_model(self, name: str, variant: str = "", *, example: int | None = None) -> str:
        """The link to the demo of a model, to one of its networks and to an answered example, relative to any page."""
        domain, _, application = name.partition("/")
        chosen = {NETWORK: variant or None, EXAMPLE: example}
        more = "".join(f"&{key}={value}" for key, value in chosen.items() if value is not None)
        return f"./{self.domains[domain]}?model={application}{more}"


def title_of(domain: str) -> str:
    """A domain's name as a title: "vision" is "Vision"."""
    return " ".join(_WORDS.get(word, word.capitalize()) for word in domain.split("-"))


def _free(name: str, suffix: str, taken: set[str]) -> str:
    path = name
    while path in taken:
        path = f"{path}-{suffix}"
    taken.add(path)
    return path
