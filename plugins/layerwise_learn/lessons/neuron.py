"""The artificial neuron."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import activation, seed

GATES = ("and", "or", "nand", "xor")

TEXT = r"""
A neural network is built from one small part, used many times: the **artificial neuron**, also called a **unit**.

It takes some numbers, its **inputs** $x_1, x_2, \dots, x_n$. To each input belongs a number that says how much it
counts: its **weight** $w_i$. A large positive weight means that the input speaks strongly for an answer, a negative one
that it speaks against it, a weight of zero that it does not matter. The unit adds everything up, and adds one more
number, its **bias** $b$, which shifts the sum:

$$z = w_1 x_1 + w_2 x_2 + \dots + w_n x_n + b$$

Then it sends this **weighted sum** through a fixed function $f$, the **activation function**. The result $a = f(z)$ is
its output, and may be an input of other units.

Weights and biases are the **parameters** of a network. They are all that it learns: the way of computing never
changes, only these numbers do.

**What one unit can do.** With two inputs, all points where $z = 0$ lie on a straight line. On one side of it $z$ is
positive, on the other negative. So one unit divides the plane by a straight line: the weights set its direction, the
bias moves it. That is enough for a logical AND or OR. It is not enough for XOR ("one or the other, not both"), as no
straight line has $(0,1)$ and $(1,0)$ on one side and $(0,0)$ and $(1,1)$ on the other. Minsky and Papert showed this
in 1969. A few units in a layer before it solve the problem.
"""


@dataclass(frozen=True, kw_only=True)
class ArithmeticSettings(Settings):
    x1: float = setting(1.0, "First input", minimum=-3, maximum=3)
    x2: float = setting(-2.0, "Second input", minimum=-3, maximum=3)
    w1: float = setting(1.5, "Weight of the first input", minimum=-3, maximum=3)
    w2: float = setting(0.5, "Weight of the second input", minimum=-3, maximum=3)
    b: float = setting(0.5, "Bias", minimum=-3, maximum=3)
    activation: str = activation("sigmoid", "Activation function")


@dataclass(frozen=True, kw_only=True)
class LineSettings(Settings):
    gate: str = setting("and", "What the unit should compute", choices=GATES)
    w1: float = setting(1.0, "Weight of the first input", minimum=-3, maximum=3)
    w2: float = setting(1.0, "Weight of the second input", minimum=-3, maximum=3)
    b: float = setting(-0.5, "Bias", minimum=-3, maximum=3)


@dataclass(frozen=True, kw_only=True)
class GateSettings(Settings):
    gate: str = setting("xor", "What it should learn", choices=GATES)
    hidden_units: int = setting(0, "Units in a layer before it; 0 is the single neuron", minimum=0, maximum=8)
    num_steps: int = setting(500, "Steps of gradient descent", minimum=0, maximum=1000, unit="steps")
    seed: int = seed()


LESSON = Lesson(
    name="neuron",
    title="The artificial neuron",
    chapter="The network",
    summary="Inputs, weights, a bias, a sum and an activation function: the part from which networks are built.",
    text=TEXT,
    experiments=(
        Experiment(
            name="arithmetic",
            title="The arithmetic of one neuron",
            text="Drag a slider and follow the numbers. Which inputs and weights make the output large?",
            show="layerwise_learn.experiments.neuron:arithmetic",
            settings=ArithmeticSettings,
        ),
        Experiment(
            name="line",
            title="The line that a neuron draws",
            text="The unit answers 1 where $z > 0$. Turn weights and bias until all four points are right: first AND, "
            "then OR. Then try XOR.",
            show="layerwise_learn.experiments.neuron:line",
            settings=LineSettings,
        ),
        Experiment(
            name="learn",
            title="A neuron learns a gate, or cannot",
            text="Here training finds the weights. With no hidden units XOR stays at three of four points or fewer. "
            "Give it three or four hidden units.",
            show="layerwise_learn.experiments.neuron:learn",
            settings=GateSettings,
        ),
    ),
    page="playground",
)
