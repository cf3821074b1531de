"""The forward pass of a small network, for one example and for a batch."""

from __future__ import annotations

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise.plots import Array, Formula, Heatmap, Plot, Row, Text
from layerwise_learn.experiments.drawing import diagram, number, sum_of_products
from layerwise_learn.experiments.networks import small_network
from layerwise_learn.lessons.forward_pass import BatchSettings, PassSettings

SIZES = (2, 3, 1)


def single(settings: PassSettings) -> list[Plot]:
    network = small_network(SIZES, settings.activation, seed=settings.seed)
    inputs = np.array([settings.x1, settings.x2])
    forward = network.forward(inputs[np.newaxis])
    sums, hidden = forward["z_1"][0], forward["a_1"][0]
    (first, second), (bias, last_bias) = network.weights, network.biases
    function = ACTIVATIONS[settings.activation]
    output = float(forward["output"][0, 0])
    return [
        diagram(network, forward),
        Text(text="**Hidden layer**: the weighted sum of each unit, with its weights and its bias."),
        *(
            Formula(
                latex=f"z_{{1,{unit}}} = {sum_of_products(inputs, first[:, unit - 1], bias[unit - 1])} "
                f"= {number(sums[unit - 1], 4)}"
            )
            for unit in range(1, SIZES[1] + 1)
        ),
        Text(text=f"Each goes through the activation function, $f(x) = {function.formula}$ ({function.title})."),
        *(
            Formula(latex=f"a_{{1,{unit}}} = f({number(sums[unit - 1], 4)}) = {number(hidden[unit - 1], 4)}")
            for unit in range(1, SIZES[1] + 1)
        ),
        Text(
            text="**Output layer**: a weighted sum of what the hidden units gave. It has no activation function here."
        ),
        Formula(latex=f"y = {sum_of_products(hidden, second[:, 0], last_bias[0])} = {number(output, 4)}"),
    ]


def batch(settings: BatchSettings) -> list[Plot]:
    network = small_network(SIZES, settings.activation, seed=settings.seed)
    generator = np.random.default_rng(settings.seed)
    inputs = generator.uniform(-2, 2, (settings.num_examples, SIZES[0])).round(1)
    forward = network.forward(inputs)
    examples = [f"example {row}" for row in range(1, settings.num_examples + 1)]
    features, hidden, outputs = ["x₁", "x₂"], ["unit 1", "unit 2", "unit 3"], ["y"]
    return [
        Row(
            plots=[
                _matrix("X, the batch", inputs, examples, features),
                _matrix("W₁", network.weights[0], features, hidden),
                _matrix("b₁", network.biases[0][np.newaxis], ["bias"], hidden),
            ]
        ),
        Formula(latex=r"Z_1 = X W_1 + \mathbf{b}_1, \qquad A_1 = f(Z_1)"),
        Row(
            plots=[
                _matrix("Z₁", forward["z_1"], examples, hidden),
                _matrix("A₁", forward["a_1"], examples, hidden),
            ]
        ),
        Formula(latex=r"Y = A_1 W_2 + \mathbf{b}_2"),
        Row(
            plots=[
                _matrix("W₂", network.weights[1], hidden, outputs),
                _matrix("b₂", network.biases[1][np.newaxis], ["bias"], outputs),
                _matrix("Y, the output", forward["output"], examples, outputs),
            ]
        ),
    ]


def _matrix(title: str, values: Array, rows: list[str], columns: list[str]) -> Heatmap:
    return Heatmap(title=title, values=values, center=0.0, is_labelled=True, row_labels=rows, column_labels=columns)
