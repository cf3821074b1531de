"""What is said of a number: where it is, how it is written, and the sum of products of which it was made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerwise.activations import ACTIVATIONS

MAX_TERMS = 6
"""Of a sum that is written out in full."""

Index = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a number is: the name of a value of `layerwise.from_scratch.backprop.Step`, and the position in its
    array."""

    name: str
    index: Index

    @property
    def symbol(self) -> str:
        """How formulas write it, in LaTeX: `z^{(1)}_{2}`, `\\frac{\\partial L}{\\partial w^{(1)}_{1,2}}`."""
        name, index = self.name, self.index
        if name.startswith("dL/d"):
            return rf"\frac{{\partial L}}{{\partial {Place(name=name[4:], index=index).symbol}}}"
        letter, _, layer = name.partition(" ")[0].partition("_")
        if letter in "Wb":
            after = r"\text{ after}" if name.endswith("after") else ""
            positions = ",".join(str(position + 1) for position in index)
            return rf"{letter.lower()}^{{({layer})}}_{{{positions}}}{after}"
        if name == "loss":
            return "L"
        if name == "losses":
            return f"L_{{{index[0] + 1}}}"
        unit = index[-1] + 1
        letters = {"a_0": "x", "output": r"\hat{y}", "targets": "y", "probabilities": "p"}
        if name in letters:
            return f"{letters[name]}_{{{unit}}}"
        return f"{letter}^{{({layer})}}_{{{unit}}}"


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A number in a product.

    Args:
        value: The number.
        shown: How it is written where numbers are put in, in LaTeX: `0.5`, `(0.5 - 1)`, `f'(0.6)`.
        power: How often it is a factor.
        places: The values from which it comes; none for a constant.
    """

    value: float
    shown: str
    power: int = 1
    places: tuple[Place, ...] = ()


Terms = tuple[tuple[Factor, ...], ...]
"""A sum of products."""


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A line of mathematics in LaTeX, with a few words before it."""

    label: str
    latex: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How a number came about.

    Args:
        step: "forward", "loss", "backward" or "update".
        place: Where it is.
        value: The number itself, as `layerwise.from_scratch.backprop` computed it.
        words: What happens, in a sentence or two.
        formulas: The general formula, the same with the numbers put in, and for gradients of weights the chain rule.
        terms: The sum of products of which it is made.
        activation: The function through which the sum goes, a name from ACTIVATIONS; empty for none.
        chain: For gradients of weights and biases: one product for each example, its factors those of the chain rule.
    """

    step: str
    place: Place
    value: float
    words: str
    formulas: tuple[Formula, ...]
    terms: Terms
    activation: str = ""
    chain: Terms = ()

    @property
    def sources(self) -> tuple[Place, ...]:
        """The numbers from which it was made, each once."""
        places = (place for product in self.terms for part in product for place in part.places)
        return tuple(dict.fromkeys(places))

    def recombined(self) -> float:
        """The number computed from the terms."""
        total = sum_of(self.terms)
        return float(ACTIVATIONS[self.activation].function(np.array([total]))[0]) if self.activation else total


def sum_of(terms: Terms) -> float:
    """The value of a sum of products."""
    return math.fsum(math.prod(part.value**part.power for part in product) for product in terms)


MINUS = Factor(value=-1.0, shown="-")


def one_over(letter: str) -> str:
    return rf"\frac{{1}}{{{letter}}} "


def written(terms: Terms) -> str:
    """A sum of products with its numbers, in LaTeX; a long sum is cut in the middle."""
    return shortened([_product(product) for product in terms], " + ").replace("+ -", "- ")


def _product(product: Sequence[Factor]) -> str:
    sign = "-" if product[0] is MINUS else ""
    parts = [part.shown + (f"^{part.power}" if part.power > 1 else "") for part in product if part is not MINUS]
    return sign + r" \cdot ".join(parts)


def shortened(parts: Sequence[str], sign: str) -> str:
    if len(parts) > MAX_TERMS:
        parts = [*parts[: MAX_TERMS - 1], r"\cdots", parts[-1]]
    return sign.join(parts)
