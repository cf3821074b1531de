"""Step 4: gradient descent, taken apart."""

from __future__ import annotations

from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.microscope.explanation import (
    Explanation,
    Factor,
    Place,
)
from layerwise_learn.microscope.numbers import DIGITS, Numbers


def change(numbers: Numbers, place: Place) -> Explanation:
    """What is added to a weight or a bias."""
    rate, gradient = _rate_and_gradient(numbers, place)
    words = "The change: against the gradient, as long as the learning rate says."
    return numbers.made(place, words, rf"-\eta \, {gradient.places[0].symbol}", ((rate, gradient),))


def after(numbers: Numbers, place: Place) -> Explanation:
    """A weight or a bias after the update."""
    rate, gradient = _rate_and_gradient(numbers, place)
    before = numbers.factor(place.name.replace("after", "before"), *place.index)
    words = "Gradient descent: a step against the gradient, as long as the learning rate says."
    if gradient.value == 0:
        words += " The gradient is 0, so it stays as it is."
    return numbers.made(
        place,
        words,
        rf"{before.places[0].symbol} - \eta \, {gradient.places[0].symbol}",
        ((before,), (rate, gradient)),
        shown=rf"{number(before.value, DIGITS)} - {number(-rate.value, DIGITS)} \cdot {gradient.shown}",
    )


def _rate_and_gradient(numbers: Numbers, place: Place) -> tuple[Factor, Factor]:
    rate = -numbers.problem.learning_rate
    gradient = numbers.factor(f"dL/d{place.name.partition(' ')[0]}", *place.index)
    return Factor(value=rate, shown=factor(rate, DIGITS)), gradient
