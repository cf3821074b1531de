"""Looking inside the network that answers, from its demo."""


def opened(visitor):
    """The panel of the demo that is seen, opened."""
    visitor.button("Look inside").click()
    panel = visitor.page.locator(".lw-inside").locator("visible=true")
    panel.get_by_role("heading", name="Layers").wait_for()
    return panel


def look(panel, title):
    """Look in another way, until there is something to see."""
    panel.get_by_role("button", name=title, exact=True).click()
    panel.get_by_role("heading", name=title, exact=True).wait_for()
    panel.locator("[data-part=shown] .lw-plots").wait_for()


def test_the_network_is_looked_into_at_what_was_asked(visit):
    visitor = visit("toy")
    page = visitor.page
    panel = opened(visitor)
    assert panel.get_by_text("dense_1", exact=True).count()
    panel.get_by_role("button", name="Saliency", exact=True).click()
    panel.get_by_text("There is no input to look at").wait_for()

    page.get_by_role("list", name="Examples").get_by_role("button").first.click()
    panel.get_by_text("what changes", exact=False).first.wait_for()
    assert not panel.locator("[data-part=problem]").is_visible()

    # What was chosen stays when another example is asked about.
    panel.get_by_label("The class that is explained").select_option("down")
    panel.get_by_text("what changes down").first.wait_for()
    page.get_by_role("list", name="Examples").get_by_role("button").nth(1).click()
    panel.get_by_text("Score of down").wait_for()
    assert panel.get_by_label("The class that is explained").input_value() == "down"

    # What takes long begins when it is looked at.
    look(panel, "Integrated gradients")
    panel.get_by_text("gradients were computed").wait_for()
    visitor.button("Look inside").click()
    assert not panel.get_by_role("heading", name="Integrated gradients").is_visible()


def test_the_panel_is_used_with_the_keyboard_on_a_phone(visit):
    visitor = visit("toy", phone=True, dark=True)
    page = visitor.page
    toggle = visitor.button("Look inside")
    toggle.focus()
    page.keyboard.press("Enter")
    panel = page.locator(".lw-inside").locator("visible=true")
    panel.get_by_role("heading", name="Layers").wait_for()
    assert toggle.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Activations"
    weights = panel.get_by_role("button", name="Weights", exact=True)
    weights.focus()
    page.keyboard.press("Enter")
    panel.get_by_text("dense_1: kernel").first.wait_for()
    assert weights.get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
