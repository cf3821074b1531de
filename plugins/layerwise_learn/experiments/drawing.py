"""What several experiments draw or write in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork, Forward
from layerwise.plots import Heatmap, Line, NetworkDiagram

GRID_SIDE = 48
"""Points along each side of a map over the plane: fine enough to see, and computed within milliseconds."""


def number(value: float, digits: int = 3) -> str:
    """A number in LaTeX, rounded to significant digits: `0.333`, `1.2 \\cdot 10^{-5}`.

    Example:
        >>> number(1 / 3), number(-0.0), number(0.000012)
        ('0.333', '0', '1.2 \\\\cdot 10^{-5}')
    """
    mantissa, _, exponent = f"{float(value) + 0.0:.{digits}g}".partition("e")
    if not exponent:
        return mantissa
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def factor(value: float, digits: int = 3) -> str:
    """A number as it stands in a product or after a sign: negative ones in parentheses."""
    text = number(value, digits)
    return f"({text})" if text.startswith("-") or "cdot" in text else text


def sum_of_products(left: Iterable[float], right: Iterable[float], rest: float | None = None) -> str:
    """`0.5 \\cdot 2 + (-1) \\cdot 3 + 0.1` in LaTeX."""
    terms = [rf"{factor(a)} \cdot {factor(b)}" for a, b in zip(left, right, strict=True)]
    return " + ".join(terms if rest is None else [*terms, factor(rest)])


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    Example:
        >>> counted(1, "layer"), counted(1000, "layer")
        ('1 layer', '1,000 layers')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def diagram(network: DenseNetwork, forward: Forward | None = None, title: str = "") -> NetworkDiagram:
    """A dense network with its weights, and with the values of the first example of a forward pass."""
    sizes = [len(network.weights[0]), *(weight.shape[1] for weight in network.weights)]
    letters = ["x", *(f"a{layer}," for layer in range(1, network.depth)), "y"]
    if network.depth == 2:
        letters[1] = "a"
    hidden = [f"hidden layer {layer}" for layer in range(1, network.depth)]
    values = None
    if forward is not None:
        names = ["a_0", *(f"a_{layer}" for layer in range(1, network.depth)), "output"]
        values = [forward[name][0] for name in names]
    return NetworkDiagram(
        title=title,
        layers=[units(letter, size) for letter, size in zip(letters, sizes, strict=True)],
        titles=["inputs", *(hidden if network.depth > 2 else ["hidden layer"] * len(hidden)), "output"],
        weights=network.weights,
        values=values,
    )


def units(letter: str, count: int) -> list[str]:
    """The names of the units of a layer: the letter alone for one, else numbered."""
    return [letter.rstrip(",")] if count == 1 else [f"{letter}{number}" for number in range(1, count + 1)]


def plane(
    function: Callable[[np.ndarray], np.ndarray],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    *,
    title: str = "",
    labels: tuple[str, str] = ("x₁", "x₂"),
    center: float | None = None,
    limits: tuple[float, float] | None = None,
    lines: Sequence[Line] = (),
) -> Heatmap:
    """The map of a function of two numbers; `function` takes [points, 2] and returns [points]."""
    first, second = np.meshgrid(np.linspace(*x_range, GRID_SIDE), np.linspace(*y_range, GRID_SIDE))
    values = function(np.column_stack([first.ravel(), second.ravel()])).reshape(first.shape)
    return Heatmap(
        title=title,
        values=values,
        x_range=x_range,
        y_range=y_range,
        x_label=labels[0],
        y_label=labels[1],
        center=center,
        limits=limits,
        lines=lines,
    )


def dots(points: np.ndarray, classes: np.ndarray) -> Line:
    """Examples in the plane, [points, 2], one colour a class (whole numbers from 0)."""
    return Line(x=points[:, 0], y=points[:, 1], kind="dots", color=[int(item) for item in np.ravel(classes)])


def line_in_plane(
    weights: Iterable[float], bias: float, x_range: tuple[float, float], y_range: tuple[float, float]
) -> list[Line]:
    """The part of w1 x1 + w2 x2 + b = 0 inside a rectangle; nothing where it does not pass."""
    w1, w2 = (float(weight) for weight in weights)
    crossed = [(x1, -(w1 * x1 + bias) / w2) for x1 in x_range if w2]
    crossed += [(-(w2 * x2 + bias) / w1, x2) for x2 in y_range if w1]
    ends = [(x1, x2) for x1, x2 in crossed if x_range[0] <= x1 <= x_range[1] and y_range[0] <= x2 <= y_range[1]]
    if len(ends) < 2:
        return []
    first, last = min(ends), max(ends)
    return [Line(label="z = 0", x=[first[0], last[0]], y=[first[1], last[1]])]
