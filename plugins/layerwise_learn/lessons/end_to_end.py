"""End-to-end learning: features made by hand, or found by the network."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
For decades, recognising something took two steps. First an expert wrote down **features**: numbers that tell the things
apart, such as how many strokes a row crosses, or how much ink is in the corners. Then a simple model, often a linear
one, learned how to weigh them:

$$\text{pixels} \rightarrow \text{features (by hand)} \rightarrow \text{answer (learned)}$$

In **end-to-end learning** nothing in between is written by hand. A network gets the raw data and the right answers, and
a single loss trains all of it:

$$\text{pixels} \rightarrow \text{features (learned)} \rightarrow \text{answer (learned)}$$

The hidden layers become the features. They are made for this very task, as backpropagation tells every one of them how
the answer would get better.

**What speaks for it.** No expert is needed who knows what to measure, and nothing is thrown away before learning
begins. The same network that learned shapes can learn sounds. When the data are plenty, learned features usually win;
that is how pictures, speech and translation were taken over by deep learning between 2010 and 2017.

**What speaks against it.** A network has to learn from examples what the expert knew already, so it needs many. With
few examples good features and a linear model are hard to beat. And a feature with a name can be explained, which a
weight cannot.

The experiments measure both sides. The pictures are drawn by a formula here and now: rings, squares, triangles and
crosses of 16 x 16 pixels, each with its own place, size and turn. The seven hand-made features are the honest attempt
of someone who looked at clean pictures.
"""


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings(Settings):
    num_examples: int = setting(1000, "Training examples", minimum=40, maximum=4000, unit="examples", log=True)
    noise: float = setting(0.15, "Noise of each pixel", minimum=0, maximum=0.6)
    hidden_units: int = setting(64, "Hidden units of the network", minimum=4, maximum=64, log=True)
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class CurveSettings(Settings):
    noise: float = setting(0.15, "Noise of each pixel", minimum=0, maximum=0.6)
    seed: int = seed()


LESSON = Lesson(
    name="end-to-end",
    title="End-to-end learning",
    chapter="Why it works",
    summary="Hand-made features with a linear model against a network on raw pixels, measured on the same examples.",
    text=TEXT,
    experiments=(
        Experiment(
            name="comparison",
            title="Three ways, the same examples",
            text="All three learn from the same pictures and are tested on the same 1,000 others. Change the number of "
            "examples and the noise: when does which win?",
            show="layerwise_learn.experiments.end_to_end:comparison",
            settings=ComparisonSettings,
            button="Train all three",
        ),
        Experiment(
            name="curve",
            title="How many examples does it take?",
            text="The same three with 50 to 3,200 examples.",
            show="layerwise_learn.experiments.end_to_end:curve",
            settings=CurveSettings,
            button="Train twenty-one models",
        ),
    ),
    demos=("vision",),
)
