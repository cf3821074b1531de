"""The microscope in Chromium: through the four steps by keyboard, by clicks, with the network of the playground."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def microscope(visit):
    visitor = visit("microscope")
    visitor.page.locator(".microscope .unit").first.wait_for()
    return visitor


def told(visitor):
    return visitor.page.locator("[data-part=where]")


def test_the_arrow_keys_go_through_all_numbers(microscope):
    page = microscope.page
    expect(told(microscope)).to_have_text("forward pass: input 1")
    microscope.button("3 Backward").focus()
    page.keyboard.press("Enter")
    expect(told(microscope)).to_contain_text("backward pass: gradient of")
    position = page.locator("[data-part=position]")
    before = int(position.inner_text().split()[0])
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text(re.compile(rf"^{before + 1} of "))
    page.keyboard.press("ArrowLeft")
    expect(position).to_have_text(re.compile(rf"^{before} of "))
    page.keyboard.press("End")
    expect(told(microscope)).to_contain_text("after the update")
    expect(microscope.button("4 Update")).to_have_attribute("aria-current", "step")
    # The rule and the very numbers, as formulas.
    expect(page.locator("[data-part=text] math").first).to_be_visible()


def test_a_number_in_the_drawing_is_explained_with_what_it_was_made_from(microscope):
    page = microscope.page
    page.locator('[data-key="dL/dW_1|0,0"]').click()
    expect(told(microscope)).to_have_text(re.compile("backward pass: gradient of the weight"))
    expect(page.locator(".number.focus")).to_have_count(1)
    # dL/dz of the unit times the input.
    expect(page.locator('.source[data-key="dL/dz_1|0,0"]')).to_have_count(1)
    expect(page.locator('.source[data-key="a_0|0,0"]')).to_have_count(1)


def test_the_loss_falls_with_the_next_steps(microscope):
    loss = microscope.page.locator("[data-part=loss]")
    expect(loss).to_contain_text("The loss is 0.25.")
    microscope.button("Next training step").click()
    expect(loss).to_have_text(re.compile("After 1 step the loss is 0.0.*; one step before it was 0.25"))
    microscope.button("10 steps").click()
    expect(loss).to_contain_text("After 11 steps")
    microscope.button("Begin again").click()
    expect(loss).to_contain_text("The loss is 0.25.")


def test_a_network_of_ones_own_and_what_is_wrong_with_it(microscope):
    page = microscope.page
    page.get_by_text("A network of your own").click()
    page.get_by_label("Units: inputs, hidden layers, outputs").fill("2, 3, 2, 1")
    page.get_by_label("Units: inputs, hidden layers, outputs").press("Tab")
    expect(page.get_by_label("Activation of hidden layer 2")).to_be_visible()
    page.get_by_label("Inputs, a line for each example").fill("1, 2\n3, x")
    microscope.button("Look at this network").click()
    expect(page.locator("[data-part=note]")).to_contain_text("The inputs cannot be read")
    page.get_by_label("Inputs, a line for each example").fill("1, 2\n3, 4")
    page.get_by_label("Targets, a line for each example").fill("1\n0")
    microscope.button("Look at this network").click()
    expect(page.locator(".microscope .unit")).to_have_count(2 + 3 + 2 + 1 + 1)
    expect(page.locator("[data-part=note]")).to_be_hidden()


def test_the_network_of_the_playground_comes_along(visit):
    visitor = visit("playground")
    visitor.page.locator(".pg-unit").first.wait_for()
    visitor.follow(visitor.button("Look at one step under the microscope"))
    visitor.page.locator(".microscope .unit").first.wait_for()
    # Two inputs, three layers of eight, an output, and the loss.
    expect(visitor.page.locator(".microscope .unit")).to_have_count(2 + 3 * 8 + 1 + 1)
    expect(visitor.page.locator("[data-part=preset] option:checked")).to_have_text("from the playground")


def test_it_fits_a_phone(visit):
    visitor = visit("microscope", phone=True)
    visitor.page.locator(".microscope .unit").first.wait_for()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
