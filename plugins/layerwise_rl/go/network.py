"""The network that looks at a board: which moves are worth a look, who wins, and whose each point will be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise_rl.go.planes import PLANES, all_seen, points_turned, seen, turned

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from layerwise.tasks.episodes.playing import Policy


def residual_network(size: int, filters: int, blocks: int) -> keras.Model:
    """Residual convolutions (He et al. 2016; Silver et al. 2017, "Mastering the game of Go without human knowledge"),
    every second block with what it finds on the whole board (Wu 2019, arXiv:1902.10565, section 3.3).

    Boards float32 [examples, size, size, PLANES] to a mapping: "policy", logits [examples, points + 1], the last of a
    pass; "ownership", logits [examples, points] that a point will be of whoever is to play; "value" [examples, 1], a
    logit of winning. No weight hangs on the size of the board.
    """
    import keras
    from keras import layers

    board = keras.Input((size, size, PLANES), name="board")
    x: Any = layers.Conv2D(filters, 3, padding="same", use_bias=False, name="look")(board)
    x = _active(x, "look")
    for number in range(1, blocks + 1):
        first, second = (
            layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"block_{number}_{which}") for which in "ab"
        )
        found = _active(first(x), f"{number}_a")
        if number % 2 == 0:
            whole = layers.Dense(filters, name=f"block_{number}_whole")(_pooled(found, f"block_{number}"))
            found = layers.Add(name=f"block_{number}_with_whole")([found, layers.Reshape((1, 1, filters))(whole)])
        found = layers.BatchNormalization(name=f"block_{number}_norm")(second(found))
        x = layers.Activation("relu", name=f"block_{number}")(layers.Add(name=f"block_{number}_sum")([x, found]))
    whole = layers.Dense(filters, activation="relu", name="whole")(_pooled(x, "whole"))
    # In float32: sums over many actions lose digits in 16 bits.
    exact: Any = {"dtype": "float32"}
    points = layers.Flatten(name="points", **exact)(layers.Conv2D(1, 1, name="point_logits", **exact)(x))
    passing = layers.Dense(1, name="pass_logit", **exact)(whole)
    owned = layers.Conv2D(1, 1, name="owner_logits", **exact)(x)
    return keras.Model(
        board,
        {
            "policy": layers.Concatenate(name="policy", **exact)([points, passing]),
            "ownership": layers.Flatten(name="ownership", **exact)(owned),
            "value": layers.Dense(1, name="value", **exact)(whole),
        },
        name="go",
    )


def _active(x: Any, name: str) -> Any:
    from keras import layers

    return layers.Activation("relu", name=f"relu_{name}")(layers.BatchNormalization(name=f"norm_{name}")(x))


def _pooled(x: Any, name: str) -> Any:
    """The mean and the greatest of each map."""
    from keras import layers

    mean = layers.GlobalAveragePooling2D(name=f"{name}_mean")(x)
    return layers.Concatenate(name=f"{name}_pooled")([mean, layers.GlobalMaxPooling2D(name=f"{name}_max")(x)])


class Evaluator:
    """What a tree search asks: a network for states of OpenSpiel's.

    Args:
        policy: The network, for any number of boards.
        size, komi: Of the game.
        random: Turns the boards of each question in one of eight ways by it, since what the network thinks hangs on
            that a little; None does not.
    """

    def __init__(self, policy: Policy, size: int, komi: float, random: np.random.Generator | None = None) -> None:
        self.policy, self.size, self.komi, self.random = policy, size, komi, random

    def __call__(self, states: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        boards = all_seen(states, self.size, self.komi)
        symmetry = 0 if self.random is None else int(self.random.integers(8))
        outputs = self.policy(np.ascontiguousarray(turned(boards, symmetry)))
        logits = points_turned(outputs["policy"], self.size, symmetry, back=True)
        return logits, np.tanh(outputs["value"][:, 0] / 2)

    def ownership(self, state: Any) -> np.ndarray:
        """How probable it is that each point will be Black's, [size, size]."""
        outputs = self.policy(seen(state, self.size, self.komi)[None])
        own = 1 / (1 + np.exp(-outputs["ownership"][0].reshape(self.size, self.size)))
        return own if state.current_player() == 0 else 1 - own
