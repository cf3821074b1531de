"""The top of every page: where you are and where you can go."""

from __future__ import annotations

import html

import gradio as gr

from layerwise_app.web.site import Site


def draw(site: Site, path: str, title: str, summary: str = "") -> None:
    """Draw the navigation and the page's heading.

    Args:
        path: The path of this page, for marking it.
    """
    # Gradio's own navigation has no mark for screen readers and is cut off on a phone.
    gr.Navbar(visible=False)
    gr.HTML(navigation(site, path), padding=False, elem_classes="lw-top")
    subtitle = f"<p>{html.escape(summary)}</p>" if summary else ""
    gr.HTML(f'<div class="lw-heading"><h1>{html.escape(title)}</h1>{subtitle}</div>', padding=False)


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
