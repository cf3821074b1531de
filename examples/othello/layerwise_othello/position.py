"""Positions of Othello. The rules are OpenSpiel's, and so are the states; here are the names, and what is said when a
move may not be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise.errors import InputError

COLORS = ("Black", "White")
SIZE = 8
LETTERS = "ABCDEFGH"
PASS, PASS_NAME = SIZE**2, "pass"
"""The action of who can put no stone anywhere."""


def new_state() -> Any:
    """OpenSpiel's state at the beginning of a game."""
    import pyspiel

    return pyspiel.load_game("othello").new_initial_state()


def replay(moves: Sequence[str]) -> Any:
    """The state after moves that are named.

    Raises:
        InputError: One of them may not be done.
    """
    state = new_state()
    for number, name in enumerate(moves, start=1):
        if state.is_terminal():
            raise InputError(f"Move {number}: the game is over")
        action = action_of(name)
        if action not in state.legal_actions():
            raise InputError(
                f"Move {number}: {COLORS[state.current_player()]} cannot play {name}. {_why(state, action)}"
            )
        state.apply_action(action)
    return state


def _why(state: Any, action: int) -> str:
    if action == PASS:
        return "Who can turn a stone must not pass."
    if state.legal_actions() == [PASS]:
        return "No stone can be turned anywhere: pass."
    if stones_of(state).flat[action]:
        return f"There is a stone on {name_of(action)} already."
    return "A stone must enclose others, and there turns none."


def action_of(name: str) -> int:
    """The action that a text names: "D3", "pass".

    Raises:
        InputError: It names none.
    """
    text = name.strip().upper()
    if text == PASS_NAME.upper():
        return PASS
    column, row = LETTERS.find(text[:1]), text[1:]
    if not text or column < 0 or row not in tuple("12345678"):
        raise InputError("This is no square of the board", expected="A1 to H8, or pass", received=repr(name)[:40])
    return (int(row) - 1) * SIZE + column


def name_of(action: int) -> str:
    """What an action is called."""
    row, column = divmod(action, SIZE)
    return PASS_NAME if action == PASS else f"{LETTERS[column]}{row + 1}"


def stones_of(state: Any, player: int = 0) -> np.ndarray:
    """The stones of a state, int8 [8, 8], row 1 first: 1 for those of a player, 2 for the other's."""
    planes = np.array(state.observation_tensor(player), "int8").reshape(-1, SIZE, SIZE)
    return planes[1] + 2 * planes[2]


def result_of(state: Any) -> str:
    """How a game ended, "" while it goes on."""
    if not state.is_terminal():
        return ""
    stones = stones_of(state)
    black, white = int((stones == 1).sum()), int((stones == 2).sum())
    if black == white:
        return f"A draw, {black} to {white}."
    return f"{COLORS[black < white]} wins, {max(black, white)} to {min(black, white)}."
