"""The cards of models: what shows them, how they are found, and what they tell a reader."""

import dataclasses
import re
from pathlib import Path

import pytest

from layerwise_app.web.gallery import gallery_html
from layerwise_app.web.pages import cards, home
from layerwise_app.web.visuals import card_visual, load_examples, summary_of


@pytest.fixture
def visuals(site):
    return {name: card_visual(spec) for name, spec in site.snapshot.models.items()}


def test_home_shows_every_model_below_its_domain(site, visuals):
    page = home.gallery_html(site, visuals, "")
    assert page.count('<a class="lw-card"') == len(site.snapshot.models)
    assert [title in page for title in ("<h2>Vision</h2>", "<h2>Demo</h2>")] == [True, True]
    assert 'href="./demo?model=echo"' in page


def test_what_can_be_seen_comes_first(site, visuals):
    page = home.gallery_html(site, visuals, "")
    titles = ("Vision", "Reinforcement learning", "Science", "Speech", "Language")
    order = [page.index(f"<h2>{title}</h2>") for title in titles]
    assert max(order[:2]) < order[2] < min(order[3:])


def test_each_domain_invites_to_something(site, visuals):
    page = home.gallery_html(site, visuals, "")
    invitations = re.findall(r'<p class="lw-invitation">Try this: <a href="([^"]+)">', page)
    assert "./vision?model=faces&amp;example=1" in invitations
    assert "./rl?model=go" in invitations, "where there is no example, to the page"
    own = {name.partition("/")[0] for name in site.snapshot.models} - {"demo"}
    assert len(invitations) == len(own)
    assert "lw-invitation" not in home.gallery_html(site, visuals, "garments"), "only to what was searched for"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("echo", 1),
        ("ECHO", 1),
        ("mean pixels dark", 1),
        ("demo", 6),
        ("demo zebra", 0),
        ("regression", 1),
        ("  ", None),
    ],
)
def test_search_needs_every_word(site, visuals, query, found):
    found = len(site.snapshot.models) if found is None else found
    page = home.gallery_html(site, visuals, query)
    assert page.count('<a class="lw-card"') == found
    assert ("No model found." in page) == (found == 0)


def test_a_card_shows_pictures_words_or_layers(spec, visuals):
    assert visuals["demo/brightness"].count("<img") == 2
    assert visuals["vision/fashion"].count('<img src="data:image/png;base64,') == 10
    assert re.search(r'<img src="./api/v1/models/rl/pong/picture\?of=[0-9a-f]{12}"', visuals["rl/pong"])
    assert "Hello &lt;world&gt;" in visuals["demo/echo"]
    assert "length 3.0, kind heavy" in visuals["demo/weight"]
    assert visuals["speech/digits-and-words"].count("<i style=") == 60, "a sound is seen"
    assert "lw-layers" in visuals["demo/broken"], "examples that cannot be read spoil nothing"
    bare = dataclasses.replace(spec("demo/echo"), examples=None)
    assert "lw-layers" in card_visual(bare)
    gone = dataclasses.replace(bare, card=dataclasses.replace(bare.card, picture=Path("gone.png")))
    assert "lw-layers" in card_visual(gone), "a picture that is not there spoils nothing either"


def test_ten_garments_are_ten_kinds(spec):
    from layerwise_app.web.visuals import _spread

    labels = [example.label for example in _spread(load_examples(spec("vision/fashion")), 10)]
    assert len(labels) == len(set(labels)) == 10


def test_examples_are_buttons_with_names(spec):
    pictures = gallery_html(load_examples(spec("demo/brightness")), spec("demo/brightness").task.inputs)
    assert pictures.count("<button") == 2
    assert "<span>night</span>" in pictures
    lines = gallery_html(load_examples(spec("demo/echo")), spec("demo/echo").task.inputs)
    assert "<span>Hello &lt;world&gt;</span>" in lines
    assert "<span>Twice</span>" in lines


def test_long_examples_are_cut(spec):
    example = dataclasses.replace(load_examples(spec("demo/echo"))[0], inputs={"text": "word " * 100})
    text = summary_of(example, spec("demo/echo").task.inputs)
    assert len(text) == 140
    assert text.endswith("…")


def test_a_file_is_told_by_its_label_and_not_by_its_path(spec):
    example = load_examples(spec("speech/digits-and-words"))[0]
    assert summary_of(example, spec("speech/digits-and-words").task.inputs) == example.label


def test_home_leads_to_the_lessons(site):
    assert re.search(r'<a href="./learn">\d+ short lessons</a>', home.lessons_html(site))


def test_snippets_fit_the_task(site, spec):
    assert cards.curl_snippet(site, spec("demo/brightness")) == (
        "curl -F image=@picture.png http://127.0.0.1:7860/api/v1/predict/demo/brightness"
    )
    assert '{"inputs": {"row": {"length": 1.0, "kind": "light"}}}' in cards.curl_snippet(site, spec("demo/weight"))
    compile(cards.python_snippet(spec("demo/brightness")), "snippet", "exec")


def test_the_card_holds_what_a_reader_should_know(site, spec):
    card = cards.card_markdown(site, spec("vision/fashion"))
    assert "**Limits.**" in card
    assert "**Licence of the weights:** Apache-2.0" in card
    assert "| conv |" in card
