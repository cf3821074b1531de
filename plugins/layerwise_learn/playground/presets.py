"""Settings to begin with, each with what to look at."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Values of a config that differ from the defaults, and a sentence on what they show."""

    title: str
    look: str
    values: dict[str, str]

    @property
    def address(self) -> str:
        """The part of the page's address after #."""
        return urlencode(self.values, safe=",")


_OVERFITTING = {
    "data": "gaussians",
    "noise": "1",
    "num_points": "60",
    "test_share": "0.5",
    "units": "16,16",
    "activations": "relu,relu",
}
PRESETS = (
    Preset(
        title="Spirals with three layers",
        look="The first layer draws straight edges, the second bends them, the third follows the spiral.",
        values={"data": "spirals"},
    ),
    Preset(
        title="A line cannot do it",
        look="Without a hidden layer the border is one straight line, and no training helps.",
        values={"data": "xor", "units": "", "activations": "", "test_share": "0.3"},
    ),
    Preset(
        title="One product is enough",
        look="The same data, still no hidden layer, but the network is given x₁x₂: the right feature replaces layers.",
        values={"data": "xor", "units": "", "activations": "", "features": "x1,x2,x1x2"},
    ),
    Preset(
        title="Linear layers stay linear",
        look="Three layers, and still one straight line: without an activation function they are a single matrix.",
        values={"data": "circle", "activations": "linear,linear,linear"},
    ),
    Preset(
        title="Too large a step",
        look="The loss jumps up and down instead of falling. Lower the learning rate while it runs.",
        values={"data": "circle", "units": "8,8", "activations": "tanh,tanh", "learning_rate": "3", "optimizer": "sgd"},
    ),
    Preset(
        title="Overfitting",
        look="Few noisy points and many units: the training loss goes to zero while the test loss rises.",
        values=_OVERFITTING,
    ),
    Preset(
        title="The same with a penalty",
        look="L2 keeps the weights small, the border smooth and the test loss low.",
        values={**_OVERFITTING, "l2": "0.03"},
    ),
    Preset(
        title="Four classes",
        look="One output for each class; a point belongs to the one with the largest probability.",
        values={"data": "gaussians", "num_classes": "4", "units": "6", "activations": "tanh", "noise": "0.2"},
    ),
    Preset(
        title="Hills and valleys",
        look="The network answers with a value rather than a class: a landscape that fits the points.",
        values={"data": "hills", "units": "8,8", "activations": "tanh,tanh"},
    ),
)
