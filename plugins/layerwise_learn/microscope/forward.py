"""Step 1: weighted sums and activations, taken apart."""

from __future__ import annotations

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.microscope.explanation import (
    Explanation,
    Factor,
    Formula,
    Place,
    shortened,
)
from layerwise_learn.microscope.numbers import DIGITS, Numbers

GIVEN = {
    "a_0": "An input of the network: it is given by the example.",
    "targets": "The target: what the network should have answered. It is given by the example.",
}


def given(numbers: Numbers, place: Place) -> Explanation:
    """A number that nothing computes: an input, a target, a weight before the update."""
    value = numbers.value(place)
    return Explanation(
        step=numbers.steps[place.name],
        place=place,
        value=value,
        words=GIVEN.get(place.name, "A weight or a bias before the update: the last step left it."),
        formulas=(Formula(label="Given", latex=f"{place.symbol} = {number(value, DIGITS)}"),),
        terms=((Factor(value=value, shown=factor(value, DIGITS)),),),
    )


def weighted_sum(numbers: Numbers, place: Place) -> Explanation:
    """z of a unit."""
    layer, (example, unit) = int(place.name[2:]), place.index
    products = [
        (numbers.parameter("W", layer, before, unit), numbers.factor(f"a_{layer - 1}", example, before))
        for before in range(numbers.problem.sizes[layer - 1])
    ]
    before = "x_i" if layer == 1 else rf"a^{{({layer - 1})}}_i"
    at = f"^{{({layer})}}_"
    return numbers.made(
        place,
        "The weighted sum of a unit: each number that comes in times its weight, all added up, plus the bias.",
        rf"\sum_i w{at}{{i,{unit + 1}}} \, {before} + b{at}{{{unit + 1}}}",
        (*products, (numbers.parameter("b", layer, unit),)),
    )


def activation(numbers: Numbers, place: Place) -> Explanation:
    """a of a unit, or an output."""
    layer = numbers.network.depth if place.name == "output" else int(place.name[2:])
    name = numbers.activation_name(layer)
    if name == "softmax":
        return softmax(numbers, place)
    z = numbers.factor(f"z_{layer}", *place.index)
    function = ACTIVATIONS[name]
    (symbol,) = (source.symbol for source in z.places)
    words = f"The activation: the weighted sum goes through {function.title}."
    if name == "linear":
        return numbers.made(place, "There is no activation function here: z is handed on.", symbol, ((z,),))
    return numbers.made(
        place,
        words,
        f"f({symbol})",
        ((z,),),
        shown=f"f({number(z.value, DIGITS)})",
        activation=name,
        more=(Formula(label=function.title, latex=f"f(x) = {function.formula}"),),
    )


def softmax(numbers: Numbers, place: Place) -> Explanation:
    """A probability of several."""
    example, unit = place.index
    layer = numbers.network.depth
    places = [Place(name=f"z_{layer}", index=(example, other)) for other in range(numbers.num_outputs)]
    z = np.array([numbers.value(other) for other in places])
    # The greatest z is subtracted from all, which changes no quotient and keeps e^z from overflowing.
    powers = np.exp(z - z.max())
    top = Factor(value=float(powers[unit]), shown=rf"e^{{{number(z[unit], DIGITS)}}}", places=(places[unit],))
    shown = shortened([rf"e^{{{number(value, DIGITS)}}}" for value in z], " + ")
    below = Factor(value=float(1 / powers.sum()), shown=rf"\frac{{1}}{{{shown}}}", places=tuple(places))
    at = f"^{{({layer})}}_"
    return numbers.made(
        place,
        "Softmax makes probabilities of the weighted sums: each is positive, and together they are 1.",
        rf"\frac{{e^{{z{at}{{{unit + 1}}}}}}}{{\sum_k e^{{z{at}{{k}}}}}}",
        ((top, below),),
        shown=rf"\frac{{{top.shown}}}{{{shown}}}",
    )
