"""Lessons, experiments, cards, questions: what they refuse, and what an experiment gives."""

from __future__ import annotations

import dataclasses

import pytest

from layerwise import Card, Experiment, Lesson, Question, QuestionMaker, Settings, Stage, Tour, setting
from layerwise.errors import SpecError
from layerwise.plots import Formula, Text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sum(Settings):
    left: int = setting(1, "The first number", minimum=0, maximum=9)
    right: int = setting(2, "The second number", minimum=0, maximum=9)


def add(settings: Sum) -> list[Formula]:
    return [Formula(latex=f"{settings.left} + {settings.right} = {settings.left + settings.right}")]


def count(settings: Sum):
    for number in range(settings.left, settings.right + 1):
        yield [Text(text=str(number))]


def experiment(**values) -> Experiment:
    return Experiment(**{"name": "sum", "title": "A sum", "show": add, "settings": Sum, **values})


def test_a_quick_experiment_shows_once_what_follows_from_its_settings():
    (shown,) = experiment().run(Sum(left=4))
    assert [plot.latex for plot in shown] == ["4 + 2 = 6"]


def test_a_long_experiment_shows_more_and_more():
    assert [shown[0].text for shown in experiment(show=count).run(Sum())] == ["1", "2"]


def test_an_experiment_named_as_text_is_found_when_it_runs():
    assert next(experiment(show=f"{__name__}:add").run(Sum()))[0].latex == "1 + 2 = 3"
    with pytest.raises(SpecError, match="cannot be imported"):
        next(experiment(show="nowhere:add").run(Sum()))


def test_settings_are_checked():
    with pytest.raises(SpecError, match=r"Left is out of range\. Expected: 0 to 9\. Received: 10"):
        Sum(left=10)


def question(**values) -> Question:
    return Question(**{"name": "q", "text": "Which?", "choices": ("a", "b"), "answer": 0, "explanation": "x", **values})


def test_the_plots_of_a_question_are_given_or_computed_when_it_is_asked():
    assert question(plots=[Text(text="here")]).shown()[0].text == "here"
    assert question(plots=lambda: [Text(text="now")]).shown()[0].text == "now"
    assert question(plots=f"{__name__}:some_plots").shown()[0].text == "named"
    assert question().shown() == ()


def some_plots() -> list[Text]:
    return [Text(text="named")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Silent(Settings):
    left: int = 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: experiment(name="Two words"), "unusable name"),
        (lambda: experiment(title=""), "title is missing"),
        (lambda: experiment(show="add"), "show is not usable"),
        (lambda: experiment(settings=dict), "expected: a subclass of Settings"),
        (lambda: experiment(settings=Silent), "says nothing about itself"),
        (lambda: Lesson(name="neuron", title="", text="..."), "title is missing"),
        (lambda: Lesson(name="n", title="N", text="...", experiments=("sum",)), "expected: a sequence of Experiment"),
        (lambda: Lesson(name="n", title="N", text="...", experiments=(experiment(),) * 2), "experiment twice"),
        (lambda: Card(name="neuron", front="What?", back=" "), "back is missing"),
        (lambda: question(choices=("a", "a")), "different choices"),
        (lambda: question(answer=2), "right choice"),
        (lambda: question(plots="some_plots"), "plots is not usable"),
        (lambda: QuestionMaker(name="q", make=3), "make is not usable"),
        (lambda: Stage(title="Here", text="Look."), "needs a place"),
        (lambda: Stage(title="Here", text="Look.", lesson="neuron", page="lab"), "needs a place"),
        (lambda: Stage(title="Here", text="Look.", lesson="neuron", minutes=0), "minutes is not usable"),
        (lambda: Stage(title="Here", text=" ", lesson="neuron"), "text is missing"),
        (lambda: Tour(name="t", title="T", summary="S", stages=()), "stages is not usable"),
        (lambda: Tour(name="t", title="T", summary="S", stages=("neuron",)), "stages is not usable"),
    ],
)
def test_what_cannot_be_used_is_refused(make, reason):
    with pytest.raises(SpecError, match=f"(?i){reason}"):
        make()
