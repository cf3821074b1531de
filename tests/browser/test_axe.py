"""What axe-core, which checks pages against the Web Content Accessibility Guidelines, finds on every page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from browser.conftest import Visitor
from browser.places import PLACES

GRAVE = ("serious", "critical")
ALIKE = ("home-nothing-found", "quiz", "garments-nothing", "objects", "writer", "toxicity", "pong", "beside-nothing")
"""Places whose parts are on others too."""
FIND = """async only => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...(only && { runOnly: [only] }) });
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => ({ rule: id, impact, selector: node.target.join(" "), html: node.html.slice(0, 200) }))
  );
}"""


def found(visitor: Visitor, only: str = "") -> list[dict[str, Any]]:
    """The grave findings on a page as it is now.

    Args:
        only: A rule, where the others have been looked at already.
    """
    return [one for one in visitor.page.evaluate(FIND, only) if one["impact"] in GRAVE]


def test_no_page_has_a_grave_finding_in_light_or_dark(visit, twins, serving):
    graves = {}
    with serving(twins[0]) as address:
        visitor = visit("", address=address)
        for place in (place for place in PLACES if place.name not in ALIKE):
            visitor.page.emulate_media(color_scheme="light")
            place.open(visitor)
            visitor.page.evaluate(AXE_SCRIPT)
            visitor.page.add_style_tag(content="* { transition: none !important; }")  # no colour is on its way
            graves[place.name] = found(visitor)
            # Of all that axe looks at only colours depend on it.
            visitor.page.emulate_media(color_scheme="dark")
            visitor.page.wait_for_function("document.body.classList.contains('dark')")
            graves[f"{place.name} in the dark"] = found(visitor, "color-contrast")
    assert {place: findings for place, findings in graves.items() if findings} == {}


def test_what_it_finds_is_told(visit):
    visitor = visit("")
    visitor.page.evaluate(AXE_SCRIPT)
    picture = '<img width="9" height="9" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'
    visitor.page.evaluate(
        "(html) => document.body.insertAdjacentHTML('beforeend', html)", f"{picture}<p id=pale>pale</p>"
    )
    visitor.page.evaluate("document.querySelector('#pale').style.cssText = 'color: #ccc; background: #fff'")
    rules = {finding["rule"] for finding in found(visitor)}
    assert {"image-alt", "color-contrast"} <= rules
