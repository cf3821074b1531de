"""The site of these documents: `just docs` writes it into build/site.

Sphinx reads the same Markdown files that are read in the repository, from the root of it, so that a link leads to the
same place in both. Everything that a page needs lies beside it: the site works without internet and asks nobody.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "core"))

import layerwise  # noqa: E402

PAGES = {
    "Begin": ("docs/quickstart", "docs/lessons", "docs/model-cards", "docs/faq"),
    "Train": (
        "docs/training",
        "docs/own-data",
        "docs/comparing",
        "docs/figures",
        "docs/depth",
        "docs/export",
        "docs/hub",
    ),
    "Write a plugin": (
        "docs/writing-a-plugin",
        "docs/plugin-parts",
        "docs/plugin-bird-songs",
        "docs/plugin-transformers",
        "docs/plugin-environment",
        "docs/plugin-own-task",
        "docs/plugin-faults",
        "docs/languages",
        "docs/hooks",
        "docs/tasks",
    ),
    "Serve": ("docs/teaching", "docs/api", "docs/serving", "docs/throughput", "docs/security"),
    "Project": (
        "All that there is <README>",
        "docs/benchmarks",
        "docs/dependencies",
        "CONTRIBUTING",
        "CHANGELOG",
        "Report a hole <SECURITY>",
    ),
}
"""The documents by the heading under which the site lists them. One that is missing here is a warning, and an error."""

project = "Layerwise"
author = "The Layerwise developers"
copyright = author  # noqa: A001
version = release = layerwise.__version__

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md"]
# Not looked into, since a virtual environment has Markdown files too.
exclude_patterns = [f"{path.name}" for path in ROOT.iterdir() if path.is_dir() and path.name != "docs"]
myst_heading_anchors = 4
nitpicky = True
smartquotes = False

html_theme = "furo"
html_title = f"Layerwise {release}"
html_favicon = "../apps/layerwise_app/web/icon.svg"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_logo = "../apps/layerwise_app/web/icon.svg"
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {"color-brand-primary": "#11625c", "color-brand-content": "#11625c"},
    "dark_css_variables": {"color-brand-primary": "#47b5a8", "color-brand-content": "#47b5a8"},
}
"""The colours of the showcase (`layerwise_app.web.theme`)."""
html_additional_pages = {"index": "first.html"}
templates_path = ["site"]
html_copy_source = False
html_use_index = False


def list_pages(_app: Sphinx, name: str, text: list[str]) -> None:
    """Give the first page the list of all pages, which nobody wants to read in the repository."""
    if name == root_doc:
        lists = (
            "\n".join(("```{toctree}", ":hidden:", f":caption: {caption}", "", *map(_entry, pages), "```"))
            for caption, pages in PAGES.items()
        )
        text[0] = "\n\n".join((text[0], *lists))


def _entry(page: str) -> str:
    """A page for Sphinx, which takes names without a slash as those of a document's neighbours."""
    title, _, name = page.rpartition("<")
    return f"{title}</{name}" if title else f"/{name}"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", list_pages)
    return {"parallel_read_safe": True}
