"""The third step of training: which weight is to blame, by the chain rule."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import activation, seed

TEXT = r"""
The loss says how wrong the network is. **Backpropagation** says how much each weight has to do with it: it computes
for every weight the slope of the loss, $\frac{\partial L}{\partial w}$, also called the weight's **gradient**. A
gradient of 0.5 means: if this weight grows by a tiny amount, the loss grows by half of that amount.

A weight acts on the loss through a chain of computations. The **chain rule** of calculus multiplies the slopes along
this chain. For a weight $w$ from input $x$ to hidden unit $h$, which acts through the weight $v$ on the output $y$:

$$\frac{\partial L}{\partial w} = \underbrace{\frac{\partial L}{\partial y}}_{2(y - t)} \cdot
\underbrace{\frac{\partial y}{\partial a_h}}_{v} \cdot
\underbrace{\frac{\partial a_h}{\partial z_h}}_{f'(z_h)} \cdot
\underbrace{\frac{\partial z_h}{\partial w}}_{x}$$

Chains of different weights share their beginning. So the computation starts at the loss and goes **backward**, layer by
layer, and keeps what it has:

$$\frac{\partial L}{\partial W_l} = \mathbf{a}_{l-1}^T \frac{\partial L}{\partial \mathbf{z}_l}, \qquad
\frac{\partial L}{\partial \mathbf{z}_{l-1}} = \left( \frac{\partial L}{\partial \mathbf{z}_l} W_l^T \right) \odot
f'(\mathbf{z}_{l-1})$$

Here $\odot$ multiplies element by element. All gradients together cost about twice as much as the forward pass, however
many weights there are. Trying out each weight on its own would need a forward pass or two for every one of them.

Last comes the **update**, the fourth step: each weight goes a little against its slope, $w \leftarrow w - \eta
\frac{\partial L}{\partial w}$, where $\eta$ is the **learning rate**. Backpropagation in networks became known through
Rumelhart, Hinton and Williams in 1986.
"""

WEIGHTS = ("x1 to h1", "x1 to h2", "x2 to h1", "x2 to h2", "h1 to y", "h2 to y")


@dataclass(frozen=True, kw_only=True)
class ChainSettings(Settings):
    weight: str = setting("x1 to h1", "Whose gradient", choices=WEIGHTS)
    x1: float = setting(1.0, "First input", minimum=-3, maximum=3)
    x2: float = setting(-0.5, "Second input", minimum=-3, maximum=3)
    target: float = setting(1.0, "Target", minimum=-3, maximum=3)
    learning_rate: float = setting(0.1, "Learning rate of the update", minimum=0.01, maximum=1, log=True)
    activation: str = activation("tanh")
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class NudgeSettings(Settings):
    weight: str = setting("x1 to h1", "Which weight is nudged", choices=WEIGHTS)
    exponent: int = setting(-4, "Size of the nudge: 10 to this power", minimum=-14, maximum=0)
    activation: str = activation("tanh")
    seed: int = seed()


LESSON = Lesson(
    name="backpropagation",
    title="Backpropagation",
    chapter="The four steps of training",
    summary="Step 3: the slope of the loss for every weight, by the chain rule, from the output back to the inputs.",
    text=TEXT,
    experiments=(
        Experiment(
            name="chain",
            title="The chain rule with numbers",
            text="Choose a weight. Its gradient is the product of the slopes on the way from the loss back to it. "
            "The update then changes all weights.",
            show="layerwise_learn.experiments.backpropagation:chain",
            settings=ChainSettings,
        ),
        Experiment(
            name="nudge",
            title="Is it true? Nudge the weight and see",
            text="The loss is computed with the weight a little smaller and a little larger. The difference gives the "
            "slope without any calculus. A nudge that is too large misses the curve, one that is too small drowns in "
            "rounding errors.",
            show="layerwise_learn.experiments.backpropagation:nudge",
            settings=NudgeSettings,
        ),
    ),
    page="microscope",
)
