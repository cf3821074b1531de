"""Natural questions find the lesson that answers them."""

import pytest

from layerwise import Card, Lesson
from layerwise.teaching.lesson_search import LessonSearch
from layerwise_learn.cards import CARDS
from layerwise_learn.lessons import LESSONS

SHOWN = 3
QUESTIONS = {
    "neuron": ("What is a neuron?", "what does the bias do", "Why can one neuron not learn XOR?"),
    "architecture": ("What is a hidden layer?", "how many parameters does a fully connected network have"),
    "activations": (
        "Why do we need an activation function?",
        "what is a dead relu",
        "What happens if a network is only linear?",
        "What is softmax?",
    ),
    "forward-pass": ("How does a network compute its output?",),
    "loss": ("What is cross-entropy?", "How do you measure how wrong a network is?"),
    "backpropagation": ("How are the gradients computed?", "what is the chain rule for"),
    "gradient-descent": ("What is the difference between SGD and Adam?", "why use mini-batches", "what is momentum"),
    "learning-rate": ("My loss explodes, what is wrong?", "How large should the step size be?"),
    "epochs-and-overfitting": (
        "what is overfitting",
        "When should I stop training?",
        "what is an epoch",
        "why does my network memorise the training data",
    ),
    "regularisation": ("How does dropout work?", "what is weight decay"),
    "computation": ("How much memory does training need?", "Why do we need GPUs?"),
    "hierarchical-features": ("What do the layers of a convolutional network see?",),
    "end-to-end": ("Why learn features instead of making them by hand?",),
    "depth": ("Why are deep networks better than wide ones?",),
    "deep-learning": (
        "What is deep learning?",
        "why did deep learning become popular only now",
        "what is an artificial neural network",
    ),
    "applications": (
        "What is deep learning used for?",
        "What is reinforcement learning?",
        "how can a computer recognise pictures",
        "how do networks translate languages",
    ),
}
"""By the lesson that answers them."""


@pytest.fixture(scope="module")
def search():
    return LessonSearch([*LESSONS, *CARDS])


def test_each_lesson_is_asked_for():
    assert set(QUESTIONS) == {lesson.name for lesson in LESSONS}


def test_the_lesson_is_among_the_first(search):
    """Measured: 36 of 37, 31 of them the first. Those who ask why their loss explodes are told what a loss is."""
    places = {}
    for lesson, questions in QUESTIONS.items():
        for question in questions:
            found = [answer.item.name for answer in search.search(question) if isinstance(answer.item, Lesson)]
            places[question] = found.index(lesson) if lesson in found else len(LESSONS)
    missed = [question for question, place in places.items() if place >= SHOWN]
    assert len(missed) <= 0.05 * len(places), missed
    assert sum(place == 0 for place in places.values()) >= 0.8 * len(places)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_front_of_a_card_finds_the_card(search, card):
    cards = [answer.item for answer in search.search(card.front) if isinstance(answer.item, Card)]
    assert card in cards[:SHOWN]
