"""The lessons as the page asks for them: controls, experiments that take long, links, answers."""

import html
import re
from dataclasses import dataclass, replace

import pytest

from layerwise import Card, Experiment, Lesson, Question, Settings, setting
from layerwise.errors import InputError, LayerwiseError, NotFoundError, SpecError
from layerwise.plots import Text
from layerwise_app.web import experiments
from layerwise_app.web.experiments import Trials, controls_html, experiment_html, linked_settings
from layerwise_app.web.guard import UNEXPECTED
from layerwise_app.web.lesson import answers_html, lesson_html, list_html
from layerwise_app.web.pages.learn import LearnPage


@dataclass(frozen=True, kw_only=True)
class Everything(Settings):
    rate: float = setting(0.01, "Learning rate", minimum=1e-4, maximum=1, log=True)
    weight: float = setting(0.5, "Weight $w$", minimum=-3, maximum=3)
    steps: int = setting(5, "Steps", minimum=1, maximum=9, unit="steps")
    width: int = setting(8, "Width", minimum=1)
    rule: str = setting("sgd", "Rule", choices=("sgd", "adam", "leaky_relu", "conv_1_2"))
    is_on: bool = setting(True, "Whether it is on")
    sizes: tuple[int, ...] = setting((4, 2), "Sizes")


def say(settings):
    return [Text(text=f"rate {settings.rate:g}, {settings.steps} steps")]


def count(settings):
    for step in range(1, settings.steps + 1):
        yield [Text(text=f"step {step}")]


def fail(settings):
    raise LayerwiseError("It cannot be <done>", remedy="turn less")


def broken(settings):
    raise ZeroDivisionError


SIZES_EXPECTED = "Expected: whole numbers separated by commas."
QUICK = Experiment(name="quick", title="Quick", text="Turn **it**.", show=say, settings=Everything)
LONG = Experiment(name="long", title="Long", show=count, settings=Everything, button="Begin")
LESSON = Lesson(
    name="rates",
    title="Rates",
    chapter="Chapter <one>",
    summary="About rates.",
    text="A **rate** is $r$.",
    experiments=(QUICK, LONG),
    page="extra",
    demos=("demo/echo", "vision", "nothing/here"),
)
NEXT = Lesson(name="next", title="What follows", text="More.", chapter="Chapter <one>")
CARD = Card(name="rate", front="What is a rate?", back="A **speed**.", lesson="rates")
QUESTION = Question(
    name="ask", text="Which?", choices=("left", "right"), answer=1, explanation="So it is.", lesson="rates"
)


@pytest.fixture
def learning(site):
    lessons = (LESSON, NEXT, CARD, QUESTION)
    return replace(site, snapshot=replace(site.snapshot, lessons=lessons))


@pytest.fixture
def page(learning):
    return LearnPage(learning)


def test_each_setting_has_a_control_with_its_meaning():
    shown = controls_html(Everything, {"steps": "7", "is_on": "false", "rule": "adam"})
    assert shown.count("<label") == shown.count("data-setting=") == 7
    assert 'type="range" data-setting="rate" data-default="0.01" data-log="" min="-4" max="0" step="0.02"' in shown
    assert 'data-setting="steps" data-default="5" data-whole="" min="1" max="9" step="1" value="7"' in shown
    assert "<output>7</output> steps" in shown
    assert '<input type="number" data-setting="width" data-default="8" value="8">' in shown
    assert '<option value="adam" selected>adam</option>' in shown
    assert '<option value="leaky_relu">leaky relu</option><option value="conv_1_2">conv_1_2</option>' in shown
    assert 'type="checkbox" data-setting="is_on" data-default="true">' in shown, "not checked"
    assert 'type="text" data-setting="sizes" data-default="4,2" value="4,2">' in shown
    assert re.search("Weight <[^>]*><math", shown)


@pytest.mark.parametrize("value", ["7", 7, 7.0])
def test_settings_are_read_from_an_address_or_a_form(value):
    assert linked_settings(Everything, {"steps": value}) == Everything(steps=7)


@pytest.mark.parametrize("values", [{"steps": "99"}, {"steps": "many"}, {"steps": None}, {"rule": "<b>"}, {"gone": 1}])
def test_an_old_link_shows_the_defaults(values):
    assert linked_settings(Everything, values) == Everything()
    assert "<b>" not in controls_html(Everything, values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"width": ""}, {"width": "Expected: a whole number, at least 1."}),
        ({"width": "2.5"}, {"width": "Expected: a whole number, at least 1."}),
        ({"width": "0", "steps": 3}, {"width": "Expected: at least 1."}),
        ({"width": "0", "sizes": "4, many"}, {"width": "Expected: at least 1.", "sizes": SIZES_EXPECTED}),
    ],
)
@pytest.mark.parametrize("call", ["show", "begin"])
def test_what_was_typed_wrongly_is_refused_and_says_what_was_expected(page, call, values, expected):
    asked = {"lesson": "rates", "experiment": "quick", "settings": values, "token": "0123456789"}
    assert getattr(page, call)(asked) == {"refused": expected}


def test_settings_of_another_experiment_are_refused(page):
    with pytest.raises(SpecError, match="gone"):
        page.show({"lesson": "rates", "experiment": "quick", "settings": {"gone": "1"}})


