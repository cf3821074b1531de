"""What changes while the server runs: plugins that are switched, and settings that are wrong."""

import re


def test_a_plugin_that_is_switched_shows_at_once_and_everywhere(visit):
    visitor, other = visit("plugins"), visit("demo?model=echo")
    other.page.get_by_role("tab", name="Echo", selected=True).wait_for()
    page = visitor.page
    navigation = page.get_by_role("navigation", name="Pages")
    # There are so many domains that they are behind one word.
    navigation.get_by_text("Demos").click()
    assert navigation.get_by_role("link", name="Demo").is_visible()
    visitor._leave(visitor.button("Disable demo").click)
    visitor.button("Enable demo").wait_for()
    assert navigation.get_by_role("link", name="Demo").count() == 0

    other.page.get_by_label("Text", exact=True).locator("visible=true").fill("still here")
    other.button("Ask the network").click()
    other.says("This page is older than the registry.")
    other.open("")
    assert other.page.get_by_role("link", name="Demo").count() == 0

    visitor._leave(visitor.button("Enable demo").click)
    visitor.button("Disable demo").wait_for()
    navigation.get_by_text("Demos").click()
    visitor.follow(navigation.get_by_role("link", name="Demo"))
    page.get_by_role("tab", name="Echo").wait_for()


def test_a_plugin_that_failed_says_why(visit):
    visitor = visit("plugins")
    failed = visitor.page.locator(".lw-plugin", has_text="faulty")
    assert failed.locator(".lw-failed").inner_text() == "failed"
    assert "a_module_that_is_not_installed" in failed.locator(".lw-note").inner_text()
    failed.get_by_role("button", name="What went wrong, for its author").click()
    visitor.says(re.compile("ModuleNotFoundError"))
    assert visitor.page.get_by_text("Write your own").is_visible()


def test_a_wrong_setting_is_named(visit):
    visitor = visit("train?model=toy/bars:small")
    page = visitor.page
    page.get_by_label("Hidden units").wait_for()
    page.get_by_label("Number of epochs").fill("0")
    runs = page.locator("#runs tbody tr").count()
    visitor.button("Start training").click()
    visitor.says(re.compile(r"Number of epochs \(num_epochs\) is out of range\. Expected: 1 to 10,?000 epochs"))
    assert page.locator("#runs tbody tr").count() == runs
