"""The top of every page: where you are and where you can go."""

from __future__ import annotations

import html
import json

from layerwise_app.web.markup import markup
from layerwise_app.web.site import Site


def draw(site: Site, path: str, title: str, summary: str = "") -> None:
    """Draw the navigation and the page's heading.

    Args:
        path: The path of this page, for marking it.
    """
    markup(navigation(site, path), elem_classes="lw-top")
    subtitle = f"<p>{html.escape(summary)}</p>" if summary else ""
    heading = f'<div class="lw-heading"><h1>{html.escape(title)}</h1>{subtitle}</div>'
    # All pages of Gradio have one title; in a list of tabs and for a screen reader each needs its own.
    markup(heading, js_on_load=f"document.title = {json.dumps(f'{title} - Layerwise')};")


def navigation(site: Site, path: str) -> str:
    """The navigation as HTML. Links are relative, since the app may be served below a path."""
    links = "".join(
        f'<a href="./{target}"{" aria-current=page" if target == path else ""}>{html.escape(title)}</a>'
        for target, title in site.routes.titles.items()
    )
    return (
        '<header class="lw-header"><a class="lw-brand" href="./">'
        '<span class="lw-mark" aria-hidden="true"><i></i><i></i><i></i></span>Layerwise</a>'
        f'<nav aria-label="Pages">{links}</nav></header>'
    )
