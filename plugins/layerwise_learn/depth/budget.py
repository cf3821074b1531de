"""Networks of different depth with the same number of parameters."""

from __future__ import annotations

from layerwise.errors import SpecError
from layerwise_learn.experiments.architecture import count_parameters

TOLERANCE = 0.02
"""How far the number of parameters may be from the budget."""


def parameters_of(widths: tuple[int, ...], *, inputs: int, outputs: int, normalization: bool = False) -> int:
    """The weights and biases of a dense network, and the scales and shifts where each hidden layer is normalized.

    Example:
        >>> parameters_of((3,), inputs=2, outputs=1), parameters_of((3,), inputs=2, outputs=1, normalization=True)
        (13, 19)
    """
    return count_parameters([inputs, *widths, outputs]) + (2 * sum(widths) if normalization else 0)


def widths_for(budget: int, depth: int, *, inputs: int, outputs: int, normalization: bool = False) -> tuple[int, ...]:
    """The widths of `depth` hidden layers with which a network is as close to `budget` parameters as can be.

    The widths differ by one at most: the first layers have the unit more. With one width for all, a deep and narrow
    network could miss its budget by a tenth.

    Raises:
        SpecError: No such network is within 2 % of the budget.

    Example:
        >>> widths_for(1000, 4, inputs=1, outputs=1)
        (18, 17, 17, 17)
    """

    def parameters(widths: tuple[int, ...]) -> int:
        return parameters_of(widths, inputs=inputs, outputs=outputs, normalization=normalization)

    width = 1
    while parameters((width + 1,) * depth) <= budget:
        width += 1
    candidates = [(width + 1,) * wider + (width,) * (depth - wider) for wider in range(depth + 1)]
    best = min(candidates, key=lambda widths: abs(parameters(widths) - budget))
    if abs(parameters(best) - budget) > TOLERANCE * budget:
        raise SpecError(
            f"No network with {depth} hidden layers has about {budget:,} parameters",
            expected=f"a budget that {inputs} inputs and {outputs} outputs can meet within {TOLERANCE:.0%}",
            received=f"at best {parameters(best):,}, with widths {', '.join(map(str, best))}",
            remedy="take a larger budget or fewer layers",
        )
    return best
