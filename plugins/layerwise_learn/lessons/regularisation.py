"""What keeps a network from learning its examples by heart."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
A large network can fit anything, noise included. **Regularisation** is everything that makes it prefer simple
explanations, so that it does well on examples that it has not seen.

**L2** adds the squares of all weights to the loss:

$$L_\text{total} = L + \lambda \sum_i w_i^2$$

Large weights now cost something. Each step also pulls every weight towards zero, in proportion to its size, which is
why it is also called **weight decay**. Weights that the data do not need stay small, and the function bends less. The
strength $\lambda$ is a setting: zero does nothing, too much leaves a function that is flat.

**L1** adds the magnitudes instead, $\lambda \sum_i |w_i|$. Its pull does not become weaker near zero, so many weights
end very close to exactly zero: the network becomes **sparse**. Biases are left out of both.

**Dropout** sets, in every training step, each hidden output to zero with a probability $p$, and divides those that stay
by $1 - p$, so that the mean is kept. No unit can rely on another one being there. When the network is used, all units
take part. It works as if very many smaller networks were averaged (Srivastava et al. 2014).

**More data** is the best of all: noise that differs from example to example averages out. Where there are no more,
those that there are can be changed in ways that leave the answer alone: a picture moved or mirrored, a sound made
louder. That is **augmentation**.

**Early stopping** belongs here too: weights begin small and grow with the steps, so ending early keeps them smaller.

All but more data trade: the fit of the training examples becomes worse on purpose.
"""


@dataclass(frozen=True, kw_only=True)
class RegularisationSettings(Settings):
    l2: float = setting(0.001, "Strength of L2", minimum=0.00001, maximum=0.1, log=True)
    l1: float = setting(0.0005, "Strength of L1", minimum=0.00001, maximum=0.1, log=True)
    dropout: float = setting(0.1, "Probability with which dropout drops a unit", minimum=0.01, maximum=0.8)
    more: int = setting(4, "More data: how many times as many examples", minimum=2, maximum=5)
    num_examples: int = setting(12, "Training examples of all others", minimum=4, maximum=12, unit="examples")
    noise: float = setting(0.3, "Noise of the examples", minimum=0, maximum=1)
    num_epochs: int = setting(1500, "Epochs", minimum=100, maximum=3000, unit="epochs")
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class PullSettings(Settings):
    weight: float = setting(0.8, "Weight before the step", minimum=-2, maximum=2)
    strength: float = setting(0.5, "Strength of the penalty", minimum=0, maximum=2)
    learning_rate: float = setting(0.1, "Learning rate", minimum=0.01, maximum=0.5)


LESSON = Lesson(
    name="regularisation",
    title="Regularisation",
    chapter="Training well",
    summary="L2, L1, dropout and more data: how a large network is kept from fitting noise.",
    text=TEXT,
    experiments=(
        Experiment(
            name="pull",
            title="How L1 and L2 pull at a weight",
            text="No data, only the penalty: where does the weight go? Compare a large weight with one near zero.",
            show="layerwise_learn.experiments.regularisation:pull",
            settings=PullSettings,
        ),
        Experiment(
            name="comparison",
            title="Five trainings of the same network",
            text="The same starting weights and examples, but for what is named. Look at the fit, at the validation "
            "loss and at the weights. Which strength is too much?",
            show="layerwise_learn.experiments.regularisation:comparison",
            settings=RegularisationSettings,
            button="Train all five",
        ),
    ),
    page="playground",
)
