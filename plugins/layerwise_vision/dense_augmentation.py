"""Random changes of pictures for networks whose answer is a picture too: what is turned at the entrance is turned back
at the exit, so that the targets need no change. They act in training only."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Turn(keras.layers.Layer):
    """Mirrors and transposes each picture of a batch at random: all eight ways to lay a square.

    Gives the pictures, and the way that each was laid, [batch, 1, 1, 3].
    """

    is_pointwise = True

    def __init__(self, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, pictures: Any, training: bool = False) -> tuple[Any, Any]:
        shape = (_count(pictures), 1, 1, 3)
        if not training:
            return pictures, ops.zeros(shape)
        ways: Any = ops.cast(keras.random.uniform(shape, seed=self.generator) < 0.5, "float32")
        turned: Any = pictures
        for step in (_upside_down, _mirrored, _transposed):
            turned = step(turned, ways)
        return turned, ways

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


class TurnBack(keras.layers.Layer):
    """Undoes what Turn did, on maps of the same height and width."""

    is_pointwise = True

    def call(self, maps: Any, ways: Any, training: bool = False) -> Any:
        if not training:
            return maps
        for step in (_transposed, _mirrored, _upside_down):
            maps = step(maps, ways)
        return maps


class Relight(keras.layers.Layer):
    """Changes the brightness, the contrast and the colours of each picture, and adds noise, at random.

    Args:
        amount: 0 for none, 1 for strong changes.
    """

    is_pointwise = True

    def __init__(self, amount: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.amount, self.seed = amount, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, pictures: Any, training: bool = False) -> Any:
        pictures = ops.cast(pictures, "float32")
        if not training:
            return pictures
        count, channels = _count(pictures), pictures.shape[-1]
        gain: Any = 1 + self._uniform((count, 1, 1, 1), 0.5) + self._uniform((count, 1, 1, channels), 0.25)
        offset = self._uniform((count, 1, 1, 1), 40.0)
        strength = ops.abs(self._uniform((count, 1, 1, 1), 25.0))
        noise: Any = keras.random.normal(ops.shape(pictures), seed=self.generator)
        return ops.clip(pictures * gain + offset + strength * noise, 0.0, 255.0)

    def _uniform(self, shape: Any, reach: float) -> Any:
        reach = reach * self.amount
        return keras.random.uniform(shape, -reach, reach, seed=self.generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amount": self.amount, "seed": self.seed}


def _count(pictures: Any) -> Any:
    shape: Any = ops.shape(pictures)
    return shape[0]


def _upside_down(maps: Any, ways: Any) -> Any:
    return ops.where(ways[..., 0:1] > 0, ops.flip(maps, axis=1), maps)


def _mirrored(maps: Any, ways: Any) -> Any:
    return ops.where(ways[..., 1:2] > 0, ops.flip(maps, axis=2), maps)


def _transposed(maps: Any, ways: Any) -> Any:
    return ops.where(ways[..., 2:3] > 0, ops.transpose(maps, (0, 2, 1, 3)), maps)
