"""A quiz: what is drawn, and what the answers say."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import Question, QuestionMaker
from layerwise.teaching.quiz import Score, draw, from_runs, scores, total


def question(name: str, lesson: str | None = None, choices: int = 4) -> Question:
    return Question(
        name=name,
        text="Which?",
        choices=tuple(f"choice {number}" for number in range(choices)),
        answer=len(name) % choices,
        explanation="Because.",
        lesson=lesson,
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=25), st.integers(0, 30), st.integers())
def test_each_is_asked_once_and_the_lessons_evenly(lessons, count, seed):
    pool = [question(f"q{number}", lesson) for number, lesson in enumerate(lessons)]
    asked = draw(pool, count, random.Random(seed))
    names = [item.question.name for item in asked]
    assert len(names) == len(set(names)) == min(count, len(pool))
    there, drawn = Counter(lessons), Counter(item.question.lesson for item in asked)
    if drawn:
        most = max(drawn.values())
        assert all(drawn[lesson] >= min(there[lesson], most - 1) for lesson in there)


@given(st.integers(2, 6), st.integers())
def test_choices_are_mixed_and_the_right_one_is_still_known(choices, seed):
    (asked,) = draw([question("one", choices=choices)], 1, random.Random(seed))
    assert sorted(asked.order) == list(range(choices))
    assert asked.order[asked.answer] == asked.question.answer


def test_every_order_comes_up_and_a_seed_repeats_one():
    orders = {draw([question("q", choices=3)], 1, random.Random(seed))[0].order for seed in range(80)}
    assert len(orders) == 6
    pool = [question(f"q{number}") for number in range(9)]
    assert draw(pool, 5, random.Random(4)) == draw(pool, 5, random.Random(4))


def test_scores():
    found = scores([("a", True), (None, False), ("a", False), ("a", True), ("a", True)])
    assert found == {"a": Score(right=3, total=4), None: Score(right=0, total=1)}
    assert [score.is_known for score in found.values()] == [True, False]
    assert total(found) == Score(right=3, total=5)
    assert total({}) == Score(right=0, total=0)


def test_a_maker_that_fails_takes_no_others_with_it(caplog: pytest.LogCaptureFixture):
    def fails(runs):
        yield question("first")
        raise ValueError("no such metric")

    makers = [
        QuestionMaker(name="fails", make=fails),
        QuestionMaker(name="works", make=lambda runs: (question(f"of-{run}") for run in runs)),
    ]
    assert [item.name for item in from_runs(makers, ["x", "y"])] == ["of-x", "of-y"]  # pyright: ignore
    assert "The question maker fails failed" in caplog.text
