"""The button that gets published weights: seen by two at a time, after a failure, and by one who talks."""

import os
import shutil
from pathlib import Path

import pytest

from layerwise.versions import VersionStore

PLUGIN = Path(__file__).parents[1] / "plugins_sample" / "published"


@pytest.fixture
def shelf(tmp_path):
    """Where the weights are published, beside the plugin that says so."""
    return Path(shutil.copytree(PLUGIN, tmp_path / "plugin")) / "shelf"


@pytest.fixture
def words(shelf, tmp_path, serving, monkeypatch):
    """Where a server is that has the plugin and nothing else."""
    path = os.pathsep.join([str(shelf.parent), os.environ["PYTHONPATH"]])
    monkeypatch.setenv("PYTHONPATH", path)
    with serving(tmp_path / "home") as address:
        yield address


def test_two_who_press_it_are_answered_without_a_reload(visit, words, shelf):
    (shelf / "wait").touch()
    both = [visit("words?model=mood", address=words, phone=phone) for phone in (False, True)]
    for visitor in both:
        visitor.says("3.0 MiB from")
        visitor.page.get_by_label("Text", exact=True).locator("visible=true").fill("good fine")
        visitor.button("Get the weights").click()
        visitor.page.get_by_role("progressbar").locator("visible=true").wait_for()
        visitor.says("of 3.0 MiB")
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    (shelf / "wait").unlink()
    for visitor in both:
        visitor.page.locator(".lw-best strong", has_text="for").wait_for()
        assert visitor.button("Get the weights").count() == 0
        assert visitor.page.get_by_text("are not on this machine yet").locator("visible=true").count() == 0


def test_a_failure_is_said_and_the_next_try_lets_one_talk(visit, words, shelf):
    times = (shelf / "times.txt").rename(shelf / "away")
    visitor = visit("words?model=talk", address=words)
    visitor.button("Get the weights").click()
    visitor.says("There is no times.txt in")
    times.rename(shelf / "times.txt")
    visitor.button("Get the weights").click()
    visitor.page.wait_for_function("!document.querySelector('.lw-chat .lw-said [role]')")
    message = visitor.page.get_by_role("textbox", name="Message").locator("visible=true")
    message.fill("so")
    message.press("Enter")
    visitor.says("so so")


def test_another_network_is_looked_at_meanwhile(visit, words, shelf, tmp_path):
    (shelf / "wait").touch()
    visitor = visit("words?model=mood", address=words)
    visitor.button("Get the weights").click()
    visitor.page.get_by_role("progressbar").locator("visible=true").wait_for()
    visitor.page.get_by_label("long").check()
    visitor.says("The network words/mood:long has not been trained yet.")
    visitor.page.get_by_role("progressbar").locator("visible=true").wait_for(state="hidden")
    (shelf / "wait").unlink()
    while VersionStore(tmp_path / "home").last_fetched("words/mood", "short") is None:
        visitor.page.wait_for_timeout(100)
    visitor.page.get_by_label("short").check()
    visitor.page.get_by_label("Text", exact=True).locator("visible=true").fill("bad")
    visitor.page.get_by_text("are not on this machine yet").locator("visible=true").wait_for(state="hidden")
    visitor.button("Ask the network").click()
    visitor.page.locator(".lw-best strong", has_text="against").wait_for()
