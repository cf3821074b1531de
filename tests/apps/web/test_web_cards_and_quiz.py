"""Flashcards and quiz: what the pages' scripts are answered."""

from __future__ import annotations

import dataclasses
import json

import pytest

from layerwise import Card, Lesson, Question, QuestionMaker
from layerwise.errors import InputError, NotFoundError
from layerwise_app.web.guard import UNEXPECTED, answering
from layerwise_app.web.pages.flashcards import looked_at
from layerwise_app.web.pages.quiz import OWN, Quiz

NOW = "2026-11-25T10:00:00.000Z"
LESSON = Lesson(name="sums", title="Sums & more", text="Numbers.")
CARD = Card(name="plus", front="What is $1 + 1$?", back="**2**, <b>not</b> 3.", lesson="sums")


def question(name: str, lesson: str | None = "sums", **values) -> Question:
    return Question(
        **{
            "name": name,
            "text": "How much is $1 + 1$?",
            "choices": ("*two*", "three", "four"),
            "answer": 0,
            "explanation": "One more than one.",
            "lesson": lesson,
            **values,
        }
    )


def quiz_of(site, *items) -> Quiz:
    """A quiz on these lessons, questions and makers."""
    return Quiz(dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, lessons=items)))


def test_a_card_is_drawn_and_its_ratings_promise_something():
    found = looked_at({"plus": CARD}, {"name": "plus", "state": None, "now": NOW})
    assert "<math" in found["front"]
    assert "<strong>2</strong>, &lt;b&gt;not" in found["back"]
    assert [outcome["interval"] for outcome in found["outcomes"]] == ["1 minute", "6 minutes", "10 minutes", "8 days"]
    later = json.loads(json.dumps(found["outcomes"][3]["state"]))
    again = looked_at({"plus": CARD}, {"name": "plus", "state": later, "now": "2026-12-03T10:00:00+00:00"})
    assert again["outcomes"][2]["interval"].endswith(("days", "month", "months"))


@pytest.mark.parametrize(
    ("asked", "error", "reason"),
    [
        ({"name": "minus", "now": NOW}, NotFoundError, "no card 'minus'.*load the page again"),
        ({"name": "plus", "now": "soon"}, InputError, "The time cannot be read"),
        ({"name": "plus", "now": NOW, "state": {"due": NOW}}, InputError, "reset the progress"),
    ],
)
def test_what_cannot_be_answered_is_said(asked, error, reason):
    with pytest.raises(error, match=reason):
        looked_at({"plus": CARD}, asked)


def test_a_script_is_told_of_errors(caplog):
    @answering
    def ask(value):
        return {"half": 1 / value} if value != 7 else looked_at({}, {})

    assert ask(2) == {"half": 0.5}
    assert "no card" in ask(7)["error"]
    assert ask(0) == {"error": UNEXPECTED}
    assert "ZeroDivisionError" in caplog.text


def test_a_quiz_asks_about_the_chosen_lessons(site):
    other = question("other", lesson="products")
    quiz = quiz_of(site, LESSON, question("one"), question("two"), other)
    found = quiz.begin({"lessons": ["sums"], "count": 5})["questions"]
    assert {item["name"] for item in found} == {"one", "two"}
    for item in found:
        assert item["choices"][item["answer"]] == "<em>two</em>"
        assert sorted(item["choices"]) == ["<em>two</em>", "four", "three"]
        assert item["title"] == "Sums & more"
        assert "<math" in item["text"]
    assert len(quiz.begin({"lessons": ["sums", "products"], "count": 2})["questions"]) == 2
    (again,) = quiz.begin({"names": ["other"], "count": 9})["questions"]
    assert again["lesson"] is None, "the lesson is not registered, so there is no link to it"
    json.dumps(found)


@pytest.mark.parametrize(
    "asked", [{}, {"lessons": []}, {"lessons": ["history"]}, {"names": ["gone"]}, {"lessons": [OWN]}]
)
def test_nothing_to_ask_is_said(site, asked):
    with pytest.raises(InputError, match="choose a lesson"):
        quiz_of(site, LESSON, question("one")).begin({"count": 5, **asked})


def test_the_end_says_what_to_repeat(site):
    quiz = quiz_of(site, LESSON, question("one"))
    found = quiz.finish([["sums", True], ["sums", False], [None, True]])
    assert "<strong>2 of 3</strong>" in found["html"]
    assert "Sums &amp; more" in found["html"]
    assert "./learn?lesson=sums" in found["html"]
    assert "./flashcards?lesson=sums" in found["html"]
    assert found["lessons"] == {"sums": [1, 2]}
    assert "./learn" not in quiz.finish([["sums", True]])["html"]


def test_questions_from_runs(site, make_run):
    def make(runs):
        return [question(f"of-{run.id}") for run in runs]

    def fail(runs):
        raise ValueError("no metric")

    makers = QuestionMaker(name="works", make=make), QuestionMaker(name="fails", make=fail)
    quiz = quiz_of(site, LESSON, *makers)
    assert quiz.look_at_runs({})["count"] == 0
    assert "./train" in quiz.look_at_runs({})["said"]
    run = make_run("demo/brightness")
    make_run("demo/brightness", ending="failed")
    assert quiz.look_at_runs({}) == {"count": 1, "said": "Your runs give 1 question."}
    for asked in ({"lessons": [OWN]}, {"names": [f"of-{run.id}"]}):
        (found,) = quiz.begin({"count": 5, **asked})["questions"]
        assert found["name"] == f"of-{run.id}"


@pytest.mark.slow
def test_the_pages_of_what_is_registered(client):
    for path in ("flashcards", "quiz"):
        assert client.get(f"/{path}").status_code == 200
    components = json.dumps(client.get("/config").json()["components"])
    assert "All lessons" in components
    assert "What your own runs show" in components
