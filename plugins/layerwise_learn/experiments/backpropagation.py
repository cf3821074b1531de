"""Gradients of a small network: by the chain rule with its numbers, and by trying out."""

from __future__ import annotations

import dataclasses

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise.from_scratch.backprop import DenseNetwork, Step
from layerwise.plots import Formula, Line, LinePlot, Plot, Row, Table, Text
from layerwise_learn.experiments.architecture import count_parameters
from layerwise_learn.experiments.drawing import diagram, factor, number
from layerwise_learn.experiments.networks import small_network
from layerwise_learn.lessons.backpropagation import WEIGHTS, ChainSettings, NudgeSettings

SIZES = (2, 2, 1)
NUDGED = np.array([[1.0, -0.5]]), np.array([[1.0]])
"""The example of which weights are nudged: inputs and target."""


def chain(settings: ChainSettings) -> list[Plot]:
    network = small_network(SIZES, settings.activation, seed=settings.seed)
    inputs, targets = [[settings.x1, settings.x2]], [[settings.target]]
    step = network.step(inputs, targets, loss="squared_error", learning_rate=settings.learning_rate)
    after = step.update.network
    loss_after = after.loss(after.forward(inputs), targets, "squared_error").value
    layer, row, column = position(settings.weight)
    gradient = float(step.backward[f"dL/dW_{layer}"][row, column])
    before = float(network.weights[layer - 1][row, column])
    return [
        diagram(network, step.forward, "Forward: the values"),
        Formula(
            label="loss",
            latex=f"L = (y - t)^2 = ({number(step.forward['output'][0, 0])} - {factor(settings.target)})^2 "
            f"= {number(step.loss.value, 4)}",
        ),
        Text(text=f"**Backward**, along the chain of the weight {settings.weight}:"),
        *(
            Formula(latex=f"{name} = {formula} = {number(value, 4)}")
            for name, formula, value in _slopes(step, settings)
        ),
        Formula(
            label=f"gradient of {settings.weight}",
            latex=r"\frac{\partial L}{\partial w} = "
            + r" \cdot ".join(factor(value, 4) for _, _, value in _slopes(step, settings))
            + f" = {number(gradient, 4)}",
        ),
        Formula(
            label="update",
            latex=rf"w \leftarrow w - \eta \frac{{\partial L}}{{\partial w}} = {number(before)} - "
            rf"{number(settings.learning_rate)} \cdot {factor(gradient, 4)} "
            rf"= {number(before - settings.learning_rate * gradient, 4)}",
        ),
        _all_weights(step),
        Text(
            text=f"After the update of all weights the loss of this example is {loss_after:.4g} instead of "
            f"{step.loss.value:.4g}."
        ),
    ]


def position(weight: str) -> tuple[int, int, int]:
    """The layer, from 1, the row and the column of a weight such as "x1 to h2"."""
    source, _, target = weight.partition(" to ")
    return (2 if target == "y" else 1), int(source[1]) - 1, (0 if target == "y" else int(target[1]) - 1)


def _slopes(step: Step, settings: ChainSettings) -> list[tuple[str, str, float]]:
    """The slopes on the way from the loss to the weight: name, formula with numbers, value. Their product is the
    gradient."""
    layer, row, column = position(settings.weight)
    forward = step.forward
    output = float(forward["output"][0, 0])
    slopes = [
        (
            r"\frac{\partial L}{\partial y}",
            rf"2 (y - t) = 2 \cdot ({number(output)} - {factor(settings.target)})",
            2 * (output - settings.target),
        )
    ]
    if layer == 2:
        hidden = float(forward["a_1"][0, row])
        return [*slopes, (r"\frac{\partial y}{\partial w}", f"a_{row + 1}", hidden)]
    z = float(forward["z_1"][0, column])
    following = float(step.update["W_2 before"][column, 0])
    slope = float(ACTIVATIONS[settings.activation].derivative(np.array([z]))[0])
    unit = column + 1
    return [
        *slopes,
        (rf"\frac{{\partial y}}{{\partial a_{unit}}}", rf"w_{{h_{unit} \to y}}", following),
        (rf"\frac{{\partial a_{unit}}}{{\partial z_{unit}}}", f"f'(z_{unit}) = f'({number(z)})", slope),
        (rf"\frac{{\partial z_{unit}}}{{\partial w}}", f"x_{row + 1}", float(forward["a_0"][0, row])),
    ]


