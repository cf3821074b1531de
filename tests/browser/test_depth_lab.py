"""The depth lab in Chromium: what was measured, a training of one's own that is stopped, a link that keeps choices."""

import re

import pytest
from playwright.sync_api import expect


def section(visitor, name):
    found = visitor.page.locator(f'[data-experiment="{name}"]')
    found.wait_for()
    return found


def test_what_was_measured_is_there_at_once_for_each_target(visit):
    visitor = visit("depth-lab")
    measured = section(visitor, "measured")
    expect(measured).to_contain_text("Sawtooth, 4 levels")
    measured.get_by_label("What is to be learned").select_option("parity")
    expect(measured).to_contain_text("Parity of 8 bits")
    # Drawn lines with bands, and all numbers in a table.
    expect(measured.locator("figure, .lw-figure").first).to_be_visible()
    expect(measured.get_by_role("region")).to_contain_text("median error")
    assert "measured.target=parity" in visitor.page.url
    visitor.open("depth-lab?measured.target=composed")
    expect(section(visitor, "measured")).to_contain_text("Composed function, 3 levels")


@pytest.mark.slow
def test_a_training_of_ones_own_goes_depth_by_depth_and_stops(visit):
    visitor = visit("depth-lab?own.target=parity&own.budget=500&own.num_steps=250&own.deepest=8", phone=True)
    own = section(visitor, "own")
    own.get_by_role("button", name="Train").focus()
    visitor.page.keyboard.press("Enter")
    expect(own).to_contain_text("Training 6 networks with 2 hidden layers")
    own.get_by_role("button", name="Stop").click()
    expect(own.get_by_role("button", name="Stop")).to_be_hidden()
    expect(own.get_by_role("region").locator("tbody tr")).to_have_count(1)
    expect(own.get_by_label(re.compile("Hidden layers of the deepest"))).to_have_value("8")
