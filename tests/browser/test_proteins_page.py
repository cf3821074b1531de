"""Proteins in Chromium: a sequence is labelled and drawn, and a structure is folded from its distances."""

import re

import pytest
from playwright.sync_api import expect

from layerwise_science.proteins.structure import STRUCTURE

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
WEIGHTS = STRUCTURE.variant().weights
needs_weights = pytest.mark.skipif(WEIGHTS is None or not WEIGHTS.is_dir(), reason="the weights are not shipped yet")


def ask(visitor, text):
    visitor.page.get_by_label("Sequence, or several as FASTA").locator("visible=true").fill(text)
    visitor.button("Ask the network").click()


@needs_weights
def test_a_sequence_is_labelled_and_drawn(visit):
    visitor = visit("science?model=protein-structure")
    ask(visitor, UBIQUITIN.lower())
    strip = visitor.page.locator(".lw-strip-plot").locator("visible=true")
    expect(strip).to_have_attribute("aria-label", re.compile(r"76 letters: .*helix \d+ to \d+"))
    expect(strip.locator(".lw-block")).to_have_count(8)
    expect(strip.locator(".lw-block code").first).to_have_text(UBIQUITIN[:10])
    assert strip.locator("polygon").count() > 8
    visitor.says("Probabilities along the sequence")
    with visitor.page.expect_download() as download:
        visitor.button("Download the labels (FASTA)").click()
    assert download.value.suggested_filename.endswith(".fasta")


@needs_weights
def test_several_sequences_and_letters_that_are_none(visit):
    visitor = visit("science?model=protein-structure", phone=True, dark=True)
    ask(visitor, f">one\n{UBIQUITIN}\n>two\nMKVLAAGIVGLC")
    expect(visitor.page.locator(".lw-strip-plot").locator("visible=true")).to_have_count(2)
    visitor.says("two")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    ask(visitor, "MKV1?")
    visitor.says("This is no protein sequence")


@pytest.fixture
def folding(visit):
    visitor = visit("folding")
    expect(visitor.page.locator("[data-part=said]")).to_contain_text("found from 100 % of the distances, 0.00 Å")
    return visitor


def slide(page, name, value):
    page.locator(f"[data-setting={name}]").fill(str(value))


def test_a_structure_is_recovered_from_its_distances(folding):
    page = folding.page
    expect(page.locator("[data-part=rows] td").nth(1)).to_have_text("0.00 Å")
    expect(page.locator("[data-part=hand]")).to_contain_text("That is the true hand.")
    assert page.locator("[data-part=map]").evaluate("canvas => canvas.width") == 46
    seen = page.locator("[data-part=space]")
    before = seen.evaluate("canvas => canvas.toDataURL()")
    seen.focus()
    page.keyboard.press("ArrowRight")
    assert seen.evaluate("canvas => canvas.toDataURL()") != before, "it turns by the arrow keys"
    box = seen.bounding_box()
    before = seen.evaluate("canvas => canvas.toDataURL()")
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 120, steps=4)
    page.mouse.up()
    assert seen.evaluate("canvas => canvas.toDataURL()") != before, "it turns by the mouse"
    page.get_by_label("its mirror image").check()
    expect(seen).to_have_attribute("aria-label", re.compile("6.67 Å from the true one"))


def test_noise_and_gaps_and_how_much_of_them_it_bears(folding):
    page = folding.page
    page.locator("[data-part=name]").select_option("1UBI")
    slide(page, "missing", 0.5)
    slide(page, "noise", 1)
    expect(page.locator("[data-part=said]")).to_have_text(
        re.compile(r"Human ubiquitin \(1UBI\): 76 residues, found from 5\d\.\d % of the distances, 0\.\d\d Å")
    )
    expect(page.locator("[data-part=stress] svg")).to_have_attribute("aria-label", re.compile("stress, Å by step"))
    folding.button("Along the noise").click()
    expect(page.locator("[data-part=curve] .dot")).to_have_count(10)


def test_a_file_of_ones_own_and_one_that_is_none(folding):
    page = folding.page
    lines = [
        f"ATOM  {n:>5}  CA  ALA A{n:>4}    {2.3 * (-1) ** n:8.3f}{0.7 * n % 5:8.3f}{1.5 * n:8.3f}  1.00  0.00"
        for n in range(1, 13)
    ]
    upload = page.locator("[data-part=file]")
    upload.set_input_files({"name": "mine.pdb", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()})
    expect(page.locator("[data-part=said]")).to_contain_text("mine.pdb, chain A: 12 residues")
    upload.set_input_files({"name": "letter.txt", "mimeType": "text/plain", "buffer": b"Dear all"})
    expect(page.locator("[data-part=note]")).to_contain_text("There is no protein in the file")
    expect(page.locator("[data-part=said]")).to_contain_text("mine.pdb")


def test_folding_fits_a_phone(visit):
    visitor = visit("folding", phone=True, dark=True)
    expect(visitor.page.locator("[data-part=said]")).to_contain_text("0.00 Å")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
