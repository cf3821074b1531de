"""Networks of any shape, drawn and counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from layerwise.plots import Formula, Line, LinePlot, NetworkDiagram, Plot, Row, Table
from layerwise_learn.experiments.drawing import counted, units
from layerwise_learn.lessons.architecture import CostSettings, NetworkSettings


def count_parameters(sizes: Sequence[int]) -> int:
    """The weights and biases of a dense network with these numbers of units, from the inputs to the outputs.

    Example:
        >>> count_parameters([784, 128, 64, 10])
        109386
    """
    return sum((before + 1) * after for before, after in pairwise(sizes))


def draw(settings: NetworkSettings) -> list[Plot]:
    hidden = [size for size in (settings.hidden_1, settings.hidden_2, settings.hidden_3) if size]
    sizes = [settings.inputs, *hidden, settings.outputs]
    names = ["input layer", *(f"hidden layer {number}" for number in range(1, len(hidden) + 1)), "output layer"]
    letters = ["x", *(f"a{number}," for number in range(1, len(hidden) + 1)), "y"]
    terms = " + ".join(rf"({before} + 1) \cdot {after}" for before, after in pairwise(sizes))
    return [
        NetworkDiagram(layers=[units(letter, size) for letter, size in zip(letters, sizes, strict=True)], titles=names),
        Formula(label="parameters", latex=f"{terms} = {count_parameters(sizes)}"),
        Table(
            columns=["layer", "units", "weights", "biases", "parameters"],
            rows=[
                [name, f"{after:,}", f"{before * after:,}", f"{after:,}", f"{(before + 1) * after:,}"]
                for name, (before, after) in zip(names[1:], pairwise(sizes), strict=True)
            ],
        ),
    ]


def cost(settings: CostSettings) -> list[Plot]:
    def parameters(width: int, hidden_layers: int) -> int:
        return count_parameters([settings.inputs, *[width] * hidden_layers, settings.outputs])

    this = parameters(settings.width, settings.hidden_layers)
    networks = {
        "this network": this,
        "one hidden layer more": parameters(settings.width, settings.hidden_layers + 1),
        "twice as many hidden layers": parameters(settings.width, 2 * settings.hidden_layers),
        "twice as wide": parameters(2 * settings.width, settings.hidden_layers),
    }
    widths = np.unique(np.geomspace(1, 1024, 40).astype(int))
    depths = np.arange(1, 13)
    return [
        Table(
            columns=["network", "parameters", "compared with this one"],
            rows=[[name, f"{count:,}", f"{count / this:.2f} times"] for name, count in networks.items()],
        ),
        Row(
            plots=[
                LinePlot(
                    title=f"Width, with {counted(settings.hidden_layers, 'hidden layer')}",
                    lines=[
                        Line(x=widths, y=[parameters(int(width), settings.hidden_layers) for width in widths]),
                        Line(label="this network", x=[settings.width], y=[this], kind="dots"),
                    ],
                    x_label="units of each hidden layer",
                    y_label="parameters",
                    x_log=True,
                    y_log=True,
                ),
                LinePlot(
                    title=f"Depth, with {counted(settings.width, 'unit')} in each layer",
                    lines=[
                        Line(x=depths, y=[parameters(settings.width, int(depth)) for depth in depths]),
                        Line(label="this network", x=[settings.hidden_layers], y=[this], kind="dots"),
                    ],
                    x_label="hidden layers",
                    y_label="parameters",
                ),
            ]
        ),
    ]
