"""All that a visitor can choose, and what follows from it. It is what a link to the playground says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise.config import Settings, setting
from layerwise.errors import SpecError
from layerwise.from_scratch.descent import OPTIMIZERS
from layerwise_learn.playground.data import (
    DATASETS,
    FEATURES,
    MAX_CLASSES,
    MAX_POINTS,
    Dataset,
    Points,
    decode_points,
    split_points,
)

MAX_LAYERS, MAX_UNITS = 7, 16
"""Of hidden layers and of their units."""


@dataclass(frozen=True, kw_only=True)
class PlaygroundConfig(Settings):
    """The data, the network and its training.

    Raises:
        SpecError: A value is out of its range, or values do not fit each other.
    """

    data: str = setting("spirals", "What the network learns", choices=tuple(DATASETS))
    num_classes: int = setting(2, "Classes, where the data can have more than two", minimum=2, maximum=MAX_CLASSES)
    num_points: int = setting(300, "Points, those for the test included", minimum=10, maximum=MAX_POINTS, unit="points")
    noise: float = setting(0.05, "Standard deviation of what is added by chance", minimum=0, maximum=1)
    test_share: float = setting(0.3, "Share of the points that is kept for the test", minimum=0, maximum=0.8)
    points: str = setting("", "Points of your own, as text")
    features: str = setting("x1,x2", "What the network is given of each point")
    units: tuple[int, ...] = setting((8, 8, 8), "Units of each hidden layer", minimum=1, maximum=MAX_UNITS)
    activations: str = setting("tanh,tanh,tanh", "Activation function of each hidden layer")
    optimizer: str = setting("adam", "Rule that turns gradients into updates", choices=tuple(OPTIMIZERS))
    learning_rate: float = setting(0.01, "Step size", minimum=1e-5, maximum=10, log=True)
    batch_size: int = setting(32, "Points per step", minimum=1, maximum=MAX_POINTS, unit="points")
    dropout: float = setting(0.0, "Share of each hidden layer's outputs that a step drops", minimum=0, maximum=0.8)
    l1: float = setting(0.0, "Penalty on the size of the weights", minimum=0, maximum=1, log=True)
    l2: float = setting(0.0, "Penalty on the square of the weights", minimum=0, maximum=1, log=True)
    seed: int = setting(0, "Where chance begins: same seed, same result", minimum=0, maximum=2**31 - 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.units) > MAX_LAYERS:
            raise SpecError(
                "There are too many layers", expected=f"at most {MAX_LAYERS}", received=str(len(self.units))
            )
        _check_names("features", self.feature_names, tuple(FEATURES))
        _check_names("activations", self.activation_names, tuple(ACTIVATIONS))
        if len(set(self.feature_names)) != len(self.feature_names) or not self.feature_names:
            raise SpecError("features is not usable", expected="at least one, each once", received=repr(self.features))
        if len(self.activation_names) != len(self.units):
            raise SpecError(
                "activations does not fit units",
                expected=f"one for each of {len(self.units)} layers",
                received=repr(self.activations),
            )

    @property
    def dataset(self) -> Dataset:
        """The kind of data."""
        return DATASETS[self.data]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features by name."""
        return _names(self.features)

    @property
    def activation_names(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        return _names(self.activations)

    @property
    def loss(self) -> str:
        """The loss, as `layerwise.from_scratch.losses` names it."""
        return "squared_error" if self.dataset.is_regression else "cross_entropy"

    @property
    def output_units(self) -> int:
        """One for values and for two classes, else one for each class."""
        classes = min(self.num_classes, self.dataset.max_classes)
        return 1 if self.dataset.is_regression or classes == 2 else classes

    @property
    def output_activation(self) -> str:
        """Values as they are; probabilities of classes."""
        if self.dataset.is_regression:
            return "linear"
        return "sigmoid" if self.output_units == 1 else "softmax"

    @property
    def sizes(self) -> list[int]:
        """Units from the features to the output."""
        return [len(self.feature_names), *self.units, self.output_units]

    @property
    def split(self) -> Points:
        """The points to learn from and those for the test.

        Raises:
            InputError: Points of the user's own cannot be read.
        """
        return _points(
            self.data, self.num_classes, self.num_points, self.noise, self.test_share, self.points, self.seed
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _check_names(what: str, names: Sequence[str], allowed: Sequence[str]) -> None:
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise SpecError(
            f"{what} has an unknown name", expected=f"some of {', '.join(allowed)}", received=", ".join(unknown)
        )


@lru_cache(maxsize=64)
def _points(
    data: str, num_classes: int, num_points: int, noise: float, test_share: float, own: str, seed: int
) -> Points:
    """The same points for the same choices; asked for at each frame, so that they are kept for a while."""
    dataset = DATASETS[data]
    random = np.random.default_rng([seed, 0])
    if dataset.make is not None:
        points, targets = dataset.make(num_points, min(num_classes, dataset.max_classes), noise, random)
    else:
        points, targets = decode_points(own, is_regression=dataset.is_regression)
        if not dataset.is_regression:
            targets = np.minimum(targets, num_classes - 1)
    return split_points(points, targets, test_share, random)
