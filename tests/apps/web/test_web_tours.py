"""Tours as their page lists them: what is registered, where each stage leads, what is left out."""

import html
import json
import re
from dataclasses import replace

import pytest

from layerwise import Lesson, Stage, Tour
from layerwise_app.web.pages import home, tours

LESSON = Lesson(name="rates", title="Rates", text="More.")
TOUR = Tour(
    name="round",
    title="The <round>",
    summary="Once round.",
    stages=(
        Stage(title="Read", text="About rates.", lesson="rates", minutes=0.5),
        Stage(title="Gone", text="Nobody has it.", lesson="gone"),
        Stage(title="Look", text="At a page.", page="extra", minutes=2),
        Stage(title="Gone too", text="Nobody has it.", page="nothing"),
        Stage(title="Try", text="Say <b>.", model="demo/echo"),
        Stage(title="No such model", text="Nobody has it.", model="demo/nothing"),
        Stage(title="Train", text="Yours.", train="demo/brightness"),
        Stage(title="It cannot be trained", text="It has no training.", train="demo/echo"),
    ),
)
NOWHERE = Tour(
    name="nowhere", title="Nowhere", summary="Leads nowhere.", stages=(Stage(title="A", text="B", page="c"),)
)


@pytest.fixture
def touring(site):
    return replace(site, snapshot=replace(site.snapshot, lessons=(LESSON, TOUR, NOWHERE)))


def test_stages_lead_to_what_is_registered_and_the_others_are_left_out(touring):
    ((tour, stages),) = tours.places(touring)
    assert tour is TOUR
    assert [(stage.title, place) for stage, place in stages] == [
        ("Read", "./learn?lesson=rates"),
        ("Look", "./extra"),
        ("Try", "./demo?model=echo"),
        ("Train", "./train?model=demo/brightness"),
    ]
    assert tours.minutes(stages) == 4


def test_what_the_script_is_told_cannot_become_markup(touring):
    ((tour, stages),) = tours.places(touring)
    shown = tours._tour_html(tour, stages)
    told = json.loads(html.unescape(re.search('data-tour="([^"]*)"', shown)[1]))
    assert told["title"] == "The <round>"
    assert [stage["place"] for stage in told["stages"]] == [place for _, place in stages]
    assert told["stages"][2]["text"] == "Say <b>."
    assert "<b>." not in shown
    assert "<round>" not in shown
    assert "About 4 minutes." in shown


def test_home_leads_to_the_first_tour_that_leads_somewhere(touring, site):
    assert '<a href="./tours">The &lt;round&gt;</a> takes about 4 minutes.' in home.lessons_html(touring)
    without = replace(site, snapshot=replace(site.snapshot, lessons=(LESSON, NOWHERE)))
    assert "tours" not in home.lessons_html(without)
    assert "1 short lesson<" in home.lessons_html(without)
