"""Two runs beside each other, from the choice to the figures, and a link that shows the same to somebody else."""

import re

import pytest


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_two_runs_are_chosen_compared_measured_and_shared(visit, twins, serving, phone):
    home, names = twins
    with serving(home) as address:
        visitor = visit("compare", address=address, phone=phone)
        page = visitor.page
        visitor.says("Choose two runs or more.")
        for name in names:
            page.get_by_label("Runs").click()
            page.get_by_role("option", name=re.compile(name[-4:])).click()
        page.keyboard.press("Escape")
        page.locator("#curves figure").nth(1).wait_for()
        assert page.locator("#curves figure").count() == 2, "loss and accuracy"
        assert page.locator("#curves .lw-numbered").count() == 4
        assert page.locator("#compared tbody tr").count() == 2
        row = page.locator("#differences tr", has_text="learning_rate")
        assert row.locator("td").all_inner_texts() == ["learning_rate", "0.01", "0.5"]
        page.wait_for_function("window.location.search.includes('runs=')")
        shared = page.url

        page.get_by_label("Time").check()
        page.locator("#curves .lw-axis", has_text="seconds").first.wait_for()

        if page.locator("#measured", has_text="not measured yet").count():
            visitor.button("Measure on held-out examples").click()
        page.locator("#measured", has_text="test, 200").wait_for()
        page.locator("#measured", has_text="may be chance").wait_for()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0

        with page.expect_download() as download:
            page.get_by_role("link", name="Epochs (CSV)").click()
        assert download.value.suggested_filename == "layerwise-epochs.csv"

        somebody_else = visit(shared.removeprefix(f"{address}/"), address=address).page
        somebody_else.locator("#measured", has_text="test, 200").wait_for()
        assert somebody_else.locator("#compared tbody tr").count() == 2
