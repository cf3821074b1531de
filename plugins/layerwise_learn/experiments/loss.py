"""The two losses over their outputs, and the loss of a batch."""

from __future__ import annotations

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import BarPlot, Formula, Line, LinePlot, Plot, Row, Table
from layerwise_learn.experiments.drawing import factor, number
from layerwise_learn.lessons.loss import EntropySettings, LossBatchSettings, SquaredSettings


def squared(settings: SquaredSettings) -> list[Plot]:
    # A network that gives its input out: its loss and gradient are those of the output.
    network = DenseNetwork(weights=[np.eye(1)], biases=[np.zeros(1)])
    forward = network.forward([[settings.output]])
    measured = network.loss(forward, [[settings.target]], "squared_error")
    slope = float(network.backward(forward, measured)["dL/doutput"][0, 0])
    outputs = np.linspace(-3, 3, 121)
    near = settings.output + np.array([-0.8, 0.8])
    return [
        LinePlot(
            title="Loss over the output",
            lines=[
                Line(label="loss", x=outputs, y=(outputs - settings.target) ** 2),
                Line(label="slope here", x=near, y=measured.value + slope * (near - settings.output), kind="dashed"),
                Line(label="output", x=[settings.output], y=[measured.value], kind="dots"),
            ],
            x_label="output y",
            y_label="squared error",
            x_range=(-3, 3),
            marks=[(settings.target, "target")],
        ),
        Formula(
            label="loss",
            latex=rf"L = (y - t)^2 = ({number(settings.output)} - {factor(settings.target)})^2 "
            rf"= {number(measured.value, 4)}",
        ),
        Formula(
            label="slope",
            latex=rf"\frac{{dL}}{{dy}} = 2 (y - t) = 2 \cdot {factor(settings.output - settings.target)} "
            rf"= {number(slope, 4)}",
        ),
    ]


def entropy(settings: EntropySettings) -> list[Plot]:
    network = DenseNetwork(weights=[np.eye(3)], biases=[np.zeros(3)], output_activation="softmax")
    forward = network.forward([[settings.z1, settings.z2, settings.z3]])
    measured = network.loss(forward, [settings.right_class - 1], "cross_entropy")
    logits, probabilities = forward["z_1"][0], forward["output"][0]
    gradient = network.backward(forward, measured)["dL/dz_1"][0]
    right = float(probabilities[settings.right_class - 1])
    classes = [f"class {k}" for k in (1, 2, 3)]
    p = np.linspace(0.002, 1, 200)
    denominator = " + ".join(f"e^{{{number(z)}}}" for z in logits)
    return [
        Row(
            plots=[
                BarPlot(title="Probabilities after the softmax", labels=classes, values=probabilities),
                BarPlot(title="Slope of the loss: p - y", labels=classes, values=gradient),
                LinePlot(
                    title="Cross-entropy over the probability of the right class",
                    lines=[
                        Line(label="-ln p", x=p, y=-np.log(p)),
                        Line(label="here", x=[right], y=[measured.value], kind="dots"),
                    ],
                    x_label="probability of the right class",
                    y_label="loss",
                    marks=[(1 / 3, "guessing")],
                ),
            ]
        ),
        Formula(
            label="softmax",
            latex=rf"p_{settings.right_class} = \frac{{e^{{{number(logits[settings.right_class - 1])}}}}}"
            rf"{{{denominator}}} = {number(right, 4)}",
        ),
        Formula(label="loss", latex=rf"L = -\ln {number(right, 4)} = {number(measured.value, 4)}"),
    ]


def batch(settings: LossBatchSettings) -> list[Plot]:
    generator = np.random.default_rng(settings.seed)
    inputs = np.sort(generator.uniform(-2, 2, settings.num_examples)).round(2)
    targets = (1.2 * inputs + 0.5 + generator.normal(0, 0.4, settings.num_examples)).round(2)
    targets[-1] += settings.outlier
    network = DenseNetwork(weights=[np.array([[settings.slope]])], biases=[np.array([settings.shift])])
    forward = network.forward(inputs[:, np.newaxis])
    measured = network.loss(forward, targets, "squared_error")
    outputs = forward["output"][:, 0]
    best = _best_line(inputs, targets)
    ends = np.array([-2.0, 2.0])
    return [
        Row(
            plots=[
                LinePlot(
                    title="The examples and the model",
                    lines=[
                        Line(label="targets", x=inputs, y=targets, kind="dots"),
                        Line(label="model", x=ends, y=settings.slope * ends + settings.shift),
                    ],
                    x_label="input x",
                    y_label="output",
                ),
                BarPlot(
                    title="Squared error of each example",
                    labels=[str(position) for position in range(1, settings.num_examples + 1)],
                    values=measured["losses"],
                ),
            ]
        ),
        Formula(
            label="loss of the batch",
            latex=rf"L = \frac{{1}}{{{settings.num_examples}}} \sum_i (y_i - t_i)^2 = {number(measured.value, 4)}"
            rf" \quad \text{{(smallest possible: {number(best)})}}",
        ),
        Table(
            columns=["example", "input", "output", "target", "squared error"],
            rows=[
                [str(row), *map(float, values)]
                for row, values in enumerate(zip(inputs, outputs, targets, measured["losses"], strict=True), start=1)
            ],
        ),
    ]


def _best_line(inputs: np.ndarray, targets: np.ndarray) -> float:
    """The smallest mean squared error that any line has: least squares."""
    columns = np.column_stack([inputs, np.ones_like(inputs)])
    solution = np.linalg.lstsq(columns, targets, rcond=None)[0]
    return float(np.mean((columns @ solution - targets) ** 2))
