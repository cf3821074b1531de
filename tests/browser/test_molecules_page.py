"""Molecules in the browser: an example is asked, a wrong SMILES is explained, a file is answered."""

from __future__ import annotations

import pytest

ROWS = "name,smiles\nethanol,CCO\nwrong,CC(C\nbenzene,c1ccccc1\n"


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desktop-light", "phone-dark"])
def test_an_example_is_answered_with_a_picture_and_an_interval(visit, phone, dark):
    visitor = visit("science?model=solubility", phone=phone, dark=dark)
    page = visitor.page
    page.get_by_role("button", name="Aspirin").first.click()
    page.locator("table.lw-table", has_text="90 % interval from").locator("visible=true").wait_for()
    page.locator(".lw-shown img").locator("visible=true").wait_for()
    page.wait_for_function("[...document.querySelectorAll('.lw-shown img')].some(one => one.naturalWidth == 640)")
    assert page.locator(".lw-crops small").count() == 6
    page.wait_for_function("[...document.querySelectorAll('textarea')].some(one => one.value.includes('similar'))")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off"


def test_a_wrong_smiles_is_explained_and_the_next_one_answered(visit):
    visitor = visit("science?model=solubility")
    page = visitor.page
    smiles = page.get_by_label("Molecule, as SMILES").locator("visible=true")
    smiles.fill("CC(C")
    visitor.button("Ask the network").click()
    alert = page.get_by_role("alert").locator("visible=true")
    alert.wait_for()
    assert "opening parenthesis without a closing one" in alert.inner_text()
    assert "at place 3" in alert.inner_text()
    smiles.fill("")
    visitor.button("Ask the network").click()
    visitor.says("There is no molecule")
    smiles.fill("[Na+].CC(=O)[O-]")
    visitor.button("Ask the network").click()
    page.wait_for_function("[...document.querySelectorAll('textarea')].some(one => one.value.includes('left out'))")
    assert page.get_by_role("alert").locator("visible=true").count() == 0


def test_a_file_of_molecules_is_answered(visit):
    visitor = visit("science?model=solubility")
    page = visitor.page
    content = {"name": "some.csv", "mimeType": "text/csv", "buffer": ROWS.encode()}
    visitor.upload(content)
    visitor.has("some.csv")
    visitor.button("Ask the network").click()
    page.locator("table.lw-table td", has_text="opening parenthesis").locator("visible=true").wait_for()
    with page.expect_download() as download:
        page.get_by_text("Download all results (CSV)").locator("visible=true").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.splitlines()[0].startswith("smiles,name,molecule,predicted solubility in water")
    assert len(text.splitlines()) == 4
