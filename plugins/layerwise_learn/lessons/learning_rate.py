"""The learning rate: too small, good, oscillating, diverging."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
The **learning rate** $\eta$ is the factor between the gradient and the step. If only one setting of a training can be
tuned, tune this one.

Take the simplest valley, a parabola $L(w) = \frac{\lambda}{2} w^2$ with the curvature $\lambda$. Its gradient is
$\lambda w$, so one step of gradient descent gives

$$w \leftarrow w - \eta \lambda w = (1 - \eta \lambda) \, w$$

Each step multiplies the distance from the minimum by the same factor $1 - \eta \lambda$. That explains all four things
that can happen:

- $\eta \lambda$ close to 0: the factor is just below 1. It works, but takes far **too long**.
- $\eta \lambda = 1$: the minimum is reached in one step. Around it the rate is **good**.
- $1 < \eta \lambda < 2$: the factor is negative. Each step jumps to the other side: the weight **oscillates**, and
  still comes closer.
- $\eta \lambda > 2$: each jump is longer than the last. The training **diverges**: the loss explodes, and ends as
  infinity or as "not a number".

A network has many weights and so many curvatures at once. The steepest direction sets the limit, $\eta <
2 / \lambda_\text{max}$, and the flattest one then takes about $\lambda_\text{max} / \lambda_\text{min}$ steps. The
curvature also changes on the way. That is why a rate is found by trying, in factors (0.1, 0.03, 0.01) rather than in
differences.

A **schedule** changes it over the training: a short rise (**warm-up**), large steps first, small ones at the end, such
as along half a cosine. Small steps at the end average the noise of the mini-batches away.
"""


@dataclass(frozen=True, kw_only=True)
class ParabolaSettings(Settings):
    learning_rate: float = setting(0.3, "Learning rate", minimum=0.01, maximum=2.4)
    curvature: float = setting(1.0, "Curvature of the parabola", minimum=0.2, maximum=2)
    num_steps: int = setting(12, "Steps", minimum=1, maximum=40, unit="steps")


@dataclass(frozen=True, kw_only=True)
class FourSettings(Settings):
    num_steps: int = setting(40, "Steps", minimum=1, maximum=200, unit="steps")
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class SweepSettings(Settings):
    num_steps: int = setting(150, "Steps of training", minimum=10, maximum=400, unit="steps")
    width: int = setting(16, "Units of each of two hidden layers", minimum=2, maximum=64, log=True)
    seed: int = seed()


LESSON = Lesson(
    name="learning-rate",
    title="The learning rate",
    chapter="Training well",
    summary="Too small, good, oscillating, diverging: what one number does to a training.",
    text=TEXT,
    experiments=(
        Experiment(
            name="parabola",
            title="One weight, one parabola",
            text="Raise the learning rate slowly and watch the four things happen, one after the other.",
            show="layerwise_learn.experiments.learning_rate:parabola",
            settings=ParabolaSettings,
        ),
        Experiment(
            name="four",
            title="Four rates side by side",
            text="The same model, data and start. The limit $2 / \\lambda_\\text{max}$ is computed from the data.",
            show="layerwise_learn.experiments.learning_rate:four",
            settings=FourSettings,
        ),
        Experiment(
            name="sweep",
            title="Which rate is best for this network?",
            text="A network is trained with fifteen rates, three times each from different starting weights.",
            show="layerwise_learn.experiments.learning_rate:sweep",
            settings=SweepSettings,
            button="Train with all rates",
        ),
    ),
    page="playground",
)
