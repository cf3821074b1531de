"""Positions of Go. The rules are OpenSpiel's, which are those of Tromp and Taylor with a simple ko; what it leaves to
whoever uses it, that no position comes back ("positional superko"), is added here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise.errors import InputError

BLACK, WHITE = 0, 1
COLORS = ("Black", "White")
LETTERS = "ABCDEFGHJKLMNOPQRST"
"""Of the columns; there is no I."""
PASS = "pass"
LONGEST = 3
"""A game ends after so many moves for each point of the board."""
SMALLEST, LARGEST = 2, 19


class Position:
    """A position with the moves that led to it. Immutable: a move gives another one.

    Args:
        size: Points along a side.
        komi: What White is given for being second, in points.
    """

    def __init__(self, size: int, komi: float, *, _state: Any = None, _seen: frozenset[bytes] = frozenset()) -> None:
        self.size, self.komi = size, komi
        self.state = new_state(size, komi) if _state is None else _state
        self.grid = grid_of(self.state, size)
        self._seen = _seen | {self.grid.tobytes()}

    @property
    def to_play(self) -> int:
        """BLACK or WHITE. After the end it is nobody's turn, which counts as Black's."""
        return max(self.state.current_player(), 0)

    @property
    def moves(self) -> list[int]:
        """The actions so far."""
        return self.state.history()

    @property
    def is_over(self) -> bool:
        """Whether both have passed, or the game is too long."""
        return self.state.is_terminal()

    def legal(self) -> list[int]:
        """The actions that may be done: points, and the last number for a pass."""
        if self.is_over:
            return []
        return [action for action in self.state.legal_actions() if not self._comes_back(action)]

    def refusal(self, action: int) -> str | None:
        """Why an action may not be done, None when it may."""
        if self.is_over:
            return "The game is over."
        row, column = divmod(action, self.size)
        if action == self.size**2:
            return None
        if self.grid[row, column]:
            return f"There is a stone on {self.name_of(action)} already."
        if action not in self.state.legal_actions():
            if self._captures(action):
                return (
                    "That is ko: the stone that has just taken one may not be taken back at once. Play elsewhere first."
                )
            return f"A stone on {self.name_of(action)} would have no liberty and take none: suicide is not allowed."
        if self._comes_back(action):
            return "That would bring back a position that was there before in this game (superko). Play elsewhere."
        return None

    def play(self, action: int) -> Position:
        """The position after an action.

        Raises:
            InputError: It may not be done.
        """
        why = self.refusal(action)
        if why is not None:
            raise InputError(f"{COLORS[self.to_play]} cannot play {self.name_of(action)}. {why}")
        return Position(self.size, self.komi, _state=self.state.child(action), _seen=self._seen)

    def action_of(self, name: str) -> int:
        """The action that a text names: "E5", "pass".

        Raises:
            InputError: It names none.
        """
        text = name.strip().upper()
        if text == PASS.upper():
            return self.size**2
        column, row = LETTERS.find(text[:1]), text[1:]
        if not text or not 0 <= column < self.size or not row.isdecimal() or not 1 <= int(row) <= self.size:
            raise InputError(
                "This is no point of the board",
                expected=f"A1 to {LETTERS[self.size - 1]}{self.size}, or pass",
                received=repr(name)[:40],
            )
        return (int(row) - 1) * self.size + column

    def name_of(self, action: int) -> str:
        """What an action is called."""
        row, column = divmod(action, self.size)
        return PASS if row == self.size else f"{LETTERS[column]}{row + 1}"

    def owners(self) -> np.ndarray:
        """Whose each point is, int8 [size, size]: 1 Black's, 2 White's, 0 nobody's. Stones own where they stand, and
        empty regions belong to those whose stones alone they touch. Stones that could be taken count as alive, so play
        on until all that is to be taken is taken."""
        return owners(self.grid)

    def lead(self) -> float:
        """By how many points Black is ahead, komi counted; negative where White is."""
        owned = self.owners()
        return float((owned == 1).sum() - (owned == 2).sum()) - self.komi

    def _comes_back(self, action: int) -> bool:
        if action == self.size**2:
            return False
        return grid_of(self.state.child(action), self.size).tobytes() in self._seen

    def _captures(self, action: int) -> bool:
        """Whether it would take stones: then it is not suicide, and only ko forbids it."""
        row, column = divmod(action, self.size)
        own, other = self.to_play + 1, 2 - self.to_play
        tried = self.grid.copy()
        tried[row, column] = own
        return any(
            tried[place] == other and not liberties(tried, place) for place in neighbours((row, column), self.size)
        )


def new_state(size: int, komi: float) -> Any:
    """OpenSpiel's state at the beginning of a game.

    Raises:
        InputError: There is no board of that size, or no such komi.
    """
    import pyspiel

    if not SMALLEST <= size <= LARGEST:
        raise InputError("There is no such board", expected=f"{SMALLEST} to {LARGEST} points", received=str(size))
    if not (abs(komi) <= size**2 and float(2 * komi).is_integer()):
        raise InputError("This komi cannot be given", expected="whole or half points", received=f"{komi:g}")
    parameters = {"board_size": size, "komi": float(komi), "max_game_length": LONGEST * size**2}
    return pyspiel.load_game("go", parameters).new_initial_state()


def grid_of(state: Any, size: int) -> np.ndarray:
    """The stones of a state, int8 [size, size]: row 0 is the one called 1; 1 is Black, 2 White."""
    planes = np.array(state.observation_tensor(BLACK), "int8").reshape(-1, size, size)
    return planes[0] + 2 * planes[1]


Point = tuple[int, int]


def neighbours(point: Point, size: int) -> list[Point]:
    """The points beside a point."""
    row, column = point
    beside = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
    return [(r, c) for r, c in beside if 0 <= r < size and 0 <= c < size]


def region(grid: np.ndarray, point: Point) -> tuple[set[Point], set[Point]]:
    """What is connected with a point and of the same kind, and the points beside that."""
    kind, size = grid[point], len(grid)
    inside, border, waiting = {point}, set(), [point]
    while waiting:
        for place in neighbours(waiting.pop(), size):
            if grid[place] != kind:
                border.add(place)
            elif place not in inside:
                inside.add(place)
                waiting.append(place)
    return inside, border


def liberties(grid: np.ndarray, point: Point) -> int:
    """How many empty points the stones beside a stone have."""
    return sum(grid[place] == 0 for place in region(grid, point)[1])


def owners(grid: np.ndarray) -> np.ndarray:
    """See `Position.owners`."""
    owned = grid.copy()
    done: set[Point] = set()
    for row, column in zip(*np.nonzero(grid == 0), strict=True):
        point = (int(row), int(column))
        if point in done:
            continue
        inside, border = region(grid, point)
        done |= inside
        kinds = {int(grid[place]) for place in border}
        if len(kinds) == 1:
            for place in inside:
                owned[place] = next(iter(kinds))
    return owned


def replay(size: int, komi: float, moves: Sequence[str]) -> Position:
    """The position after moves that are named.

    Raises:
        InputError: One of them may not be done.
    """
    position = Position(size, komi)
    for number, name in enumerate(moves, start=1):
        try:
            position = position.play(position.action_of(name))
        except InputError as error:
            raise InputError(f"Move {number}: {error.what}", expected=error.expected, received=error.received) from None
    return position
