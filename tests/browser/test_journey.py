"""From the first page to a network of one's own: what most people come for, in one go."""

import re

from playwright.sync_api import expect


def points(page):
    return int(page.locator("#loss figure").get_attribute("data-points") or 0)


def test_from_home_to_a_network_of_ones_own_and_back(visit, trained):
    _, first = trained
    visitor = visit("")
    page = visitor.page
    visitor.follow(page.get_by_role("link", name=re.compile("^Bars")))
    assert page.get_by_role("heading", level=1).inner_text() == "Toy"

    example = page.get_by_role("button", name="down").first
    example.click()
    page.locator(".lw-best strong", has_text="down").wait_for()
    assert example.get_attribute("aria-pressed") == "true"
    assert page.locator(".lw-bars li").count() == 2

    visitor.follow(page.get_by_role("link", name="Train", exact=True))
    page.get_by_label("Network", exact=True).wait_for()
    page.get_by_label("Model and network").click()
    page.get_by_role("option", name="toy/bars:small").click()
    page.get_by_label("Network", exact=True).wait_for(state="detached")
    page.get_by_label("Number of epochs").fill("10000")
    visitor.button("Start training").click()
    page.locator("#progress .lw-running").wait_for()
    page.wait_for_function("+document.querySelector('#loss figure')?.dataset.points > 0")
    seen = points(page)
    page.wait_for_function(f"+document.querySelector('#loss figure').dataset.points > {seen}")
    assert page.locator("#metric figcaption strong").inner_text() == "Accuracy"

    visitor.button("Stop").click()
    page.locator("#progress .lw-stopped").wait_for()
    visitor.says("Somebody asked it to stop.")
    assert visitor.button("Stop").is_disabled()

    visitor.button("Use this version").click()
    row = page.locator("#runs tbody tr")
    row.nth(0).get_by_text("in use").wait_for()
    assert row.nth(1).get_by_text("in use").count() == 0

    visitor.button("Roll back").click()
    row.nth(1).get_by_text("in use").wait_for()
    assert first.id[-4:] in row.nth(1).inner_text()
    assert row.nth(0).get_by_text("in use").count() == 0

    visitor.button("Delete").click()
    visitor.says(re.compile("with its weights and its log"))
    visitor.button("Delete it").click()
    page.wait_for_function("document.querySelectorAll('#runs tbody tr').length == 1")
    assert page.locator("#progress .lw-finished").is_visible()


def test_the_first_question_says_that_the_network_is_loaded(visit, tmp_path, serving, monkeypatch):
    # A network that is loaded when the test says so: others may be ready before anybody has clicked.
    gate = tmp_path / "gate"
    monkeypatch.setenv("DEMO_GATE", str(gate))
    with serving(tmp_path / "home") as address:
        visitor = visit("demo?model=echo", address=address)
        visitor.page.get_by_role("button", name="Hello").click()
        visitor.says(re.compile("^Loading the network"))
        gate.touch()
        expect(visitor.page.locator(".lw-outputs").locator("textarea")).to_have_value("Hello <world>")
        visitor.page.locator(".lw-said .lw-status").wait_for(state="detached")
