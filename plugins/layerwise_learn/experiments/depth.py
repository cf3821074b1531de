"""How many straight pieces deep and wide ReLU networks have: constructed ones and random ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import BarPlot, Line, LinePlot, Plot, Row, Table, Text
from layerwise_learn.depth.budget import widths_for
from layerwise_learn.depth.targets import exact_sawtooth, sawtooth
from layerwise_learn.experiments.architecture import count_parameters
from layerwise_learn.experiments.drawing import counted, diagram
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.lessons.depth import ParitySettings, RandomSettings, SawtoothSettings

MAX_LEVELS = 10
RANDOM_INPUTS, RANDOM_DEPTHS, RANDOM_STARTS = 8, (1, 2, 3, 4, 5, 6), 4
POINTS = 2048
"""Points along a line at which it is looked which units are active. Pieces shorter than their distance are missed."""


def zigzag(pieces: int) -> DenseNetwork:
    """A ReLU network with one hidden layer: on [0, 1] it goes from 0 to 1 and back again in that many straight pieces.

    It takes a unit for each piece. The first sets the slope, each other one turns it around at its bend.
    """
    turns = np.where(np.arange(pieces) % 2, -2.0, 2.0)
    turns[0] = 1
    return DenseNetwork(
        weights=[np.ones((1, pieces)), pieces * turns[:, np.newaxis]],
        biases=[-np.arange(pieces) / pieces, np.zeros(1)],
        activations=["relu"],
    )


def count_pieces(network: DenseNetwork, start: np.ndarray, end: np.ndarray) -> int:
    """The straight pieces of a ReLU network between two inputs: a new one begins where a unit becomes active or
    inactive."""
    # In the middle of each part, never on its ends, where the bends of the sawtooth are.
    shares = (np.arange(POINTS)[:, np.newaxis] + 0.5) / POINTS
    forward = network.forward(start + shares * (end - start))
    active = np.hstack([forward[f"z_{layer}"] > 0 for layer in range(1, network.depth)])
    return 1 + int(np.sum(np.any(active[1:] != active[:-1], axis=1)))


def parameters(network: DenseNetwork) -> int:
    return count_parameters([len(network.weights[0]), *(weight.shape[1] for weight in network.weights)])


def units(network: DenseNetwork) -> int:
    """The number of its hidden units."""
    return sum(weight.shape[1] for weight in network.weights[:-1])


def pieces_of_sawtooth(settings: SawtoothSettings) -> list[Plot]:
    levels = settings.levels
    deep, wide, equal = exact_sawtooth(levels), zigzag(2**levels), zigzag(2 * levels)
    x = np.linspace(0, 1, 1025)
    start, end = np.zeros(1), np.ones(1)

    def row(title: str, network: DenseNetwork) -> list[str]:
        difference = np.abs(network.forward(x[:, np.newaxis])["output"][:, 0] - sawtooth(x, levels)).max()
        return [
            title,
            f"{units(network):,}",
            f"{parameters(network):,}",
            f"{count_pieces(network, start, end):,}",
            f"{difference:.2g}",
        ]

    growth = [
        (parameters(deep), count_pieces(deep, start, end), count_pieces(zigzag(2 * level), start, end))
        for level, deep in ((level, exact_sawtooth(level)) for level in range(1, MAX_LEVELS + 1))
    ]
    sizes, of_deep, of_wide = zip(*growth, strict=True)
    return [
        Table(
            columns=["network", "hidden units", "parameters", "pieces, counted", "largest error"],
            rows=[
                row(f"deep: {counted(levels, 'hidden layer')} of 2 units", deep),
                row("one hidden layer, the same function", wide),
                row("one hidden layer, as many parameters as the deep one", equal),
            ],
        ),
        Row(
            plots=[
                LinePlot(
                    title="What both compute with equally many parameters",
                    lines=[
                        Line(label="deep", x=x, y=deep.forward(x[:, np.newaxis])["output"][:, 0]),
                        Line(label="one hidden layer", x=x, y=equal.forward(x[:, np.newaxis])["output"][:, 0]),
                    ],
                    x_label="input x",
                    y_label="output",
                ),
                LinePlot(
                    title="Pieces over parameters",
                    lines=[
                        Line(label="deep", x=sizes, y=of_deep),
                        Line(label="one hidden layer", x=sizes, y=of_wide),
                        Line(label="these two", x=[parameters(deep)] * 2, y=[2**levels, 2 * levels], kind="dots"),
                    ],
                    x_label="parameters",
                    y_label="pieces",
                    y_log=True,
                ),
            ]
        ),
        diagram(deep, title="The deep network"),
    ]


def parity(settings: ParitySettings) -> list[Plot]:
    bits = 2**settings.levels
    inputs = (np.arange(2**bits)[:, np.newaxis] >> np.arange(bits)) & 1
    odd = inputs.sum(axis=1) % 2
    networks = {
        f"deep: {counted(settings.levels, 'hidden layer')} of 2 units": of_mean(exact_sawtooth(settings.levels), bits),
        f"one hidden layer of {bits} units": of_mean(zigzag(bits), bits),
    }
    rows = []
    for title, network in networks.items():
        right = int(np.sum((network.forward(inputs)["output"][:, 0] > 0.5) == odd))
        rows.append([title, f"{units(network):,}", f"{parameters(network):,}", f"{right:,} of {2**bits:,}"])
    sums = np.arange(bits + 1)
    between = np.linspace(0, bits, 257)
    teeth = exact_sawtooth(settings.levels).forward(between[:, np.newaxis] / bits)["output"][:, 0]
    return [
        Table(title=f"Parity of {bits} bits", columns=["network", "hidden units", "parameters", "right"], rows=rows),
        LinePlot(
            title="Parity is a sawtooth over the number of ones",
            lines=[
                Line(label="output of the deep network", x=between, y=teeth),
                Line(label="odd: 1, even: 0", x=sums, y=sums % 2, kind="dots"),
            ],
            x_label="ones among the bits",
            y_label="parity",
        ),
        Text(
            text=f"A list of all inputs with an odd number of ones has {int(odd.sum()):,} lines. Both networks use "
            "that only the sum of the bits counts. The depth of the first grows with the logarithm of the number of "
            "bits, the width of the second with the number itself."
        ),
    ]


def of_mean(network: DenseNetwork, bits: int) -> DenseNetwork:
    """The same function of the mean of its inputs."""
    first = np.repeat(network.weights[0], bits, axis=0) / bits
    return dataclasses.replace(network, weights=[first, *network.weights[1:]])


def pieces_of_random(settings: RandomSettings) -> list[Plot]:
    generator = np.random.default_rng(settings.seed)
    ends = generator.normal(size=(RANDOM_STARTS, 2, RANDOM_INPUTS))
    counts, rows = [], []
    for depth in RANDOM_DEPTHS:
        widths = widths_for(settings.budget, depth, inputs=RANDOM_INPUTS, outputs=1)
        found = [
            count_pieces(random_relu(widths, settings.gain, seed=RANDOM_STARTS * settings.seed + number), *line)
            for number, line in enumerate(ends)
        ]
        counts.append(found)
        total = count_parameters([RANDOM_INPUTS, *widths, 1])
        rows.append([str(depth), f"{max(widths)}", f"{sum(widths)}", f"{total:,}", float(np.mean(found))])
    pieces = np.array(counts)
    return [
        BarPlot(
            title=f"Pieces along a line: mean and range of {RANDOM_STARTS} random networks",
            labels=[counted(depth, "layer") for depth in RANDOM_DEPTHS],
            values=pieces.mean(axis=1),
            low=pieces.min(axis=1),
            high=pieces.max(axis=1),
        ),
        Table(columns=["hidden layers", "width", "hidden units", "parameters", "pieces (mean)"], rows=rows),
        Text(
            text="The number of pieces follows the number of units, not a power of the depth, as Hanin and Rolnick "
            "(2019) found for random networks in general. Depth allows the sawtooth; whether training gets anywhere "
            "near it is another question."
        ),
    ]


def random_relu(widths: Sequence[int], gain: float, *, seed: int) -> DenseNetwork:
    """A random network with random biases too: without them all bends of a unit pass through the origin."""
    network = random_network([RANDOM_INPUTS, *widths, 1], "relu", seed=seed, gain=gain)
    generator = np.random.default_rng(seed)
    return dataclasses.replace(network, biases=[generator.normal(0, 0.5, bias.shape) for bias in network.biases])
