"""Every page as it looks and sounds: light and dark, wide and narrow, with a mouse, with keys, to a screen reader."""

import re

import pytest
from playwright.sync_api import expect

PAGES = (
    "",
    "learn",
    "learn?lesson=neuron",
    "tours",
    "toy",
    "vision",
    "demo",
    "extra",
    "flashcards",
    "quiz",
    "train",
    "compare",
    "board",
    "tune",
    "models",
    "figures",
    "plugins",
)
NAMED = frozenset(
    ("button", "checkbox", "combobox", "link", "radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox")
)
"""The roles of what one can do something with."""


def unnamed(page):
    """What a screen reader would read without a name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    found = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in NAMED and not node.get("name", {}).get("value", "").strip():
            html = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})["outerHTML"]
            found.append(f"{role}: {html[:160]}")
    return found


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_and_names_its_controls(visit, dark, phone):
    visitor = visit(PAGES[0], dark=dark, phone=phone)
    page = visitor.page
    for path in PAGES:
        visitor.open(path)
        page.wait_for_timeout(700)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"/{path} is {wide} pixels wider than the screen"
        assert page.evaluate("window.innerWidth") == (390 if phone else 1280), "nothing made the page zoom out"
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.title().endswith(" - Layerwise")
        assert unnamed(page) == [], f"/{path}"
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        levels = [int(level) for level in re.findall(r"\d+", background)[:3]]
        assert (max(levels) < 60) if dark else (min(levels) > 200)


def test_search(visit):
    page = visit("").page
    cards = page.locator(".lw-card")
    cards.nth(5).wait_for()
    total = cards.count()
    page.get_by_label("Search the models").fill("bright bar")
    page.wait_for_function("document.querySelectorAll('.lw-card').length == 1")
    assert "Bars" in cards.inner_text()
    page.get_by_label("Search the models").fill("zebra")
    page.get_by_text("No model found.").wait_for()
    page.get_by_label("Search the models").fill("")
    expect(cards).to_have_count(total)


def test_with_the_keyboard_alone(visit):
    page = visit("toy").page
    page.get_by_role("button", name="down").first.wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.index") == "1":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.locator(".lw-best strong").wait_for()
    assert page.locator('button[data-index="1"]').get_attribute("aria-pressed") == "true"


def test_the_address_of_a_model_opens_its_tab(visit):
    page = visit("demo?model=weight").page
    page.get_by_role("tab", name="Weight", selected=True).wait_for()
    page.get_by_label("length").wait_for()


def test_models_shows_cards_and_changes_versions(visit, trained):
    visitor = visit("models?model=toy/bars:small")
    page = visitor.page
    page.locator("#registry tbody tr").nth(5).wait_for()
    row = page.locator("#registry tr", has_text="toy/bars:small")
    assert trained[1].id in row.inner_text()
    page.locator("#versions tr", has_text=trained[1].id).get_by_text("in use").wait_for()
    visitor.follow(page.get_by_role("link", name="vision/fashion:conv"))
    expect(page.get_by_role("heading", name="Garments")).to_be_in_viewport()
    visitor.says(re.compile("Licence of the weights"))
