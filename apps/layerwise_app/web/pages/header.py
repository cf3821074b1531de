"""The top of every page: where you are and where you can go."""

from __future__ import annotations

import html
import json
from pathlib import Path

from layerwise_app.web.languages import LANGUAGES
from layerwise_app.web.markup import markup
from layerwise_app.web.site import Site

MAX_LISTED = 4
"""More domains than that are behind one word, so that the navigation stays a line."""
# A list that was opened is closed by Escape, and by a click elsewhere.
_CLOSING = """
const menu = element.querySelector("details");
menu?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
if (menu) document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
"""
# The page says in its head which language it is in.
_CHOOSING = """
const language = element.querySelector(".lw-language");
language.value = window.layerwise.language;
language.addEventListener("change", () => window.layerwise.choose(language.value));
"""
_ACCOUNT_FORM = """<form class="lw-account" method="post" action="./logout" hidden>
<span></span><button>Sign out</button></form>"""
_TOUR_BAR = Path(__file__).with_name("tour_bar.js")
_NAMES = Path(__file__).parents[1] / "names.js"
_ACCOUNT = Path(__file__).parents[1] / "access" / "account.js"


def draw(site: Site, path: str, title: str, summary: str = "") -> None:
    """Draw the navigation and the page's heading.

    Args:
        path: The path of this page, for marking it.
    """
    draw_navigation(site, path)
    subtitle = f"<p>{html.escape(summary)}</p>" if summary else ""
    heading = f'<div class="lw-heading"><h1>{html.escape(title)}</h1>{subtitle}</div>'
    # All pages of Gradio have one title; in a list of tabs and for a screen reader each needs its own.
    markup(heading, js_on_load=f"document.title = {json.dumps(f'{title} - Layerwise')};")


def draw_navigation(site: Site, path: str) -> None:
    """Draw the navigation alone, above a page that draws its heading itself."""
    scripts = [_TOUR_BAR, _NAMES, *([_ACCOUNT] if site.has_accounts else [])]
    script = _CLOSING + _CHOOSING + "".join(path.read_text(encoding="utf-8") for path in scripts)
    markup(navigation(site, path), elem_classes="lw-top", js_on_load=script)


def navigation(site: Site, path: str) -> str:
    """The navigation as HTML, with that of the section below it. Links are relative, since the app may be served below
    a path."""
    routes = site.routes
    section = routes.section_of(path)
    here = path if section is None else section
    domains = list(routes.domains.values())
    links = []
    for target, title in routes.titles.items():
        if target not in domains or len(domains) <= MAX_LISTED:
            links.append(_link(target, title, path, here))
        elif target == domains[0]:
            listed = "".join(_link(domain, routes.titles[domain], path, here) for domain in domains)
            kind = "lw-menu lw-here" if here in domains else "lw-menu"
            links.append(f'<details class="{kind}"><summary>Demos</summary><div>{listed}</div></details>')
    return (
        '<header class="lw-header"><a class="lw-brand" href="./">'
        '<span class="lw-mark" aria-hidden="true"><i></i><i></i><i></i></span>Layerwise</a>'
        f'<nav aria-label="Pages">{"".join(links)}</nav>{_languages()}'
        f"{_ACCOUNT_FORM if site.has_accounts else ''}</header>"
    ) + ("" if section is None else _section(site, section, path))


def _languages() -> str:
    """The choice of the language, which is named in itself."""
    options = "".join(
        f'<option value="{code}" lang="{code}" translate="no">{name}</option>' for code, name in LANGUAGES.items()
    )
    return f'<select class="lw-language" aria-label="Language">{options}</select>'


def _section(site: Site, section: str, path: str) -> str:
    links = "".join(_link(target, title, path) for target, title in site.routes.sections[section].items())
    label = html.escape(site.routes.titles[section])
    return f'<nav class="lw-section" aria-label="{label}">{links}</nav>'


def _link(target: str, title: str, path: str, here: str | None = None) -> str:
    """A link, marked when it is that of this page, or of the section that this page belongs to."""
    current = " aria-current=page" if target == path else " aria-current=true" if target == here else ""
    return f'<a href="./{target}"{current}>{html.escape(title)}</a>'
