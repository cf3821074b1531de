"""A game on a board for two: the moves so far go in, the agent's move and what it thinks come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field

MOST_SIMULATIONS = 20_000


@dataclass(frozen=True, kw_only=True)
class BoardGame(Task):
    """What an agent plays against a person, or another agent. The rules, and what answers, are a subclass's; its
    answers hold what `outputs` names. The "board" of an answer is a mapping that a page can draw:

    - "stones": numbers [rows][columns], the first row on top: 0 for nothing, 1 for the first player's, 2 for the
      second's;
    - "points": the name of each point, likewise;
    - "to_play": 1 or 2, 0 after the end; "legal": the names of the moves that may be done;
    - "last": the name of the last move, or ""; "result": how it ended, "" while it goes on;
    - "owners": how probable it is that a point will be the first player's, likewise, or None;
    - "worth": how often the search tried each point, as shares, likewise, or None.

    Args:
        players: What the two are called.
        simulations: Positions that the agent looks at before a move unless told otherwise.

    Raises:
        SpecError: A value is not usable.
    """

    type_name: ClassVar[str] = "board-game"
    file_ending: ClassVar[str] = ".txt"
    """Of the files that `written` is for."""
    grid: ClassVar[str] = "points"
    """Where stones are put: "points" where lines cross, or "cells" between them."""
    players: tuple[str, str] = ("first", "second")
    simulations: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "players", tuple(self.players))
        if len(self.players) != 2:
            raise SpecError("A BoardGame needs two players", expected="two names", received=repr(self.players))
        if not 0 <= self.simulations <= MOST_SIMULATIONS:
            raise SpecError(
                "BoardGame: simulations is out of range",
                expected=f"0 to {MOST_SIMULATIONS:,}",
                received=repr(self.simulations),
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="moves", kind="json", label="Moves so far", default=[]),
            Field(
                name="simulations",
                kind="number",
                label="Positions that it looks at; 0 only shows the board",
                minimum=0,
                maximum=MOST_SIMULATIONS,
                default=self.simulations,
            ),
            Field(
                name="training",
                kind="number",
                label="How much of its training it has had, in percent",
                minimum=0,
                maximum=100,
                default=100,
                advanced=True,
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="said", kind="text", label="What happens"),
            Field(name="move", kind="text", label="Its move"),
            Field(name="board", kind="board", label="The board"),
            Field(name="chances", kind="plot", label="Who it thinks will win"),
            Field(name="lines", kind="table", label="What it looked at"),
        )

    def written(self, moves: Sequence[str], komi: float | None = None, result: str = "") -> str:
        """A game as the text of a file that other programs read.

        Args:
            moves: Their names.
            komi: What the second player is given, where the game knows that; None is the usual.
            result: As a page shows it.
        """
        raise NotImplementedError(f"{type(self).__name__} must write games down")

    def read(self, text: str) -> dict[str, Any]:
        """The game that such a text holds: "moves", and the other inputs that it tells.

        Raises:
            InputError: It cannot be read, or is of another board.
        """
        raise NotImplementedError(f"{type(self).__name__} must read games")

    @staticmethod
    def moves_of(given: Any) -> Sequence[str]:
        """The names of the moves so far.

        Raises:
            InputError: They are no list of names.
        """
        if not (isinstance(given, list | tuple) and all(isinstance(move, str) for move in given)):
            raise InputError(
                "The moves cannot be read", expected='a list of names, such as ["E5", "C3"]', received=repr(given)[:100]
            )
        return given
