"""The network that looks at a board, and how a tree search asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise_othello.position import PASS, SIZE
from layerwise_rl.go.planes import points_turned, turned

if TYPE_CHECKING:
    import keras

    from layerwise.tasks.episodes.playing import Policy

PLANES = 4


def seen(states: Sequence[Any]) -> np.ndarray:
    """States as the network sees them, float32 [states, 8, 8, PLANES]: own stones, the opponent's, the squares that may
    be played, and ones, by which an edge can be told from an empty square."""
    boards = np.ones((len(states), PLANES, SIZE * SIZE), "float32")
    for planes, state in zip(boards, states, strict=True):
        player = max(state.current_player(), 0)
        planes[:2] = np.array(state.observation_tensor(player), "float32").reshape(3, -1)[1:]
        planes[2] = 0.0
        planes[2, [action for action in state.legal_actions() if action != PASS]] = 1.0
    return boards.reshape(-1, PLANES, SIZE, SIZE).transpose(0, 2, 3, 1)


def residual_network(filters: int, blocks: int) -> keras.Model:
    """Residual convolutions (Silver et al. 2017). Boards float32 [examples, 8, 8, PLANES] to a mapping of what
    `layerwise_rl.go.losses` learns: "policy" [examples, 65], "ownership" [examples, 64], "value" [examples, 1]."""
    import keras
    from keras import layers

    board = keras.Input((SIZE, SIZE, PLANES), name="board")

    def convolution(x: Any, name: str) -> Any:
        return layers.BatchNormalization(name=f"{name}_norm")(
            layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        )

    x: Any = layers.Activation("relu", name="relu")(convolution(board, "look"))
    for number in range(1, blocks + 1):
        found = layers.Activation("relu", name=f"block_{number}_relu")(convolution(x, f"block_{number}_a"))
        x = layers.Add(name=f"block_{number}_sum")([x, convolution(found, f"block_{number}_b")])
        x = layers.Activation("relu", name=f"block_{number}")(x)
    whole = layers.Dense(filters, activation="relu", name="whole")(
        layers.Flatten(name="board_seen")(layers.Conv2D(4, 1, activation="relu", name="summary")(x))
    )
    squares = layers.Flatten(name="squares")(layers.Conv2D(1, 1, name="square_logits")(x))
    outputs = {
        "policy": layers.Concatenate(name="policy")([squares, layers.Dense(1, name="pass_logit")(whole)]),
        "ownership": layers.Flatten(name="ownership")(layers.Conv2D(1, 1, name="owner_logits")(x)),
        "value": layers.Dense(1, name="value")(whole),
    }
    return keras.Model(board, outputs, name="othello")


class Evaluator:
    """What a tree search asks (`layerwise_rl.go.search`).

    Args:
        policy: The network, for any number of boards.
        random: Turns the boards of each question in one of eight ways by it; None does not.
    """

    def __init__(self, policy: Policy, random: np.random.Generator | None = None) -> None:
        self.policy, self.random = policy, random

    def __call__(self, states: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        symmetry = 0 if self.random is None else int(self.random.integers(8))
        outputs = self.policy(np.ascontiguousarray(turned(seen(states), symmetry)))
        logits = points_turned(outputs["policy"], SIZE, symmetry, back=True)
        return logits, np.tanh(outputs["value"][:, 0] / 2)

    def ownership(self, state: Any) -> np.ndarray:
        """How probable it is that each square will be Black's, [8, 8]."""
        own = 1 / (1 + np.exp(-self.policy(seen([state]))["ownership"][0].reshape(SIZE, SIZE)))
        return 1 - own if state.current_player() == 1 else own
