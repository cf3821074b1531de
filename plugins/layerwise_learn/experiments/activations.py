"""Activation functions: their shapes, and what they do to gradients, to units and to deep networks."""

from __future__ import annotations

from functools import reduce

import numpy as np

from layerwise.activations import ACTIVATIONS, Activation
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import Formula, Heatmap, Histogram, Line, LinePlot, Plot, Row, Table, Text
from layerwise_learn.experiments.drawing import number
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.lessons.activations import CollapseSettings, DeadSettings, SaturationSettings, ShapeSettings

DEAD_UNITS, DEAD_STEPS = 64, 100


def shapes(settings: ShapeSettings) -> list[Plot]:
    chosen = ACTIVATIONS[settings.activation]
    at = np.array([settings.x])
    value, slope = float(chosen.function(at)[0]), float(chosen.derivative(at)[0])
    point = [Line(label="x", x=np.repeat(at, 2), y=[value, slope], kind="dots")]
    return [
        _curves(chosen, chosen.title, point),
        Formula(label=chosen.title, latex=f"f(x) = {chosen.formula}"),
        Formula(label=f"at x = {settings.x:g}", latex=rf"f(x) = {number(value, 4)}, \quad f'(x) = {number(slope, 4)}"),
        Text(text="**All activation functions of this project**, each with its derivative:"),
        Row(plots=[_curves(activation, activation.title) for activation in ACTIVATIONS.values()]),
    ]


def _curves(activation: Activation, title: str, more: list[Line] | None = None) -> LinePlot:
    x = np.linspace(-6, 6, 241)
    return LinePlot(
        title=title,
        lines=[
            Line(label="f", x=x, y=activation.function(x)),
            Line(label="f′", x=x, y=activation.derivative(x), kind="dashed"),
            *(more or ()),
        ],
        x_label="x",
        x_range=(-6, 6),
        y_range=(-2.2, 4),
    )


def saturation(settings: SaturationSettings) -> list[Plot]:
    width, batch = 32, 64
    generator = np.random.default_rng(settings.seed)
    inputs, targets = generator.normal(size=(batch, width)), generator.normal(size=(batch, 1))
    network = random_network(
        [width, *[width] * settings.num_layers, 1], settings.activation, seed=settings.seed, gain=settings.gain
    )
    forward = network.forward(inputs)
    backward = network.backward(forward, network.loss(forward, targets, "squared_error"))
    layers = np.arange(1, settings.num_layers + 1)
    gradients = np.array([np.sqrt(np.mean(backward[f"dL/dz_{layer}"] ** 2)) for layer in layers])
    function = ACTIVATIONS[settings.activation]
    slopes = [float(np.mean(np.abs(function.derivative(forward[f"z_{layer}"])))) for layer in layers]
    # A logarithmic axis has no place for an exact 0: the line is interrupted there.
    shown = np.where(gradients > 0, gradients, np.nan)
    return [
        Row(
            plots=[
                LinePlot(
                    title="Size of the gradient dL/dz at each layer",
                    lines=[Line(label="root mean square", x=layers, y=shown)],
                    x_label="hidden layer, counted from the inputs",
                    y_label="gradient",
                    y_log=True,
                ),
                LinePlot(
                    title="Mean derivative of the activation",
                    lines=[Line(label="mean of |f′(z)|", x=layers, y=slopes)],
                    x_label="hidden layer, counted from the inputs",
                    y_label="derivative",
                    y_range=(0, max(1.1, 1.1 * max(slopes))),
                ),
            ]
        ),
        Formula(
            label="first layer against last",
            latex=rf"\frac{{{number(gradients[0])}}}{{{number(gradients[-1])}}} = "
            + (number(gradients[0] / gradients[-1]) if gradients[-1] > 0 else r"\text{no gradient at all}"),
        ),
    ]


def dead_units(settings: DeadSettings) -> list[Plot]:
    inputs = np.random.default_rng(settings.seed).normal(size=(128, 2))
    targets = (np.sum(inputs**2, axis=1) < 1.4).astype(float)
    network = random_network(
        [2, DEAD_UNITS, 1], settings.activation, seed=settings.seed, output_activation="sigmoid", bias=settings.bias
    )
    shares, losses, largest = [], [], np.zeros(DEAD_UNITS)
    for _ in range(DEAD_STEPS + 1):
        step = network.step(inputs, targets, loss="cross_entropy", learning_rate=settings.learning_rate)
        outputs = step.forward["a_1"]
        shares.append(float(np.mean(np.all(outputs == 0, axis=0))))
        losses.append(step.loss.value)
        largest = outputs.max(axis=0)
        network = step.update.network
    steps = np.arange(DEAD_STEPS + 1)
    return [
        Text(
            text=f"Of {DEAD_UNITS} units {round(DEAD_UNITS * shares[0])} are dead at the start "
            f"({shares[0]:.0%}) and {round(DEAD_UNITS * shares[-1])} after {DEAD_STEPS} steps ({shares[-1]:.0%})."
        ),
        Row(
            plots=[
                LinePlot(
                    title="Dead units",
                    lines=[Line(x=steps, y=100 * np.array(shares))],
                    x_label="step",
                    y_label="% of the units",
                    y_range=(0, 100),
                ),
                LinePlot(title="Loss", lines=[Line(x=steps, y=losses)], x_label="step", y_label="cross-entropy"),
                Histogram.of(largest, bins=16, title="Units by their largest output", x_label="largest output"),
            ]
        ),
    ]


def collapse(settings: CollapseSettings) -> list[Plot]:
    sizes = [3, *[settings.width] * (settings.num_layers - 1), 2]
    linear = random_network(sizes, "linear", seed=settings.seed)
    bent = DenseNetwork(weights=linear.weights, biases=linear.biases, activations=["relu"] * (settings.num_layers - 1))
    product = reduce(np.matmul, linear.weights)
    inputs = np.random.default_rng(settings.seed).normal(size=(200, 3))
    outputs = {"linear": linear.forward(inputs)["output"], "relu": bent.forward(inputs)["output"]}
    through_matrix = inputs @ product
    differences = {name: float(np.max(np.abs(output - through_matrix))) for name, output in outputs.items()}
    letters = " ".join(f"W_{{{layer}}}" for layer in range(1, settings.num_layers + 1))
    if settings.num_layers > 4:
        letters = rf"W_1 W_2 \cdots W_{{{settings.num_layers}}}"
    return [
        Formula(latex=rf"M = {letters}"),
        Heatmap(
            title="M, the only matrix that is needed",
            values=product,
            center=0.0,
            is_labelled=True,
            row_labels=["x₁", "x₂", "x₃"],
            column_labels=["y₁", "y₂"],
        ),
        Table(
            title=f"Largest difference between the {settings.num_layers} layers and M, over 200 random inputs",
            columns=["activation of the hidden layers", "difference"],
            rows=[["linear", differences["linear"]], ["ReLU", differences["relu"]]],
        ),
        Row(
            plots=[
                LinePlot(
                    title=f"{title} hidden layers: first output",
                    lines=[Line(x=through_matrix[:, 0], y=outputs[name][:, 0], kind="dots")],
                    x_label="by the matrix M",
                    y_label="by the layers",
                )
                for name, title in (("linear", "Linear"), ("relu", "ReLU"))
            ]
        ),
    ]
