"""Two models side by side: the same picture for both, a leaderboard on their test, and a link that shows the same."""

import re

import pytest


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_two_models_are_asked_the_same_and_measured_on_a_test(visit, twins, serving, phone):
    home, runs = twins
    names = [f"toy/bars:small@{run}" for run in runs]
    with serving(home) as address:
        visitor = visit(f"beside?models={','.join(names)}", address=address, phone=phone, dark=phone)
        page = visitor.page
        page.locator("button:visible", has_text="down").first.click()
        page.locator("#replies dl").nth(1).wait_for()
        page.wait_for_function("document.querySelector('#replies').innerText.includes('median of')")
        cards = page.locator("#replies article")
        assert cards.count() == 2
        assert [card.locator("h3").inner_text() for card in cards.all()] == names
        assert page.locator(".lw-agreement").inner_text() == "Both say down."
        assert page.locator("#replies .lw-differs").count() == 0, "a twin says the same"

        visitor.turn("Measure them on a test")
        page.get_by_role("spinbutton", name="Examples").fill("100")
        visitor.button("Measure them").click()
        # Three processes import TensorFlow, one after the other.
        page.locator("#leaderboard", has_text="may be chance").wait_for(timeout=240_000)
        page.locator("#leaderboard-status", has_text="finished").wait_for()
        rows = page.locator("#leaderboard table").first.locator("tbody tr")
        assert rows.count() == 2
        assert re.search(r"0\.\d{4}", rows.first.inner_text())
        assert page.locator("#leaderboard figure").count() == 2, "over time and over parameters"
        assert "bars, test, 100 examples" in page.locator("#leaderboard-status").inner_text()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        with page.expect_download() as download:
            page.get_by_role("link", name="Models (CSV)").click()
        assert download.value.suggested_filename == "layerwise-models.csv"

        somebody_else = visit("beside", address=address).page
        somebody_else.get_by_role("tab", name="Measure them on a test").click()
        somebody_else.locator("#leaderboard", has_text="may be chance").wait_for()
        visitor.button("Delete").click()
        visitor.says("is deleted")
