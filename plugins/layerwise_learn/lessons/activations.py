"""Activation functions: what they are for, and what goes wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import activation, seed

TEXT = r"""
The **activation function** $f$ bends what a unit has added up. Without it a network is only as strong as a single
layer: two linear layers in a row are one linear layer,

$$(\mathbf{x} W_1) W_2 = \mathbf{x} (W_1 W_2),$$

and so are a hundred. With a bend between them, layers can build shapes that no single layer can.

Its **derivative** $f'$ matters as much as its value, as training multiplies by it at each layer on the way back.

- **Sigmoid** and **tanh** flatten on both sides: they **saturate**. There $f'$ is almost 0, and hardly any gradient
  comes through. The derivative of the sigmoid is never above $\frac{1}{4}$, so through many layers the gradient shrinks
  again and again: it **vanishes**, and the first layers learn hardly anything.
- **ReLU**, $\max(0, x)$, has derivative 1 wherever it is active, so gradients keep their size. Its price: a unit whose
  sum is negative for every example has derivative 0 for every example. It gets no gradient, so no step of training
  changes it: a **dead ReLU**. Large learning rates and negative biases make them.
- **Leaky ReLU**, **ELU** and **SELU** keep a slope on the left for that reason. **GELU** and **SiLU** are smooth
  relatives of ReLU, often seen in transformers. **Softplus** is ReLU with its corner rounded, **softsign** a cheap
  relative of tanh.
- **Linear** changes nothing: right for the output of a regression, and pointless in a hidden layer.

Which weights are good to start with depends on the function, so that values neither grow nor shrink from layer to
layer: twice the variance for ReLU (He), less for tanh (Glorot).
"""


@dataclass(frozen=True, kw_only=True)
class ShapeSettings(Settings):
    activation: str = activation("relu", "Activation function")
    x: float = setting(1.0, "Where to look", minimum=-6, maximum=6)


@dataclass(frozen=True, kw_only=True)
class SaturationSettings(Settings):
    activation: str = activation("sigmoid")
    num_layers: int = setting(20, "Hidden layers", minimum=1, maximum=40)
    gain: float = setting(
        1.0, "Factor on the usual starting weights of this function", minimum=0.1, maximum=4, log=True
    )
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class DeadSettings(Settings):
    activation: str = activation("relu")
    bias: float = setting(0.0, "Bias of all hidden units at the start", minimum=-4, maximum=1)
    learning_rate: float = setting(0.1, "Learning rate", minimum=0.01, maximum=50, log=True)
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class CollapseSettings(Settings):
    num_layers: int = setting(5, "Layers", minimum=2, maximum=20)
    width: int = setting(6, "Units of each hidden layer", minimum=2, maximum=16)
    seed: int = seed()


LESSON = Lesson(
    name="activations",
    title="Activation functions",
    chapter="The network",
    summary="All of them with their derivatives; saturation, dead units, and why a network without them collapses.",
    text=TEXT,
    experiments=(
        Experiment(
            name="shapes",
            title="Function and derivative",
            text="Choose a function. Where is its derivative almost 0? Below are all of them.",
            show="layerwise_learn.experiments.activations:shapes",
            settings=ShapeSettings,
        ),
        Experiment(
            name="saturation",
            title="The gradient on its way back through many layers",
            text="A random network, one backward pass. Compare sigmoid, tanh and ReLU with many layers. A gain above 1 "
            "makes some gradients explode instead.",
            show="layerwise_learn.experiments.activations:saturation",
            settings=SaturationSettings,
        ),
        Experiment(
            name="dead-units",
            title="Dead units",
            text="A network of 64 hidden units is trained for 100 steps. How many of its units give 0 for every "
            "example? Lower the bias, raise the learning rate, then try another function.",
            show="layerwise_learn.experiments.activations:dead_units",
            settings=DeadSettings,
        ),
        Experiment(
            name="collapse",
            title="A deep linear network is one matrix",
            text="All matrices of the network are multiplied into one. The same inputs go through the layers and "
            "through that one matrix; next to it the same with ReLU between the layers.",
            show="layerwise_learn.experiments.activations:collapse",
            settings=CollapseSettings,
        ),
    ),
    page="playground",
)
