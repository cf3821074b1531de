"""The fourth step of training, again and again: gradient descent and its variants."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import OPTIMIZER_NAMES, seed

TEXT = r"""
Think of all weights as a place in a landscape whose height is the loss. The gradient $\nabla L$ points uphill, so each
step of **gradient descent** goes the other way. This is the update, the fourth step:

$$\mathbf{w} \leftarrow \mathbf{w} - \eta \, \nabla L(\mathbf{w})$$

The **learning rate** $\eta$ sets how far. Then the four steps begin again.

**How many examples for one step?** All of them (**batch** gradient descent): the exact gradient, but a whole pass over
the data for a single step. One example: a step for each, but in a direction that is only right on average. In between
lies the **mini-batch** of some dozens or hundreds. Both of the latter are called **stochastic gradient descent** (SGD),
as the examples come in random order. The noise of the gradient falls with the root of the batch size $B$, as
$\frac{1}{\sqrt{B}}$: four times the work makes it half as large. So small batches are the better bargain at the
beginning, and the noise may even help to leave bad places.

**Better steps with the same gradients.** In a long valley the gradient points across rather than along.

- **Momentum** keeps a part of the last step: $\mathbf{v} \leftarrow \mu \mathbf{v} - \eta \nabla L$, $\mathbf{w}
  \leftarrow \mathbf{w} + \mathbf{v}$. Steps across cancel, steps along add up.
- **RMSprop** divides the step of each weight by the usual size of its gradients, so that all weights move alike.
- **Adam** joins both: with the running means $\mathbf{m}$ of the gradient and $\mathbf{s}$ of its square it goes
  $-\eta \, \mathbf{m} / (\sqrt{\mathbf{s}} + \epsilon)$. It often works with the settings that it comes with.

The loss of a network has many valleys. Descent finds one of them, not always the deepest; for large networks that is
usually good enough.
"""


@dataclass(frozen=True, kw_only=True)
class SurfaceSettings(Settings):
    problem: str = setting(
        "line",
        "Model: line y = w x + b, or two layers y = v tanh(w x)",
        choices=("line", "two layers"),
    )
    optimizer: str = setting("sgd", "Rule that turns gradients into steps", choices=OPTIMIZER_NAMES)
    learning_rate: float = setting(0.05, "Learning rate", minimum=0.001, maximum=1, log=True)
    batch_size: int = setting(8, "Examples for one step, of 64", minimum=1, maximum=64, unit="examples", log=True)
    num_steps: int = setting(60, "Steps", minimum=1, maximum=300, unit="steps")
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class NoiseSettings(Settings):
    batch_size: int = setting(4, "Examples for one gradient", minimum=1, maximum=64, unit="examples", log=True)
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class RaceSettings(Settings):
    problem: str = setting(
        "line", "Model: line y = w x + b, or two layers y = v tanh(w x)", choices=("line", "two layers")
    )
    rate_sgd: float = setting(0.1, "Learning rate of plain SGD", minimum=0.001, maximum=1, log=True)
    rate_momentum: float = setting(0.03, "Learning rate of momentum", minimum=0.001, maximum=1, log=True)
    rate_rmsprop: float = setting(0.1, "Learning rate of RMSprop", minimum=0.001, maximum=1, log=True)
    rate_adam: float = setting(0.3, "Learning rate of Adam", minimum=0.001, maximum=1, log=True)
    num_steps: int = setting(60, "Steps", minimum=1, maximum=200, unit="steps")
    seed: int = seed()


LESSON = Lesson(
    name="gradient-descent",
    title="Gradient descent",
    chapter="The four steps of training",
    summary="Step 4, repeated: downhill on the loss, with all examples, a few or one; momentum and Adam.",
    text=TEXT,
    experiments=(
        Experiment(
            name="surface",
            title="The path of descent",
            text="The loss of a model with two weights, as a map. The line is the path, the dot its end. "
            "Compare batches of 64, 8 and 1, then momentum and Adam.",
            show="layerwise_learn.experiments.gradient_descent:descent",
            settings=SurfaceSettings,
        ),
        Experiment(
            name="noise",
            title="The noise of a mini-batch",
            text="Each dot is the gradient of one random mini-batch at the same place. Larger batches bring the dots "
            "together around the gradient of all examples.",
            show="layerwise_learn.experiments.gradient_descent:noise",
            settings=NoiseSettings,
        ),
        Experiment(
            name="race",
            title="Four rules on one surface",
            text="All start at the same place with the exact gradient. Find the best learning rate of each.",
            show="layerwise_learn.experiments.gradient_descent:race",
            settings=RaceSettings,
        ),
    ),
    page="playground",
)
