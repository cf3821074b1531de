"""The backprop microscope: every number of a training step, with the formula that made it and the numbers put in.

`layerwise.from_scratch.backprop` computes the four steps. Here each of its values is taken apart again: into a sum of
products, which may go through an activation function. `layerwise_learn.pages.microscope` is the page that shows it.

    problem.py        a network, a batch, a loss, a learning rate; also as JSON
    explanation.py    what is said of a number: place, words, formulas, terms
    numbers.py        numbers looked up, as parts of an explanation
    forward.py, loss.py, backward.py, update.py    the four steps, taken apart
    presets.py        networks to begin with
"""

from __future__ import annotations

from collections.abc import Callable

from layerwise.errors import InputError
from layerwise_learn.microscope import backward, forward, loss, update
from layerwise_learn.microscope.explanation import Explanation, Factor, Formula, Place, sum_of
from layerwise_learn.microscope.numbers import Numbers
from layerwise_learn.microscope.presets import PRESETS
from layerwise_learn.microscope.problem import Problem

__all__ = ["PRESETS", "Explanation", "Factor", "Formula", "Place", "Problem", "explain", "sum_of"]

_BY_NAME = {
    "a_0": forward.given,
    "targets": forward.given,
    "output": forward.activation,
    "probabilities": loss.probability,
    "losses": loss.example_loss,
    "loss": loss.mean_loss,
    "dL/doutput": backward.output_gradient,
}
_BY_LETTER = {
    "z": forward.weighted_sum,
    "a": forward.activation,
    "dL/dz": backward.sum_gradient,
    "dL/da": backward.activation_gradient,
    "dL/dW": backward.weight_gradient,
    "dL/db": backward.bias_gradient,
}
_BY_MOMENT = {"before": forward.given, "change": update.change, "after": update.after}


def explain(problem: Problem, place: Place) -> Explanation:
    """How a number of a training step came about.

    Raises:
        InputError: There is no such number.

    Example:
        >>> _, by_hand = PRESETS["by-hand"]
        >>> explanation = explain(by_hand(), Place(name="z_2", index=(0, 0)))
        >>> explanation.formulas[1].latex
        'z^{(2)}_{1} = 0.5 \\\\cdot 0.6 + (-1) \\\\cdot 0 + 0.2 = 0.5'
    """
    numbers = Numbers(problem)
    shape = numbers.values[place.name].shape if place.name in numbers.values else None
    fits = shape is not None and len(shape) == len(place.index)
    if not fits or not all(0 <= position < size for position, size in zip(place.index, shape or (), strict=True)):
        raise InputError("There is no such number", received=f"{place.name} {list(place.index)}")
    return _explainer(place.name)(numbers, place)


def _explainer(name: str) -> Callable[[Numbers, Place], Explanation]:
    moment = name.partition(" ")[2]
    return _BY_MOMENT[moment] if moment else _BY_NAME.get(name) or _BY_LETTER[name.rpartition("_")[0]]
