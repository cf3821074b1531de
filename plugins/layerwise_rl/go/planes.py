"""What the network sees of a position of Go, and the eight ways to turn a board."""

from __future__ import annotations

from typing import Any

import numpy as np

PLANES = 7
"""Own stones, the opponent's, the last move, the one before it, empty points where a stone may not be put, ones on the
board (so that an edge can be seen), and the komi from the view of whoever is to play, in boards of a quarter."""
SYMMETRIES = 8


def seen(state: Any, size: int, komi: float) -> np.ndarray:
    """A state of OpenSpiel's as the network sees it, float32 [size, size, PLANES]."""
    stones = np.array(state.observation_tensor(0), "float32").reshape(-1, size * size)[:2]
    player = state.current_player()
    found = np.zeros((PLANES, size * size), "float32")
    found[0], found[1] = stones[player], stones[1 - player]
    for plane, action in zip((2, 3), state.history()[:-3:-1], strict=False):
        if action < size * size:
            found[plane, action] = 1.0
    found[4] = 1.0 - stones[0] - stones[1]
    found[4, [action for action in state.legal_actions() if action < size * size]] = 0.0
    found[5] = 1.0
    found[6] = (komi if player else -komi) / (size * size / 4)
    return found.reshape(PLANES, size, size).transpose(1, 2, 0)


def turned(boards: np.ndarray, symmetry: int) -> np.ndarray:
    """Boards [..., size, size, planes] turned in one of eight ways.

    Args:
        symmetry: Quarter turns, and 4 more for a mirror before them.
    """
    if symmetry >= 4:
        boards = boards[..., ::-1, :]
    return np.rot90(boards, symmetry % 4, axes=(-3, -2))


def turned_back(boards: np.ndarray, symmetry: int) -> np.ndarray:
    """What `turned` has turned, as it was."""
    boards = np.rot90(boards, -(symmetry % 4), axes=(-3, -2))
    return boards[..., ::-1, :] if symmetry >= 4 else boards


def points_turned(numbers: np.ndarray, size: int, symmetry: int, *, back: bool = False) -> np.ndarray:
    """Numbers of all points, and of a pass behind them where there is one, [..., actions], turned like their board."""
    board = numbers[..., : size * size].reshape(*numbers.shape[:-1], size, size, 1)
    turn = turned_back if back else turned
    flat = turn(board, symmetry).reshape(*numbers.shape[:-1], size * size)
    return np.concatenate([flat, numbers[..., size * size :]], axis=-1)
