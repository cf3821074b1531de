"""The first step of training: from the inputs to the output."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import activation, seed

TEXT = r"""
Training repeats four steps: **forward pass, loss, backward pass, update**. This is the first.

In the **forward pass** the inputs go through the network, layer by layer, until the output is there. Each layer does
the same two things: it computes the weighted sums, and sends each through the activation function:

$$\mathbf{z}_l = \mathbf{a}_{l-1} W_l + \mathbf{b}_l, \qquad \mathbf{a}_l = f_l(\mathbf{z}_l)$$

$\mathbf{a}_0$ are the inputs, $\mathbf{a}_L$ of the last layer is the output. Nothing is decided, searched or looked
up: a forward pass is arithmetic in a fixed order, and the same inputs and weights always give the same output.

When a trained network is used, this is all that happens; the field calls it **inference**. In training, the values
$\mathbf{z}_l$ and $\mathbf{a}_l$ are kept, as the backward pass needs them. That is why training takes more memory than
inference.

**Many examples at once.** Networks are given a whole **batch** of examples. Each is a row of a matrix $X$, and one
matrix product computes the sums of all units for all examples:

$$Z_1 = X W_1 + \mathbf{b}_1$$

The rows do not influence each other. Computing them together gives the same numbers, but much faster: processors are
built to multiply large matrices, graphics processors most of all.
"""


@dataclass(frozen=True, kw_only=True)
class PassSettings(Settings):
    x1: float = setting(1.0, "First input", minimum=-3, maximum=3)
    x2: float = setting(-0.5, "Second input", minimum=-3, maximum=3)
    activation: str = activation("tanh")
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class BatchSettings(Settings):
    num_examples: int = setting(4, "Examples in the batch", minimum=1, maximum=8, unit="examples")
    activation: str = activation("relu")
    seed: int = seed()


LESSON = Lesson(
    name="forward-pass",
    title="The forward pass",
    chapter="The four steps of training",
    summary="Step 1: the inputs go through the layers, and the output comes out.",
    text=TEXT,
    experiments=(
        Experiment(
            name="pass",
            title="Every number of a forward pass",
            text="A network with two inputs, three hidden units and one output. Move an input and see what changes, "
            "and what does not.",
            show="layerwise_learn.experiments.forward_pass:single",
            settings=PassSettings,
        ),
        Experiment(
            name="batch",
            title="A batch is a matrix",
            text="The same network for several examples. Each row is one example.",
            show="layerwise_learn.experiments.forward_pass:batch",
            settings=BatchSettings,
        ),
    ),
    page="microscope",
)
