"""Features built from features: edges, parts, things."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
What do the layers of a deep network hold? Each one describes its input in its own terms, its **features**, and these
become richer from layer to layer, because each is made from those before:

$$\text{pixels} \rightarrow \text{edges} \rightarrow \text{parts} \rightarrow \text{things}$$

In a network for pictures, a unit of a **convolutional layer** looks at a small patch of what comes before, and the same
weights look everywhere in the picture. The part of the picture that a unit can see is its **receptive field**. It grows
from layer to layer:

- **Early layers** see a few pixels. They answer to edges of one direction, to spots and to changes of brightness. These
  are much the same in any network and for any task.
- **Middle layers** see several edges at once, and answer to corners, curves and textures.
- **Deep layers** see most of the picture. They answer to parts and whole things: a wheel, a face, a sleeve.

This is economical. A thousand things share a hundred parts, which share a dozen edges: what one of them needs, all
others can use. It is also why a network that was trained for one task is a good start for another (**transfer
learning**): its early layers are right already.

Nobody wrote these features down. They follow from the loss alone. How can one see them? One way looks through many real
pictures for the patches to which a channel answers most (Zeiler and Fergus 2014). Another starts from noise and changes
the pixels until the channel answers as much as it can (Erhan et al. 2009, Olah et al. 2017).

The picture of edges, parts and things is a tendency, not a law: single channels often answer to several unlike things.
"""

SHAPES = ("ring", "square", "triangle", "cross")


@dataclass(frozen=True, kw_only=True)
class ByHandSettings(Settings):
    shape: str = setting("triangle", "The picture", choices=SHAPES)
    noise: float = setting(0.05, "Noise of each pixel", minimum=0, maximum=0.5)
    seed: int = seed()


@dataclass(frozen=True, kw_only=True)
class ChannelSettings(Settings):
    channels: int = setting(6, "Channels of each layer", minimum=1, maximum=12, unit="channels")


LESSON = Lesson(
    name="hierarchical-features",
    title="Hierarchical features",
    chapter="Why it works",
    summary="Early layers find edges, middle ones parts, deep ones things: built by hand, then seen in a real network.",
    text=TEXT,
    experiments=(
        Experiment(
            name="by-hand",
            title="Edges, parts, things: built by hand",
            text="The first layer has four filters for strokes of one direction. The second finds where strokes meet. "
            "Only the last one is learned: it weighs the parts.",
            show="layerwise_learn.experiments.hierarchical_features:by_hand",
            settings=ByHandSettings,
        ),
        Experiment(
            name="hierarchy",
            title="Edges, parts, things: learned",
            text="Channels of an early, a middle and a deep layer of a network that was trained on real pictures.",
            show="layerwise_learn.experiments.hierarchical_features:hierarchy",
        ),
        Experiment(
            name="patches",
            title="Look for more channels in real pictures",
            text="A thousand real pictures go through the network. Shown are the patches to which channels of an "
            "early, a middle and a deep layer answer most.",
            show="layerwise_learn.experiments.hierarchical_features:patches",
            settings=ChannelSettings,
            button="Look through the pictures",
        ),
        Experiment(
            name="features",
            title="Make pictures for more channels",
            text="From noise, by gradient ascent on the pixels, so that each channel answers as much as it can.",
            show="layerwise_learn.experiments.hierarchical_features:features",
            settings=ChannelSettings,
            button="Make the pictures",
        ),
    ),
    demos=("vision",),
)
