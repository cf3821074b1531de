"""DNA on a page: a sequence is classified, a long one scanned, a file read, and what is no DNA explained."""

import re

import pytest
from playwright.sync_api import expect

PAGE = "science?model=promoters"


@pytest.fixture
def promoters(visit):
    """The page of `science/promoters`, and what asks it."""
    visitor = visit(PAGE)
    field = visitor.page.get_by_label("DNA: 81 letters", exact=False).locator("visible=true")
    field.wait_for()  # the page begins with the first network of its domain

    def ask(text):
        field.fill(text)
        visitor.button("Ask the network").click()

    return visitor, ask


def examples(visitor):
    return visitor.page.get_by_role("list", name="Examples").get_by_role("button").locator("visible=true")


def test_a_sequence_is_classified_and_looked_into(promoters):
    visitor, _ = promoters
    page = visitor.page
    examples(visitor).filter(has_text="promoter of").first.click()
    page.locator(".lw-best strong", has_text="promoter").locator("visible=true").wait_for()
    visitor.button("Look inside").click()
    panel = page.locator(".lw-inside").locator("visible=true")
    panel.get_by_role("button", name="Integrated gradients", exact=True).click()
    panel.get_by_text("gradients were computed").wait_for()
    assert panel.locator(".lw-tokens p span").count() == 81, "a letter each"
    panel.get_by_role("button", name="Motifs", exact=True).click()
    logos = panel.locator(".lw-logo")
    logos.first.wait_for()
    assert logos.first.locator("text").count() > 10
    assert "bits" in logos.first.get_attribute("aria-label")


def test_a_long_sequence_is_scanned_on_both_strands(promoters):
    visitor, ask = promoters
    page = visitor.page
    examples(visitor).filter(has_text="scan").first.click()
    table = page.get_by_role("region", name="Where it was found").locator("visible=true")
    table.wait_for()
    visitor.says("strand −")
    # Until then it says how far it is.
    found = page.get_by_label("What was found").locator("visible=true")
    expect(found).to_have_value(re.compile("letters scanned on both strands, in"))
    assert page.locator(".lw-best").locator("visible=true").count() == 0
    # One of the stretches that were found is asked about by itself.
    letters = table.get_by_role("row").nth(1).get_by_role("cell").last.inner_text().strip()
    assert len(letters) == 81
    ask(letters)
    page.locator(".lw-best strong").locator("visible=true").wait_for()


def test_several_sequences_of_a_file_have_a_row_each(promoters):
    visitor, _ = promoters
    page = visitor.page
    content = ">first\n" + "ACGTTGCAA" * 9 + "\n>second\n" + "a" * 81 + "\n>third\nACGT\n"
    visitor.upload({"name": "my-sequences.fasta", "mimeType": "text/plain", "buffer": content.encode()})
    visitor.has("my-sequences.fasta")
    visitor.button("Ask the network").click()
    table = page.get_by_role("region", name="Where it was found").locator("visible=true")
    table.get_by_text("too short: 81 letters are needed").wait_for()
    assert table.get_by_role("row").count() == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MKVLAAGIV", "is no letter of it"),
        ("ACGT", "too short"),
        ("", "There is no DNA or RNA sequence"),
    ],
)
def test_what_is_no_dna_is_explained(promoters, text, said):
    visitor, ask = promoters
    ask(text)
    alert = visitor.page.get_by_role("alert").locator("visible=true")
    alert.wait_for()
    assert said in alert.inner_text()
    # RNA in small letters, and letters that nobody could read, are.
    ask("acguunnacgu" * 8)
    visitor.says("strand −")


def test_a_picture_is_no_fasta_file(promoters):
    visitor, _ = promoters
    page = visitor.page
    visitor.upload(
        {"name": "picture-of-a-gel.fasta", "mimeType": "text/plain", "buffer": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"}
    )
    visitor.has("picture-of-a-gel.fasta")
    visitor.button("Ask the network").click()
    alert = page.get_by_role("alert").locator("visible=true")
    alert.wait_for()
    assert "The file is no text" in alert.inner_text()
