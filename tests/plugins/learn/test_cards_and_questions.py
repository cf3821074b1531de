"""Cards and questions: enough for each lesson, nothing that gives an answer away, and answers that are right."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from layerwise.activations import ACTIVATIONS, sigmoid
from layerwise.plots import Histogram, LinePlot
from layerwise_app.web.plots import rich_text
from layerwise_learn.cards import CARDS
from layerwise_learn.lessons import LESSONS
from layerwise_learn.questions import QUESTIONS, figures

IDEAS = """deep learning, artificial neural network, artificial neuron, weight, bias, activation function, ReLU,
sigmoid, tanh, GELU, SELU, softmax, layers, fully connected, forward pass, loss function, cross-entropy,
backpropagation, chain rule, stochastic, mini-batch, momentum, Adam, learning rate, epoch, step, overfitting,
validation, early stopping, regularisation, L1, L2, dropout, initialised, normalisation, vanishing gradients,
residual connection, depth, width, universal approximation, hierarchical feature learning, end-to-end learning,
convolution, receptive field, pooling, attention, tokenizer, embedding, transformer, CTC, agent, observation,
action, reward, policy, value, Q-learning, deep reinforcement, computer vision, detection, segmentation,
natural language processing, speech, GPU, FLOPs, float32, data set, data augmentation, transfer learning,
accuracy, F1, perplexity, IoU, confidence interval, saliency"""
"""What the cards must ask or tell."""
BY_NAME = {question.name: question for question in QUESTIONS}


def right(name: str) -> str:
    question = BY_NAME[name]
    return question.choices[question.answer]


def number(text: str) -> float:
    """The first number of a choice: "$7 \\times 7$" is 7, "1 216" is 1216."""
    (found, *_) = re.findall(r"-?\d+(?:\.\d+)?", re.sub(r"(?<=\d)(?:\\,| )(?=\d{3})", "", text))
    return float(found)


def test_there_are_enough_and_none_twice():
    assert len(CARDS) >= 60
    assert len(QUESTIONS) >= 60
    for texts in ([card.front for card in CARDS], [card.back for card in CARDS], [item.text for item in QUESTIONS]):
        assert [text for text, count in Counter(map(str.lower, texts)).items() if count > 1] == []
    assert len({card.name for card in CARDS}) == len(CARDS)
    assert len(BY_NAME) == len(QUESTIONS)


@pytest.mark.parametrize("items", [CARDS, QUESTIONS], ids=["cards", "questions"])
def test_every_lesson_has_at_least_three_and_none_names_another(items):
    counts = Counter(item.lesson for item in items)
    assert set(counts) == {lesson.name for lesson in LESSONS}
    assert min(counts.values()) >= 3


def test_every_idea_is_asked_about():
    texts = " ".join(f"{card.name} {card.front} {card.back}" for card in CARDS).replace("*", "").lower()
    assert [idea for idea in re.split(r",\s+", IDEAS.lower()) if idea not in texts] == []


def test_no_answer_is_given_away():
    positions = Counter(question.answer for question in QUESTIONS)
    assert all(0.15 < positions[place] / len(QUESTIONS) < 0.35 for place in range(4)), positions
    lengths = [[len(choice) for choice in question.choices] for question in QUESTIONS]
    longest = [
        own[question.answer] > max(other for place, other in enumerate(own) if place != question.answer)
        for question, own in zip(QUESTIONS, lengths, strict=True)
    ]
    shortest = [
        own[question.answer] < min(other for place, other in enumerate(own) if place != question.answer)
        for question, own in zip(QUESTIONS, lengths, strict=True)
    ]
    assert np.mean(longest) < 0.25, "the longest is right no more often than by chance"
    assert np.mean(shortest) < 0.25
    for question, own in zip(QUESTIONS, lengths, strict=True):
        others = (sum(own) - own[question.answer]) / 3
        assert 0.6 * others - 5 <= own[question.answer] <= 1.5 * others + 5, question.name


def test_choices_stand_by_themselves_and_explanations_say_more():
    for question in QUESTIONS:
        assert len(question.choices) == 4, question.name
        assert not re.search(r"\b(all|none|both) of (the|these)\b", " ".join(question.choices).lower()), question.name
        assert len(question.explanation) > 60, question.name
    for text in [text for card in CARDS for text in (card.front, card.back)] + [item.explanation for item in QUESTIONS]:
        assert "!" not in text
        assert text.rstrip().endswith((".", "?", "$")), text


def test_every_formula_can_be_read(caplog):
    texts = [text for card in CARDS for text in (card.front, card.back)]
    texts += [text for item in QUESTIONS for text in (item.text, item.explanation, *item.choices)]
    for text in texts:
        html = rich_text(text)
        assert "$" not in html, text
        assert html.count("<math") == text.count("$") / 2
    assert not caplog.records, "a formula that cannot be read is said in the log"


COMPUTED = {
    "neuron-by-hand": max(0, 0.5 * 2 + 1 * -1 + 0.5),
    "count-parameters": (10 * 5 + 5) + (5 * 2 + 2),
    "count-weights-in-the-picture": 3 * 4 + 4 * 2,
    "softmax-by-hand": round(float(sigmoid(np.array(1.0))), 2),
    "two-layers-by-hand": -1 * max(0, 1.5 * 2 - 1) + 3,
    "loss-before-training": round(math.log(10), 1),
    "accuracy-trap": 0,
    "f1-by-hand": round(2 * 1 * 0.5 / 1.5, 2),
    "perplexity-by-hand": round(math.exp(math.log(8))),
    "chain-rule-by-hand": 2 * (1 * 2 - 5) * 2,
    "update-by-hand": 2 - 0.1 * -3,
    "largest-stable-rate": 2 / 4,
    "count-steps": 50_000 // 100 * 3,
    "he-by-hand": math.sqrt(2 / 200),
    "flops-by-hand": 2 * 1000 * 1000 / 1e6,
    "training-flops-by-hand": 6 * 1e6 * 1e5 * 10 / 1e12,
    "memory-of-adam": 4 * 4 * 100e6 / 1e9,
    "receptive-field-by-hand": 1 + 2 * (5 - 1),
    "convolution-parameters-by-hand": 5 * 5 * 3 * 16 + 16,
    "size-after-pooling": 28 // 2 // 2,
    "how-many-tents": 3,
    "teeth-of-five-layers": 2 ** (5 - 1),
    "residual-slope": 1 + 0.1,
    "q-target-by-hand": 1 + 0.9 * 10,
}


@pytest.mark.parametrize("name", COMPUTED)
def test_answers_that_can_be_computed(name):
    assert number(right(name)) == pytest.approx(COMPUTED[name])


def test_answers_that_are_no_single_number():
    assert right("iou-by-hand") == f"$1/{(4 + 4 - 2) // 2}$"
    assert right("ten-sigmoids") == "A millionth"
    assert round(0.25**-10, -5) == pytest.approx(1e6, rel=0.1)
    gradient = np.array([0.7, 0.2, 0.1]) - np.array([0, 1, 0])
    assert [float(part) for part in re.findall(r"-?[\d.]+", right("softmax-gradient-by-hand"))] == gradient.round(
        1
    ).tolist()
    losses = [0.90, 0.70, 0.60, 0.65, 0.62, 0.61, 0.63]
    end = next(e for e in range(3, 7) if min(losses[e - 2 : e + 1]) >= min(losses[: e - 2]))
    assert right("patience-by-hand") == f"Epoch {end + 1}"
    assert right("which-mean-squared-error") == f"B, with {5**2 / 4:.2f}"
    assert right("noise-and-batch-size") == "It halves"
    shares = np.exp([1.0, 2.0, 0.5]) / np.exp([1.0, 2.0, 0.5]).sum()
    assert np.exp([6.0, 7.0, 5.5]) / np.exp([6.0, 7.0, 5.5]).sum() == pytest.approx(shares)
    assert right("softmax-shifted") == "They stay the same"
    assert math.log(1 / 0.25) == pytest.approx(2 * math.log(1 / 0.5))
    assert right("loss-when-probability-halves") == "It doubles"


def lines(name: str) -> dict[str, np.ndarray]:
    (plot,) = BY_NAME[name].shown()
    assert isinstance(plot, LinePlot)
    return {line.label: line.y for line in plot.lines}


def test_the_curves_show_what_the_marked_answer_says():
    assert lines("which-activation-is-drawn")[""].min() == pytest.approx(-1, abs=0.02)
    assert lines("whose-derivative-is-drawn")[""].max() == pytest.approx(0.25)
    rates = lines("order-of-learning-rates")
    ends = {label: abs(weights[-1]) for label, weights in rates.items()}
    assert ends["A"] > 1 > ends["B"] > 100 * ends["C"]
    assert (rates["A"][1:] * rates["A"][:-1] < 0).all(), "it lands on the other side each time"
    assert right("order-of-learning-rates") == "B, C, A"
    curves = lines("where-overfitting-begins")
    assert right("where-overfitting-begins") == f"Epoch {curves['validation'].argmin() + 1}"
    assert (np.diff(curves["training"]) < 0).all()
    assert curves["validation"][-1] > 1.15 * curves["validation"].min()
    teeth = (np.diff(np.sign(np.diff(lines("how-many-tents")[""]))) < 0).sum()
    assert teeth == 4
    sizes = lines("which-curve-is-single-example")
    rises = {label: (np.diff(losses) > 1e-6).sum() for label, losses in sizes.items()}
    assert rises["A"] == 0
    assert rises["B"] > 30
    assert right("which-curve-is-single-example").startswith("B ")


def test_the_pictures_show_what_the_marked_answer_says():
    (valley,) = figures.swinging_path()
    across = valley.lines[0].y
    assert (np.sign(across[1:]) == -np.sign(across[:-1])).all()
    ((one, other),) = [row.plots for row in figures.penalised_weights()]
    assert isinstance(one, Histogram)
    assert one.counts.max() > 0.5 * one.counts.sum() > other.counts.max()
    (pair,) = figures.filtered_square()
    edges = pair.pictures[1].heat
    assert edges[:, :6].max() == 1 == -edges[:, 6:].min()
    assert not edges[3, 4:8].any(), "nothing along the upper edge"
    (sound,) = figures.rising_tone()
    loudest = sound.values.argmax(axis=0)
    assert (np.diff(loudest) >= 0).mean() > 0.95
    assert loudest[-1] > 4 * loudest[0]
    (network,) = figures.network_to_count()
    widths = [len(layer) for layer in network.layers]
    assert sum(a * b for a, b in pairwise(widths)) == number(right("count-weights-in-the-picture"))


def test_derivatives_on_cards_are_those_of_the_core():
    """What the cards of the activation functions claim."""
    x = np.linspace(-8, 8, 1001)
    assert ACTIVATIONS["sigmoid"].derivative(x).max() == pytest.approx(0.25)
    assert ACTIVATIONS["tanh"].function(x) == pytest.approx(2 * sigmoid(2 * x) - 1)
    assert ACTIVATIONS["tanh"].derivative(np.zeros(1)) == pytest.approx(1)
    assert ACTIVATIONS["leaky_relu"].function(-np.ones(1)) == pytest.approx(-0.2)
    assert ACTIVATIONS["elu"].function(np.array([-30.0])) == pytest.approx(-1)
    assert -0.3 < ACTIVATIONS["silu"].function(x).min() < 0
    assert -0.3 < ACTIVATIONS["gelu"].function(x).min() < 0
