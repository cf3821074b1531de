"""Which page has which path: the app's own pages, one for each domain, one for each Page of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerwise.registry import Snapshot

OWN = {
    "": "Home",
    "flashcards": "Flashcards",
    "quiz": "Quiz",
    "train": "Train",
    "compare": "Compare",
    "tune": "Tune",
    "models": "Models",
    "plugins": "Plugins",
}
# Paths that Gradio and the HTTP API answer themselves.
_TAKEN = frozenset(
    (
        "api",
        "assets",
        "config",
        "favicon.ico",
        "gradio_api",
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
_WORDS = {"rl": "RL"}


@dataclass(frozen=True)
class Routes:
    """Paths without slashes. `domains` and `pages` map the name to the path; `titles` maps the path to what the
    navigation shows, in its order."""

    domains: dict[str, str]
    pages: dict[str, str]
    titles: dict[str, str]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Routes:
        """The routes of a snapshot. A name that is taken already gets a suffix, so every page is reachable."""
        taken = {*OWN, *_TAKEN}
        domains = {domain: _free(domain, "models", taken) for domain in snapshot.domains}
        pages = {name: _free(name, "page", taken) for name in snapshot.pages}
        titles = {"": OWN[""]}
        titles |= {path: title_of(domain) for domain, path in domains.items()}
        titles |= {path: snapshot.pages[name].title for name, path in pages.items()}
        titles |= {path: title for path, title in OWN.items() if path}
        return cls(domains, pages, titles)

    def of_model(self, name: str) -> str:
        """The link to the demo of a model, relative to any page."""
        domain, _, application = name.partition("/")
        return f"./{self.domains[domain]}?model={application}"


def title_of(domain: str) -> str:
    """A domain's name as a title: "vision" is "Vision"."""
    return " ".join(_WORDS.get(word, word.capitalize()) for word in domain.split("-"))


def _free(name: str, suffix: str, taken: set[str]) -> str:
    path = name
    while path in taken:
        path = f"{path}-{suffix}"
    taken.add(path)
    return path