def test_a_quick_experiment_is_shown_at_once_a_long_one_at_its_button(page):
    quick, long = experiment_html(QUICK, {"steps": 3}), experiment_html(LONG, {})
    assert "rate 0.01, 3 steps" in quick
    assert "data-action" not in quick
    assert "step 1" not in long
    assert " id=" not in quick + long, "a page may show an experiment twice"
    assert 'aria-label="Quick"' in quick
    assert 'data-action="run">Begin</button>' in long


@pytest.mark.parametrize(
    ("show", "said"),
    [(fail, "It cannot be &lt;done&gt;"), (broken, html.escape(UNEXPECTED))],
)
def test_what_goes_wrong_is_said_in_its_place(show, said):
    shown = experiment_html(replace(QUICK, show=show), {})
    assert f'data-part="note">{said}' in shown
    assert "<h3" in shown
    assert "data-setting" in shown


def test_a_lesson(learning):
    shown = lesson_html(learning, LESSON, {"quick": {"steps": "4"}})
    assert "rate 0.01, 4 steps" in shown
    assert '<p class="lw-chapter">Chapter &lt;one&gt;</p>' in shown
    assert 'href="./extra"' in shown
    assert 'href="./demo?model=echo"' in shown
    assert 'href="./vision"' in shown
    assert "nothing/here" not in shown
    assert '<a rel="next" href="./learn?lesson=next">What follows →</a>' in shown
    assert 'rel="prev"' not in shown
    assert 'href="./quiz?lesson=rates"' in shown
    assert 'href="./flashcards?lesson=rates"' in shown
    assert shown.count('data-choice="right"') == 1
    assert 'data-choice="right" aria-label="right">right</button>' in shown


def test_a_lesson_without_anything_else(learning):
    shown = lesson_html(learning, NEXT, {})
    assert "<h2>" not in shown
    assert 'rel="prev" href="./learn?lesson=rates"' in shown


def test_the_list_of_lessons(learning):
    shown = list_html(learning)
    assert shown.count("<section>") == 2, "a chapter, and the other pages"
    assert "<h2>Chapter &lt;one&gt;</h2>" in shown
    assert [name in shown for name in ("./learn?lesson=rates", "./learn?lesson=next", "./quiz", "./flashcards")]


def test_what_the_page_asks_for(page):
    assert page.open({"lesson": "rates", "settings": {}})["title"] == "Rates"
    asked = {"lesson": "rates", "experiment": "quick", "settings": {"rate": "0.1"}}
    assert "rate 0.1, 5 steps" in page.show(asked)["html"]
    with pytest.raises(NotFoundError):
        page.open({"lesson": "nothing"})
    with pytest.raises(NotFoundError):
        page.show({"lesson": "rates", "experiment": "nothing"})


def test_a_question_in_plain_words(page):
    shown = page.ask("what is a RATE")["html"]
    assert 'href="./learn?lesson=rates"' in shown
    assert "A <strong><mark>rate</mark></strong> is <" in shown
    assert "What is a <mark>rate</mark>?" in shown
    assert page.ask("  ")["html"] == ""
    assert "Nothing found." in page.ask("<b>zebra</b>")["html"]
    assert len(page.ask("rate " * 10_000)["html"]) < 10_000


def test_marks_leave_tags_alone(learning):
    (found, *_) = LearnPage(learning)._search.search("strong rate")
    assert "<<mark>" not in answers_html(learning, "strong rate", [found])


def test_a_long_experiment_goes_step_by_step(page):
    token = "0123456789"
    page.begin({"lesson": "rates", "experiment": "long", "settings": {"steps": 2}, "token": token})
    assert "step 1" in page.more({"token": token})["html"]
    assert "step 2" in page.more({"token": token})["html"]
    assert page.more({"token": token}) == {"html": None}
    with pytest.raises(InputError):
        page.more({"token": token})


def test_a_long_experiment_can_be_stopped_at_any_time(page):
    token = "0123456789"
    page.begin({"lesson": "rates", "experiment": "long", "token": token})
    assert page.more({"token": token, "stop": True}) == {"html": None}
    assert page.more({"token": token, "stop": True}) == {"html": None}
    with pytest.raises(InputError):
        page.more({"token": token})


@pytest.mark.parametrize("token", [None, "short", 12345678, "x" * 65])
def test_a_token_that_others_could_have_is_refused(page, token):
    with pytest.raises(InputError):
        page.begin({"lesson": "rates", "experiment": "long", "token": token})


def test_those_that_nobody_looks_at_are_forgotten(monkeypatch):
    monkeypatch.setattr(experiments, "KEPT_TRIALS", 2)
    trials = Trials()
    for token in ("one", "two", "three"):
        trials.begin(token, LONG, Everything())
    with pytest.raises(InputError):
        trials.next("one")
    assert trials.next("two")
    assert trials.next("three")
    monkeypatch.setattr(experiments, "KEPT_TRIALS", 9)
    now = experiments.time.monotonic()
    monkeypatch.setattr(experiments.time, "monotonic", lambda: now + experiments.KEPT_SECONDS + 1)
    trials.begin("four", LONG, Everything())
    with pytest.raises(InputError):
        trials.next("two")


def test_two_visitors_have_an_experiment_each():
    trials = Trials()
    trials.begin("first", LONG, Everything())
    trials.begin("second", LONG, Everything())
    one = trials.next("first")
    assert trials.next("first") != one
    assert trials.next("second") == one
