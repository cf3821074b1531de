"""Step 3: the gradients, taken apart by the chain rule."""

from __future__ import annotations

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.microscope.explanation import (
    MINUS,
    Explanation,
    Factor,
    Formula,
    Place,
    Terms,
    one_over,
    written,
)
from layerwise_learn.microscope.numbers import DIGITS, Numbers

CANCELS = (
    "Softmax or sigmoid and the logarithm of the loss fit each other: their derivatives multiply to just the "
    "probability minus the target."
)


def output_gradient(numbers: Numbers, place: Place) -> Explanation:
    """dL/doutput, where the loss is the squared error."""
    example, unit = place.index
    count = numbers.num_examples * numbers.num_outputs
    below = "N" * (numbers.num_examples > 1) + "K" * (numbers.num_outputs > 1)
    share = rf"\frac{{2}}{{{below}}}" if below else "2"
    return numbers.made(
        place,
        "How the loss changes with this output: the derivative of the square is twice the error"
        + (", divided by the numbers over which the loss is a mean." if below else "."),
        rf"{share} (\hat{{y}}_{{{unit + 1}}} - y_{{{unit + 1}}})",
        ((*numbers.share(count, top=2), numbers.difference("output", example, unit)),),
    )


def sum_gradient(numbers: Numbers, place: Place) -> Explanation:
    """dL/dz."""
    layer, (example, unit) = int(place.name[6:]), place.index
    terms, rule, words = _through_activation(numbers, layer, example, unit)
    return numbers.made(place, words, rule, terms)


def _through_activation(numbers: Numbers, layer: int, example: int, unit: int) -> tuple[Terms, str, str]:
    """dL/dz as terms, rule and words."""
    is_last = layer == numbers.network.depth
    if is_last and numbers.problem.loss == "cross_entropy":
        share = one_over("N") if numbers.num_examples > 1 else ""
        return (
            ((*numbers.share(numbers.num_examples), numbers.difference("probabilities", example, unit)),),
            f"{share}(p_{{{unit + 1}}} - y_{{{unit + 1}}})",
            CANCELS,
        )
    if is_last and numbers.network.output_activation == "softmax":
        return _through_softmax(numbers, example, unit)
    da_name = "dL/doutput" if is_last else f"dL/da_{layer}"
    da, z = numbers.factor(da_name, example, unit), numbers.factor(f"z_{layer}", example, unit)
    function = ACTIVATIONS[numbers.activation_name(layer)]
    derivative = float(function.derivative(np.array([z.value]))[0])
    slope = Factor(value=derivative, shown=factor(derivative, DIGITS), places=z.places)
    words = f"The chain rule: what is known of the activation, times the slope of {function.title} at z."
    if derivative == 0:
        words += " The slope is 0 here, so nothing goes further back through this unit."
    return ((da, slope),), rf"{da.places[0].symbol} \cdot f'({z.places[0].symbol})", words


def _through_softmax(numbers: Numbers, example: int, unit: int) -> tuple[Terms, str, str]:
    def pair(other: int) -> tuple[Factor, Factor]:
        return numbers.factor("output", example, other), numbers.factor("dL/doutput", example, other)

    p, da = pair(unit)
    terms = ((p, da), *((MINUS, p, *pair(other)) for other in range(numbers.num_outputs)))
    j = unit + 1
    gradient = r"\frac{\partial L}{\partial \hat{y}_%s}"
    rule = rf"\hat{{y}}_{{{j}}} \left( {gradient % j} - \sum_k \hat{{y}}_k {gradient % 'k'} \right)"
    return terms, rule, "Each output of softmax depends on every z, so every output has a part in this gradient."


def weight_gradient(numbers: Numbers, place: Place) -> Explanation:
    """dL/dW."""
    layer, (before, unit) = int(place.name[6:]), place.index
    terms = tuple(
        (numbers.factor(f"dL/dz_{layer}", example, unit), numbers.factor(f"a_{layer - 1}", example, before))
        for example in range(numbers.num_examples)
    )
    dz, a = (part.places[0].symbol for part in terms[0])
    words = (
        "The weight was multiplied with what came in, so the gradient of the weighted sum is multiplied with the "
        "same number."
    )
    return _parameter_gradient(numbers, place, words, rf"{dz} \cdot {a}", terms)


def bias_gradient(numbers: Numbers, place: Place) -> Explanation:
    """dL/db."""
    layer, (unit,) = int(place.name[6:]), place.index
    terms = tuple((numbers.factor(f"dL/dz_{layer}", example, unit),) for example in range(numbers.num_examples))
    words = "The bias was added to the weighted sum, so its gradient is that of the weighted sum."
    return _parameter_gradient(numbers, place, words, terms[0][0].places[0].symbol, terms)


def _parameter_gradient(numbers: Numbers, place: Place, words: str, rule: str, terms: Terms) -> Explanation:
    """Of a weight or a bias: also the factors of the chain rule, from the loss down to it."""
    layer, unit = int(place.name[6:]), place.index[-1]
    chain: list[tuple[Factor, ...]] = []
    for example, product in enumerate(terms):
        before, _, _ = _through_activation(numbers, layer, example, unit)
        # dL/dz in its own factors where it is one product, as it is but for a softmax under the squared error.
        chain.append((*before[0], *product[1:]) if len(before) == 1 else product)
    if numbers.num_examples > 1:
        words += " Each example adds its part."
        rule = rf"\sum_n {rule}"
    return numbers.made(
        place,
        words,
        rule,
        terms,
        chain=tuple(chain),
        more=(
            Formula(label="The chain rule, factor by factor", latex=_chain_rule(numbers, place)),
            Formula(
                label="The same with the numbers",
                latex=f"{place.symbol} = {written(tuple(chain))} = {number(numbers.value(place), DIGITS)}",
            ),
        ),
    )


def _chain_rule(numbers: Numbers, place: Place) -> str:
    """dL/dw = dL/da * da/dz * dz/dw, with the derivatives as symbols."""
    layer, unit = int(place.name[6:]), place.index[-1]
    is_last = layer == numbers.network.depth
    a = Place(name="output" if is_last else f"a_{layer}", index=(0, unit)).symbol
    z = Place(name=f"z_{layer}", index=(0, unit)).symbol
    parameter = Place(name=place.name[4:], index=place.index).symbol

    def quotient(top: str, bottom: str) -> str:
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"

    through = rf"{quotient('L', a)} \cdot {quotient(a, z)}"
    if is_last and (numbers.problem.loss == "cross_entropy" or numbers.network.output_activation == "softmax"):
        through = quotient("L", z)
    total = r"\sum_n " if numbers.num_examples > 1 else ""
    return rf"{place.symbol} = {total}{through} \cdot {quotient(z, parameter)}"


def activation_gradient(numbers: Numbers, place: Place) -> Explanation:
    """dL/da of a hidden unit, or of an input."""
    layer, (example, unit) = int(place.name[6:]), place.index
    terms = tuple(
        (numbers.factor(f"dL/dz_{layer + 1}", example, after), numbers.parameter("W", layer + 1, unit, after))
        for after in range(numbers.problem.sizes[layer + 1])
    )
    words = "The loss feels this unit through every unit that it feeds: each gradient comes back along its weight."
    if layer == 0:
        words += " Inputs are not trained: this says how the loss depends on them."
    at = f"^{{({layer + 1})}}_"
    gradient = rf"\frac{{\partial L}}{{\partial z{at}j}}"
    return numbers.made(place, words, rf"\sum_j {gradient} \, w{at}{{{unit + 1},j}}", terms)
