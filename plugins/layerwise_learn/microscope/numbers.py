"""The numbers of one training step, and how they become parts of an explanation."""

from __future__ import annotations

from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.microscope.explanation import Explanation, Factor, Formula, Place, Terms, written
from layerwise_learn.microscope.problem import Problem

DIGITS = 4
"""Of the numbers in formulas."""


class Numbers:
    """What the modules of the four steps look numbers up in.

    Args:
        problem: The network and the batch.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.network = problem, problem.network
        self.steps = {name: step for step, name, _ in problem.step.values()}
        self.values = {name: array for _, name, array in problem.step.values()}
        self.num_examples = len(self.values["a_0"])
        self.num_outputs = problem.sizes[-1]

    def value(self, place: Place) -> float:
        """The number at a place."""
        return float(self.values[place.name][place.index])

    def factor(self, name: str, *index: int) -> Factor:
        """A number as part of a product."""
        place = Place(name=name, index=index)
        value = self.value(place)
        return Factor(value=value, shown=factor(value, DIGITS), places=(place,))

    def parameter(self, letter: str, layer: int, *index: int) -> Factor:
        """A weight ("W") or a bias ("b") as it is before the update."""
        return self.factor(f"{letter}_{layer} before", *index)

    def difference(self, name: str, example: int, unit: int) -> Factor:
        """output - target, or probability - target."""
        answer, target = self.factor(name, example, unit), self.factor("targets", example, unit)
        return Factor(
            value=answer.value - target.value,
            shown=f"({number(answer.value, DIGITS)} - {target.shown})",
            places=(*answer.places, *target.places),
        )

    def share(self, count: int, top: int = 1) -> tuple[Factor, ...]:
        """top / count as a factor; nothing where it is 1."""
        if count == top:
            return ()
        shown = rf"\frac{{{top}}}{{{count}}}" if count > 1 else str(top)
        return (Factor(value=top / count, shown=shown),)

    def activation_name(self, layer: int) -> str:
        """The activation of a layer, the output's for the last one."""
        return (*self.network.activations, self.network.output_activation)[layer - 1]

    def made(
        self,
        place: Place,
        words: str,
        rule: str,
        terms: Terms,
        *,
        shown: str = "",
        more: tuple[Formula, ...] = (),
        activation: str = "",
        chain: Terms = (),
    ) -> Explanation:
        """An explanation with its general formula and the same with the numbers put in.

        Args:
            rule: What follows the equals sign of the general formula.
            shown: The same with the numbers; empty writes the terms.
            more: Formulas that follow these two.
        """
        value = self.value(place)
        numbers = shown or written(terms)
        formulas = (
            Formula(label="The rule", latex=f"{place.symbol} = {rule}"),
            Formula(label="With the numbers", latex=f"{place.symbol} = {numbers} = {number(value, DIGITS)}"),
            *more,
        )
        return Explanation(
            step=self.steps[place.name],
            place=place,
            value=value,
            words=words,
            formulas=formulas,
            terms=terms,
            activation=activation,
            chain=chain,
        )