def _all_weights(step: Step) -> Table:
    rows = []
    for weight in WEIGHTS:
        layer, row, column = position(weight)
        values = [step.update[f"W_{layer} before"], step.backward[f"dL/dW_{layer}"], step.update[f"W_{layer} after"]]
        rows.append([weight, *(float(value[row, column]) for value in values)])
    for layer, names in ((1, ("h1", "h2")), (2, ("y",))):
        values = [step.update[f"b_{layer} before"], step.backward[f"dL/db_{layer}"], step.update[f"b_{layer} after"]]
        rows += [[f"bias of {name}", *(float(value[column]) for value in values)] for column, name in enumerate(names)]
    return Table(title="All parameters", columns=["parameter", "before", "gradient", "after"], rows=rows)


def nudge(settings: NudgeSettings) -> list[Plot]:
    network = small_network(SIZES, settings.activation, seed=settings.seed)
    inputs, targets = NUDGED
    layer, row, column = position(settings.weight)
    forward = network.forward(inputs)
    backward = network.backward(forward, network.loss(forward, targets, "squared_error"))
    exact = float(backward[f"dL/dW_{layer}"][row, column])
    size = 10.0**settings.exponent
    less, more = (loss_with(network, settings.weight, change) for change in (-size, size))
    sizes = np.logspace(-14, 0, 57)
    slopes = np.array([_slope(network, settings.weight, item) for item in sizes])
    # Zero has no place on a logarithmic axis: agreement to the last digit is shown at the lower end.
    errors = np.maximum(np.abs(slopes - exact), 1e-17)
    changes = np.linspace(-1, 1, 81)
    here = loss_with(network, settings.weight, 0.0)
    weight = float(network.weights[layer - 1][row, column])
    parameters = count_parameters(SIZES)
    return [
        Formula(
            label="by nudging",
            latex=rf"\frac{{L(w + h) - L(w - h)}}{{2 h}} = \frac{{{more:.12f} - {less:.12f}}}{{2 \cdot "
            rf"10^{{{settings.exponent}}}}} = {number(_slope(network, settings.weight, size), 8)}",
        ),
        Formula(label="by backpropagation", latex=rf"\frac{{\partial L}}{{\partial w}} = {number(exact, 8)}"),
        Row(
            plots=[
                LinePlot(
                    title=f"Loss over the weight {settings.weight}",
                    lines=[
                        Line(
                            label="loss",
                            x=weight + changes,
                            y=[loss_with(network, settings.weight, change) for change in changes],
                        ),
                        Line(
                            label="slope by backpropagation",
                            x=weight + np.array([-0.5, 0.5]),
                            y=here + exact * np.array([-0.5, 0.5]),
                            kind="dashed",
                        ),
                        Line(label="here", x=[weight], y=[here], kind="dots"),
                    ],
                    x_label="weight w",
                    y_label="squared error",
                ),
                LinePlot(
                    title="Difference between the two slopes",
                    lines=[Line(x=sizes, y=errors)],
                    x_label="size of the nudge h",
                    y_label="difference",
                    x_log=True,
                    y_log=True,
                    marks=[(size, "h")],
                ),
            ]
        ),
        Text(
            text=f"This network has {parameters} parameters: nudging each takes {2 * parameters} forward passes, "
            "backpropagation one forward and one backward pass, for this network and for one with a million parameters."
        ),
    ]


def loss_with(network: DenseNetwork, weight: str, change: float) -> float:
    """The loss of the nudged example when `change` is added to a weight."""
    layer, row, column = position(weight)
    weights = [matrix.copy() for matrix in network.weights]
    weights[layer - 1][row, column] += change
    changed = dataclasses.replace(network, weights=weights)
    inputs, targets = NUDGED
    return changed.loss(changed.forward(inputs), targets, "squared_error").value


def _slope(network: DenseNetwork, weight: str, size: float) -> float:
    return (loss_with(network, weight, size) - loss_with(network, weight, -size)) / (2 * size)
