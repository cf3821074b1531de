"""Epochs, and when a network learns its examples by heart."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
One pass over all training examples is an **epoch**. With $N$ examples and batches of $B$, an epoch has

$$\left\lceil \frac{N}{B} \right\rceil$$

steps. One epoch is rarely enough, so the examples are shown again and again, each time in a new order. How long is long
enough?

The loss on the training examples falls and falls. But that is not what we want: we want good answers on examples that
the network has **not** seen. So some examples are held out and never trained on. They are the **validation set**, and
the loss on them is the **validation loss**.

At first both losses fall: the network learns what the examples have in common. Later, a network with many parameters
begins to learn the noise of the single examples, as if it learned them by heart. The training loss still falls, the
validation loss rises. This is **overfitting**. The opposite, a network too small or not trained long enough to follow
the data, is **underfitting**: both losses stay high.

**Early stopping** ends the training when the validation loss has not become better for some epochs, the **patience**,
and keeps the weights of the best epoch.

A third set is needed for an honest final figure: the **test set**. Whoever chooses the best epoch, or the best of
twenty networks, by the validation loss has used the validation set to decide, and its figure has become a little too
good. The test set is looked at once, at the end.

What helps against overfitting: more data, above all. A smaller network, fewer epochs, or regularisation, which is the
next lesson.
"""


@dataclass(frozen=True, kw_only=True)
class StepsSettings(Settings):
    num_examples: int = setting(60_000, "Training examples", minimum=1, maximum=1_000_000, unit="examples", log=True)
    batch_size: int = setting(128, "Examples for one step", minimum=1, maximum=8192, unit="examples", log=True)
    num_epochs: int = setting(10, "Epochs", minimum=1, maximum=100, unit="epochs")


@dataclass(frozen=True, kw_only=True)
class OverfitSettings(Settings):
    num_examples: int = setting(14, "Training examples", minimum=4, maximum=64, unit="examples", log=True)
    noise: float = setting(0.3, "Noise of the examples", minimum=0, maximum=1)
    width: int = setting(64, "Units of each of two hidden layers", minimum=1, maximum=64, log=True)
    num_epochs: int = setting(1500, "Epochs", minimum=50, maximum=4000, unit="epochs")
    patience: int = setting(200, "Epochs to wait for a better validation loss", minimum=10, maximum=1000, unit="epochs")
    seed: int = seed()


LESSON = Lesson(
    name="epochs-and-overfitting",
    title="Epochs and overfitting",
    chapter="Training well",
    summary="How long to train: the loss on examples that were held out says when learning turns into memorising.",
    text=TEXT,
    experiments=(
        Experiment(
            name="steps",
            title="Epochs, batches, steps",
            show="layerwise_learn.experiments.epochs_and_overfitting:steps",
            settings=StepsSettings,
        ),
        Experiment(
            name="overfit",
            title="A large network and a few noisy points",
            text="Watch the two losses part. Then give it more examples, less noise or a smaller network.",
            show="layerwise_learn.experiments.epochs_and_overfitting:overfit",
            settings=OverfitSettings,
            button="Train",
        ),
    ),
    page="playground",
)
