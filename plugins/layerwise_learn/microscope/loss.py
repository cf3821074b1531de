"""Step 2: the losses, taken apart."""

from __future__ import annotations

import dataclasses

import numpy as np

from layerwise.from_scratch.losses import log_softmax
from layerwise_learn.microscope.explanation import (
    MINUS,
    Explanation,
    Factor,
    Place,
    one_over,
)
from layerwise_learn.microscope.forward import softmax
from layerwise_learn.microscope.numbers import Numbers


def probability(numbers: Numbers, place: Place) -> Explanation:
    """What cross-entropy reads as a probability."""
    if numbers.network.output_activation != "sigmoid":
        return softmax(numbers, place)
    output = numbers.factor("output", *place.index)
    words = "The output of a sigmoid is read as a probability."
    return numbers.made(place, words, output.places[0].symbol, ((output,),))


def example_loss(numbers: Numbers, place: Place) -> Explanation:
    """The loss of one example."""
    if numbers.problem.loss == "squared_error":
        return _squared_error(numbers, place)
    return (_binary_loss if numbers.network.output_activation == "sigmoid" else _class_loss)(numbers, place)


def _squared_error(numbers: Numbers, place: Place) -> Explanation:
    (example,) = place.index
    errors = [numbers.difference("output", example, unit) for unit in range(numbers.num_outputs)]
    return numbers.made(
        place,
        "The squared error of an example: how far each output is from its target, squared; the mean over the outputs.",
        rf"{one_over('K')}\sum_k (\hat{{y}}_k - y_k)^2" if numbers.num_outputs > 1 else r"(\hat{y}_1 - y_1)^2",
        tuple((*numbers.share(numbers.num_outputs), dataclasses.replace(error, power=2)) for error in errors),
    )


def _class_loss(numbers: Numbers, place: Place) -> Explanation:
    """The cross-entropy of classes of which one is right."""
    (example,) = place.index
    logarithms = log_softmax(numbers.values[f"z_{numbers.network.depth}"][example])
    terms = []
    for unit, logarithm in enumerate(logarithms):
        p = numbers.factor("probabilities", example, unit)
        ln = Factor(value=float(logarithm), shown=rf"\ln {p.shown}", places=p.places)
        terms.append((MINUS, numbers.factor("targets", example, unit), ln))
    return numbers.made(
        place,
        "The cross-entropy of an example: the negative logarithm of the probability that the network gives to the "
        "right class. A class whose target is 0 adds nothing.",
        r"-\sum_k y_k \ln p_k",
        tuple(terms),
    )


def _binary_loss(numbers: Numbers, place: Place) -> Explanation:
    """The cross-entropy of sigmoid outputs."""
    (example,) = place.index
    terms = []
    for unit in range(numbers.num_outputs):
        z = numbers.values[f"z_{numbers.network.depth}"][example, unit]
        p, y = numbers.factor("probabilities", example, unit), numbers.factor("targets", example, unit)
        # ln p and ln(1 - p) are computed from z: p itself may be rounded to 0 or 1.
        yes = Factor(value=-float(np.logaddexp(0, -z)), shown=rf"\ln {p.shown}", places=p.places)
        no = Factor(value=-float(np.logaddexp(0, z)), shown=rf"\ln (1 - {p.shown})", places=p.places)
        other = Factor(value=1 - y.value, shown=f"(1 - {y.shown})", places=y.places)
        terms += [(MINUS, y, yes), (MINUS, other, no)]
    many = numbers.num_outputs > 1
    rule = r"y_k \ln p_k + (1 - y_k) \ln (1 - p_k)"
    return numbers.made(
        place,
        "The cross-entropy of an example: the negative logarithm of the probability that the network gives to what "
        "is right, p where the target is 1, and 1 - p where it is 0.",
        rf"-\sum_k \left( {rule} \right)" if many else rf"-\left( {rule.replace('_k', '_1')} \right)",
        tuple(terms),
    )


def mean_loss(numbers: Numbers, place: Place) -> Explanation:
    """The loss of the batch."""
    losses = [numbers.factor("losses", example) for example in range(numbers.num_examples)]
    words = "The loss of the batch: the mean over its examples. This is the number that training makes smaller."
    rule = r"\frac{1}{N} \sum_n L_n" if numbers.num_examples > 1 else "L_1"
    return numbers.made(place, words, rule, tuple((*numbers.share(numbers.num_examples), loss) for loss in losses))
