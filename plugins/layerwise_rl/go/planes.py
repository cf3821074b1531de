"""What the network sees of a position of Go, and the eight ways to turn a board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

PLANES = 10
"""Own stones, the opponent's, the last move, the one before it, empty points where a stone may not be put, ones on the
board (so that an edge can be seen), the komi from the view of whoever is to play, in boards of a quarter; and stones
whose chain has one liberty, two, and three, which would take a small network many layers to find out."""
KOMI_PLANE, FIRST_OF_LIBERTIES = 6, 7
SYMMETRIES = 8


def seen(state: Any, size: int, komi: float) -> np.ndarray:
    """A state of OpenSpiel's as the network sees it, float32 [size, size, PLANES]."""
    return all_seen([state], size, komi)[0]


def all_seen(states: Sequence[Any], size: int, komi: float) -> np.ndarray:
    """States of one game as the network sees them, float32 [states, size, size, PLANES]."""
    from open_spiel.python.observation import make_observation

    points = size * size
    # Its numbers come in one piece of memory, which is much faster than a list of them.
    observation: Any = make_observation(states[0].get_game())
    found = np.zeros((len(states), PLANES, points), "float32")
    for planes, state in zip(found, states, strict=True):
        observation.set_from(state, 0)
        black, white = observation.tensor[:points], observation.tensor[points : 2 * points]
        player = state.current_player()
        planes[0], planes[1] = (white, black) if player else (black, white)
        for plane, action in zip((2, 3), state.history()[:-3:-1], strict=False):
            if action < points:
                planes[plane, action] = 1.0
        planes[4] = observation.tensor[2 * points : 3 * points]
        planes[4, state.legal_actions()[:-1]] = 0.0
        planes[KOMI_PLANE] = (komi if player else -komi) / (points / 4)
    found[:, 5] = 1.0
    free = all_liberties((found[:, 0] + 2 * found[:, 1]).reshape(len(states), size, size)).reshape(len(states), points)
    for plane in range(FIRST_OF_LIBERTIES, PLANES):
        found[:, plane] = free == plane - FIRST_OF_LIBERTIES + 1
    return found.reshape(len(states), PLANES, size, size).transpose(0, 2, 3, 1)


def all_liberties(stones: np.ndarray) -> np.ndarray:
    """How many empty points each stone's chain touches, int [boards, size, size]; 0 where there is no stone.

    Args:
        stones: Boards of 0 for an empty point, and 1 and 2 for the stones of the two sides [boards, size, size].
    """
    from scipy import ndimage

    # The chains of all boards are numbered from 1 on, with a border around each board.
    chains = np.pad(np.zeros(stones.shape, "int32"), ((0, 0), (1, 1), (1, 1)))
    inner, count = chains[:, 1:-1, 1:-1], 0
    for color in (1, 2):
        found: Any = ndimage.label(stones == color, structure=_ON_ONE_BOARD)
        labels, number = found
        inner += np.where(labels, labels + count, 0)
        count += number
    sides = (chains[:, :-2, 1:-1], chains[:, 2:, 1:-1], chains[:, 1:-1, :-2], chains[:, 1:-1, 2:])
    touched = [side[stones == 0] for side in sides]
    free = np.zeros(count + 1, int)
    for number, chain in enumerate(touched):
        # An empty point that touches a chain on two sides is one liberty.
        is_new = np.logical_and.reduce([chain != former for former in touched[:number]] or [chain > 0])
        free += np.bincount(chain[is_new], minlength=count + 1)
    free[0] = 0
    return free[inner]


_ON_ONE_BOARD = np.zeros((3, 3, 3), bool)
_ON_ONE_BOARD[1] = [[False, True, False], [True, True, True], [False, True, False]]


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
