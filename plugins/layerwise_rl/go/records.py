"""Games as what a network learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerwise_rl.go.planes import KOMI_PLANE, SYMMETRIES, points_turned, turned

Examples = dict[str, np.ndarray]
"""Positions, an array each: "board" float16 [n, size, size, PLANES] with the komi left at 0, "policy" float16 [n,
points + 1], "owner" int8 [n, points], 1 for whoever is to play, -1 for the other, and 0; "player" int8 [n]; "lead"
float32 [n], Black's points without komi at the end of the game."""


@dataclass(frozen=True)
class Record:
    """A game that is over.

    Args:
        examples: Its positions that are learned from.
        moves: The actions.
        lead: Black's points without komi.
    """

    examples: Examples
    moves: Sequence[int]
    lead: float


def batch_of(
    examples: Examples, places: np.ndarray, random: np.random.Generator, *, komi: float, spread: float = 0.0
) -> tuple[np.ndarray, Examples]:
    """Positions as a network learns from them: each board turned in one of eight ways, and won or lost by a komi that
    is the game's or one near it.

    Args:
        places: Which examples.
        komi: Of the game, in points.
        spread: The standard deviation of other komis.

    Returns:
        Boards float32, and targets: "policy", "owner" float32 from 0 to 1, "value" float32, 1 where whoever is to play
        wins, 0 where the other does, and 0.5 for a draw.
    """
    boards, size = examples["board"][places].astype("float32"), examples["board"].shape[1]
    policy, owner = examples["policy"][places].astype("float32"), (examples["owner"][places] + 1) / np.float32(2)
    sign = 1 - 2 * examples["player"][places].astype("float32")
    komis = np.round(2 * random.normal(komi, spread, len(places))) / 2 if spread else np.full(len(places), komi)
    boards[..., KOMI_PLANE] = (-sign * komis / (size * size / 4))[:, None, None]
    value = (np.sign(sign * (examples["lead"][places] - komis)) + 1) / 2
    which = random.integers(0, SYMMETRIES, len(places))
    for symmetry in range(1, SYMMETRIES):
        chosen = which == symmetry
        boards[chosen] = turned(boards[chosen], symmetry)
        policy[chosen] = points_turned(policy[chosen], size, symmetry)
        owner[chosen] = points_turned(owner[chosen], size, symmetry)
    return boards, {"policy": policy, "owner": owner.astype("float32"), "value": value.astype("float32")}
