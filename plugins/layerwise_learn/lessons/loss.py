"""The second step of training: how wrong the output is."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
The **loss** says in one number how far the output is from what it should be, the **target**. It is the second of the
four steps, and the only thing that training makes smaller. What the loss does not count, the network does not learn.

**Squared error**, for numbers (a **regression**: a price, a temperature). With output $y$ and target $t$:

$$L = (y - t)^2$$

Twice the distance costs four times as much, so large mistakes dominate. Its slope $2(y - t)$ says in which direction
the output should go, and how urgently.

**Cross-entropy**, for classes (a **classification**: which digit is it?). The network gives a number for each class, a
**logit** $z_k$. The **softmax** turns them into probabilities that add up to 1:

$$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\ln p_t$$

where $t$ is the right class. A probability of 1 for it costs nothing; the closer it comes to 0, the more it costs,
without limit. Guessing among $K$ classes costs $\ln K$. The slope with respect to each logit is as simple as it could
be: $p_k - y_k$, with $y_k = 1$ for the right class and 0 for the others. For two classes one output with a **sigmoid**
does the same.

**Of a batch** the loss is the mean over its examples. Training watches this mean; single examples may get worse while
it falls.

The loss is not the **accuracy**, the share of right answers. Accuracy jumps when an answer flips and is flat in
between: it has no useful slope, so it is reported, but not trained on.
"""


@dataclass(frozen=True, kw_only=True)
class SquaredSettings(Settings):
    output: float = setting(2.0, "Output of the network", minimum=-3, maximum=3)
    target: float = setting(0.5, "Target", minimum=-3, maximum=3)


@dataclass(frozen=True, kw_only=True)
class EntropySettings(Settings):
    z1: float = setting(2.0, "Logit of class 1", minimum=-6, maximum=6)
    z2: float = setting(1.0, "Logit of class 2", minimum=-6, maximum=6)
    z3: float = setting(-1.0, "Logit of class 3", minimum=-6, maximum=6)
    right_class: int = setting(1, "The right class", minimum=1, maximum=3)


@dataclass(frozen=True, kw_only=True)
class LossBatchSettings(Settings):
    slope: float = setting(0.5, "Weight w of the model y = w x + b", minimum=-3, maximum=3)
    shift: float = setting(0.0, "Bias b of the model", minimum=-3, maximum=3)
    num_examples: int = setting(8, "Examples in the batch", minimum=1, maximum=20, unit="examples")
    outlier: float = setting(0.0, "Added to the target of the last example", minimum=-8, maximum=8)
    seed: int = seed()


LESSON = Lesson(
    name="loss",
    title="The loss",
    chapter="The four steps of training",
    summary="Step 2: one number that says how wrong the output is. Squared error and cross-entropy.",
    text=TEXT,
    experiments=(
        Experiment(
            name="squared-error",
            title="Squared error",
            text="Move the output to the target. The dashed line is the slope: training goes against it.",
            show="layerwise_learn.experiments.loss:squared",
            settings=SquaredSettings,
        ),
        Experiment(
            name="cross-entropy",
            title="Softmax and cross-entropy",
            text="Raise the logit of the right class, then that of a wrong one. What do equal logits cost?",
            show="layerwise_learn.experiments.loss:entropy",
            settings=EntropySettings,
        ),
        Experiment(
            name="batch",
            title="The loss of a batch",
            text="Fit the line by hand: which slope and shift make the mean smallest? Then add an outlier.",
            show="layerwise_learn.experiments.loss:batch",
            settings=LossBatchSettings,
        ),
    ),
    page="microscope",
)
