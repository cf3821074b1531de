"""Full-text search over lessons and cards, on a few of them."""

import pytest

from layerwise import Card, Experiment, Lesson
from layerwise.teaching.lesson_search import LessonSearch, stems

RATE = Lesson(
    name="rate",
    title="The learning rate",
    summary="How far each step goes.",
    text="Each step follows the slope.\n\n- Too large a **rate** diverges. The loss explodes.\n- A good one descends.",
    experiments=(Experiment(name="try", title="A parabola", show="nowhere:show", text="Drag the ball."),),
)
UNIT = Lesson(name="unit", title="The unit", text="It adds up what comes in: slope times input. A **bias** shifts it.")
CARD = Card(name="seed", front="What does a seed fix?", back="All randomness.", lesson="unit")
SEARCH = LessonSearch([RATE, UNIT, CARD])


def names(question):
    return [found.item.name for found in SEARCH.search(question)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the learning rate?", ["rate"]),
        ("why is it diverging", ["rate"]),
        ("BIASES", ["unit"]),
        ("parabola", ["rate"]),
        ("Which slope?", ["rate", "unit"]),
        ("seeds", ["unit", "seed"]),
        ("zebra", []),
        ("", []),
        ("?!", []),
    ],
)
def test_what_is_found(question, expected):
    assert sorted(names(question)) == sorted(expected)


def test_a_title_counts_more_than_a_mention():
    mentions = Lesson(name="mentions", title="Something else", text="A unit, and a unit.")
    assert LessonSearch([mentions, UNIT]).search("unit")[0].item is UNIT


def test_a_card_speaks_for_its_lesson():
    found = {answer.item.name: answer.score for answer in SEARCH.search("seed")}
    assert found["unit"] == found["seed"] > 0


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("exploding loss", "The loss explodes."),
        ("which rate", "Too large a **rate** diverges."),
        ("bias", "A **bias** shifts it."),
        ("parabola", "How far each step goes."),
        ("what comes in", "It adds up what comes in: slope times input."),
    ],
)
def test_the_sentence_that_answers(question, sentence):
    assert SEARCH.search(question)[0].sentence == sentence


def test_a_sentence_that_refers_to_another_comes_with_it():
    lesson = Lesson(name="two", title="Two", text="First. The losses part. This is **memorising**.")
    assert LessonSearch([lesson]).search("memorising")[0].sentence == "The losses part. This is **memorising**."


def test_words_without_meaning_count_only_when_there_is_nothing_else():
    assert stems("What is the loss?") == ["loss"]
    assert stems("What is it?") == ["what", "is", "it"]


def test_nothing_registered():
    assert LessonSearch([]).search("anything") == []


def test_the_answer_is_always_the_same():
    assert names("slope of each step") == names("slope of each step")
