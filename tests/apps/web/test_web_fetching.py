"""Pages of networks without weights: what they say, and the button that gets published ones."""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from layerwise.fetching import fetch
from layerwise.versions import Reference
from layerwise.workspace import open_workspace
from layerwise_app.web.fetching import FetchPart, published_html, untrained
from layerwise_app.web.pages import cards
from layerwise_app.web.pages.models import _Page

PLUGIN = Path(__file__).parents[2] / "plugins_sample" / "published"
SHORT, LONG = Reference("words/mood", "short"), Reference("words/mood", "long")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace that sees the plugin whose weights are published, and has none of them."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    with open_workspace(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def shelf(tmp_path):
    """Where the weights of `part` are published."""
    return Path(shutil.copytree(PLUGIN / "shelf", tmp_path / "shelf"))


@pytest.fixture
def part(site, spec, shelf):
    mood = spec("words/mood")
    short, long = mood.variants
    short = dataclasses.replace(short, published=dataclasses.replace(short.published, source=str(shelf)))
    return FetchPart(site, dataclasses.replace(mood, variants=(short, long)))


def visitor(name):
    """The request of somebody's page."""
    return SimpleNamespace(session_hash=name)


def shown(steps):
    """What is shown until a fetching ends, and what it ends with."""
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


def is_visible(button):
    return button["visible"]


def test_it_is_said_how_large_they_are_and_where(site):
    said = untrained(site, SHORT)
    assert "The weights of the network words/mood:short are not on this machine yet." in said
    assert f"3.0 MiB from {PLUGIN / 'shelf'}, licence CC0-1.0" in said
    assert "<code>layerwise fetch words/mood:short</code>" in said
    assert "has not been trained yet" in untrained(site, LONG)


def test_what_a_plugin_says_is_no_markup(spec):
    published = dataclasses.replace(spec("words/mood").variants[0].published, source="<b>hub</b>")
    assert "from &lt;b&gt;hub&lt;/b&gt;," in published_html("words/mood:short", published)


def test_the_button_is_there_where_published_weights_are_missing(site, part, workspace):
    assert [is_visible(part.look(name)[1]) for name in ("short", "long")] == [True, False]
    fetch(workspace.versions, part.spec)
    assert not is_visible(part.look("short")[1])
    assert untrained(site, SHORT) == ""


@pytest.mark.slow
def test_two_visitors_wait_for_the_same(part, shelf, workspace):
    (shelf / "wait").touch()
    both = [part.fetch(visitor(name), "short", 2) for name in ("one", "other")]
    for steps in both:
        said, button, *others = next(steps)
        assert "Getting the weights" in said
        assert not is_visible(button)
        assert len(others) == 2
    for steps in both:
        said = ""
        while "<progress" not in said:
            said, *_ = next(steps)
        assert "scores.csv <b>1.5 MiB</b> of 3.0 MiB" in said
    (shelf / "wait").unlink()
    for steps in both:
        found, has_come = shown(steps)
        assert has_come
        assert (found[-1][0], is_visible(found[-1][1])) == ("", False)
    assert workspace.versions.last_fetched("words/mood", "short").name == "1"
    assert workspace.predictor.predict("words/mood", "good")["mood"]["for"] > 0.9


def test_what_has_come_since_the_page_was_opened_is_not_fetched_again(part, workspace):
    version = fetch(workspace.versions, part.spec)
    found, has_come = shown(part.fetch(visitor("one"), "short", 0))
    assert has_come
    assert found[-1][0] == ""
    assert workspace.versions.current(part.spec) == version


def test_a_failure_is_one_sentence_and_can_be_tried_again(part, shelf):
    away = shelf.rename(shelf.with_name("away"))
    found, has_come = shown(part.fetch(visitor("one"), "short", 1))
    said, button, _ = found[-1]
    assert not has_come
    assert "That did not work." in said
    assert f"There is no scores.csv in {shelf}" in said
    assert is_visible(button)
    away.rename(shelf)
    assert shown(part.fetch(visitor("one"), "short", 1))[1]


def test_who_turns_to_another_network_is_told_no_more_of_the_former(part, shelf, workspace):
    (shelf / "wait").touch()
    one, other = visitor("one"), visitor("other")
    left, stayed = part.fetch(one, "short", 0), part.fetch(other, "short", 0)
    next(left), next(stayed)
    part.turn_to(one, "long")
    found, has_come = shown(left)
    assert not has_come
    assert [(said, is_visible(button)) for said, button in found] == [("", False)]
    (shelf / "wait").unlink()
    assert shown(stayed)[1], "and the others go on waiting"


def test_who_leaves_leaves_it_to_the_others(part, shelf, workspace):
    (shelf / "wait").touch()
    left, stayed = (part.fetch(visitor(name), "short", 0) for name in ("one", "other"))
    for steps in (left, stayed):
        while "<progress" not in next(steps)[0]:
            pass
    left.close()
    (shelf / "wait").unlink()
    assert shown(stayed)[1]
    assert workspace.versions.current(part.spec).folder.name == "1"


def test_the_other_pages_say_what_is_missing_and_what_came(site, spec, workspace):
    mood, page = spec("words/mood"), _Page(site)
    assert cards.main_metric(site, mood) == "no weights yet"
    assert "| short | none yet |" in cards.card_markdown(site, mood)
    _, versions, promote, rollback, listed, *_ = page.look("words/mood:short")
    assert "layerwise fetch words/mood:short" in listed
    fetch(workspace.versions, mood)
    assert "| short | fetched | 6 |" in cards.card_markdown(site, mood)
    _, versions, promote, rollback, listed, *_ = page.look("words/mood:short")
    assert (versions["choices"], promote["interactive"], rollback["interactive"]) == ([], False, False)
    assert "fetched 20" in listed
    assert "in use" in listed
    assert "No version yet." in page.look("words/mood:long")[4]


@pytest.mark.slow
def test_a_server_may_ask_the_hub_and_sends_no_statistics():
    code = (
        "import layerwise_app.web.server, huggingface_hub.constants as hub, gradio.analytics as gradio; "
        "print(hub.is_offline_mode(), hub.HF_HUB_DISABLE_TELEMETRY, gradio.analytics_enabled())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "GRADIO_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == ["False", "True", "False"]
