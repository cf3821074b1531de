"""One neuron: its arithmetic, the line that it draws, and the logical gates that it can learn."""

from __future__ import annotations

import numpy as np

from layerwise.activations import ACTIVATIONS, sigmoid
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import Formula, Line, LinePlot, Plot, Row, Table, Text
from layerwise_learn.experiments.drawing import diagram, dots, line_in_plane, number, plane, sum_of_products
from layerwise_learn.experiments.networks import descend, random_network
from layerwise_learn.lessons.neuron import ArithmeticSettings, GateSettings, LineSettings

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "nand": (1, 1, 1, 0), "xor": (0, 1, 1, 0)}
"""What each gate answers at the four corners."""
AROUND = (-0.5, 1.5)


def arithmetic(settings: ArithmeticSettings) -> list[Plot]:
    inputs, weights = np.array([settings.x1, settings.x2]), np.array([settings.w1, settings.w2])
    function = ACTIVATIONS[settings.activation]
    network = DenseNetwork(
        weights=[weights[:, np.newaxis]], biases=[np.array([settings.b])], output_activation=settings.activation
    )
    forward = network.forward(inputs[np.newaxis])
    z, output = float(forward["z_1"][0, 0]), float(forward["output"][0, 0])
    x = np.linspace(-10, 10, 201)
    curve = LinePlot(
        title=f"The activation function: {function.title}",
        lines=[
            Line(label=function.title, x=x, y=function.function(x)),
            Line(label="this neuron", x=[z], y=[output], kind="dots"),
        ],
        x_label="weighted sum z",
        y_label="output a",
        # SELU and the like grow without end: the sliders reach |z| = 21, where the dot would leave the axes.
        x_range=(min(-10.0, z), max(10.0, z)),
    )
    return [
        Row(plots=[diagram(network, forward), curve]),
        Formula(
            label="weighted sum",
            latex=rf"z = w_1 x_1 + w_2 x_2 + b = {sum_of_products(weights, inputs, settings.b)} = {number(z, 4)}",
        ),
        Formula(label="formula of the activation", latex=f"f(x) = {function.formula}"),
        Formula(label="output", latex=f"a = f(z) = f({number(z, 4)}) = {number(output, 4)}"),
    ]


def line(settings: LineSettings) -> list[Plot]:
    weights, wanted = np.array([settings.w1, settings.w2]), np.array(GATES[settings.gate])
    sums = CORNERS @ weights + settings.b
    answers = (sums > 0).astype(int)
    right = int(np.sum(answers == wanted))
    heat = plane(
        lambda points: points @ weights + settings.b,
        AROUND,
        AROUND,
        title="z over the plane",
        center=0.0,
        lines=[*line_in_plane(weights, settings.b, AROUND, AROUND), dots(CORNERS, wanted)],
    )
    table = Table(
        title=f"{right} of 4 points are right",
        columns=["x₁", "x₂", "z", "answer", f"{settings.gate.upper()} is", "right"],
        rows=[
            [f"{x1:.0f}", f"{x2:.0f}", float(z), str(answer), str(target), "yes" if answer == target else "no"]
            for (x1, x2), z, answer, target in zip(CORNERS, sums, answers, wanted, strict=True)
        ],
    )
    shown: list[Plot] = [Row(plots=[heat, table])]
    if settings.gate == "xor":
        shown.append(Text(text=WHY_NOT_XOR))
    return shown


WHY_NOT_XOR = (
    "No weights get all four right. XOR needs $b \\le 0$ at $(0,0)$ and $w_1 + w_2 + b \\le 0$ at $(1,1)$: added, "
    "$w_1 + w_2 + 2b \\le 0$. It also needs $w_1 + b > 0$ at $(1,0)$ and $w_2 + b > 0$ at $(0,1)$: added, "
    "$w_1 + w_2 + 2b > 0$. Both cannot be true."
)


def learn(settings: GateSettings) -> list[Plot]:
    wanted = np.array(GATES[settings.gate])
    hidden = [settings.hidden_units] if settings.hidden_units else []
    start = random_network([2, *hidden, 1], "tanh", seed=settings.seed, output_activation="sigmoid")
    network, losses = descend(
        start, CORNERS, wanted, loss="cross_entropy", learning_rate=1.0, num_steps=settings.num_steps
    )
    forward = network.forward(CORNERS)
    losses.append(network.loss(forward, wanted, "cross_entropy").value)
    answers = forward["output"][:, 0]
    right = int(np.sum((answers > 0.5) == wanted))
    heat = plane(
        lambda points: sigmoid(network.forward(points)[f"z_{network.depth}"][:, 0]),
        AROUND,
        AROUND,
        title=f"Output over the plane: {right} of 4 right",
        center=0.5,
        limits=(0, 1),
        lines=[dots(CORNERS, wanted)],
    )
    curve = LinePlot(
        title="Loss",
        lines=[
            Line(label="cross-entropy", x=np.arange(len(losses)), y=losses),
            Line(label="guessing one half: ln 2", x=[0, max(1, len(losses) - 1)], y=[np.log(2)] * 2, kind="dashed"),
        ],
        x_label="step",
        y_label="loss",
    )
    return [
        Row(plots=[heat, curve]),
        diagram(network),
        Table(
            columns=["x₁", "x₂", f"{settings.gate.upper()} is", "output"],
            rows=[
                [f"{x1:.0f}", f"{x2:.0f}", str(target), float(answer)]
                for (x1, x2), target, answer in zip(CORNERS, wanted, answers, strict=True)
            ],
        ),
    ]
