"""Layers: how units form a network, and what its size costs."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting

TEXT = r"""
The **architecture** of a network is its plan: how many units it has and which of them are connected. The plan of this
lesson is the oldest and the most common part of larger ones.

Units stand in **layers**. The **input layer** only holds the numbers that come in: the pixels of a picture, the columns
of a table. The **output layer** gives the answer, for example one unit for each class. Between them lie **hidden
layers**, hidden because neither the data nor the answer say what they should hold: training decides that.

In a **fully connected** (or **dense**) layer each unit is connected with every unit of the layer before. All its
weighted sums together are one matrix product:

$$\mathbf{a}_l = f(\mathbf{a}_{l-1} W_l + \mathbf{b}_l)$$

$W_l$ has a row for each unit before and a column for each unit of layer $l$; $\mathbf{b}_l$ holds a bias for each unit.
So layer $l$ with $n_l$ units has

$$(n_{l-1} + 1) \cdot n_l$$

parameters. The number of layers with weights is the **depth** of the network, the number of units in a layer its
**width**. A network with more than one hidden layer is called **deep**.

The width costs more than it seems: two neighbouring layers twice as wide have four times as many weights between them.
One more layer of the same width only adds its own. Neither is free, and more parameters need more data to be set well.

Other architectures connect less. A **convolutional** layer looks at small patches and uses the same weights
everywhere, a **transformer** computes from the input which parts look at which others. Both contain dense layers.
"""


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(Settings):
    inputs: int = setting(3, "Inputs", minimum=1, maximum=8)
    hidden_1: int = setting(4, "Units of the first hidden layer; 0 leaves it out", minimum=0, maximum=8)
    hidden_2: int = setting(4, "Units of the second hidden layer; 0 leaves it out", minimum=0, maximum=8)
    hidden_3: int = setting(0, "Units of the third hidden layer; 0 leaves it out", minimum=0, maximum=8)
    outputs: int = setting(2, "Outputs", minimum=1, maximum=8)


@dataclass(frozen=True, kw_only=True)
class CostSettings(Settings):
    inputs: int = setting(784, "Inputs: 784 are the pixels of a picture of 28 x 28", minimum=1, maximum=4096, log=True)
    width: int = setting(128, "Units of each hidden layer", minimum=1, maximum=1024, log=True)
    hidden_layers: int = setting(2, "Hidden layers", minimum=1, maximum=12)
    outputs: int = setting(10, "Outputs", minimum=1, maximum=1000, log=True)


LESSON = Lesson(
    name="architecture",
    title="Network architecture",
    chapter="The network",
    summary="Input, hidden and output layers, fully connected: draw a network and count its parameters.",
    text=TEXT,
    experiments=(
        Experiment(
            name="draw",
            title="Draw a network",
            text="Change the layers and watch the lines: each is a weight. The count below follows the formula.",
            show="layerwise_learn.experiments.architecture:draw",
            settings=NetworkSettings,
        ),
        Experiment(
            name="cost",
            title="One layer more, or wider layers",
            text="What does it cost to make this network deeper, or wider?",
            show="layerwise_learn.experiments.architecture:cost",
            settings=CostSettings,
        ),
    ),
    page="playground",
)
