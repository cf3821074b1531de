"""Who plays Go: an agent, a program that speaks the Go Text Protocol, or somebody who puts stones anywhere."""

from __future__ import annotations

import abc
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import InputError, LayerwiseError
from layerwise_rl.go.position import PASS, Position
from layerwise_rl.go.task import RESIGN, Go

if TYPE_CHECKING:
    from layerwise.predictor import Predictor

ANYWHERE, PROGRAM = "random", "gtp:"
BLACK_OR_WHITE = ("black", "white")


class Player(abc.ABC):
    """Who plays one game."""

    @abc.abstractmethod
    def begin(self, size: int, komi: float) -> None:
        """Get ready for the game."""

    @abc.abstractmethod
    def move(self, position: Position, names: Sequence[str]) -> str:
        """What to play.

        Args:
            position: The board.
            names: The moves that led to it.

        Returns:
            The name of a point, "pass" or "resign".
        """

    def told(self, color: int, name: str) -> None:  # noqa: B027 (most look at the position that they are given)
        """Take note of a move of the other's, or one that was made for both."""

    def score(self) -> str | None:
        """How the game ended, as SGF writes it, by somebody who knows which stones are dead; None for others."""
        return None

    def close(self) -> None:  # noqa: B027
        """The game is over."""


class Anywhere(Player):
    """Puts stones anywhere.

    Args:
        seed: Draws them.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def begin(self, size: int, komi: float) -> None:
        pass

    def move(self, position: Position, names: Sequence[str]) -> str:
        points = position.legal()[:-1]
        return position.name_of(int(self.random.choice(points))) if points else PASS


class Agent(Player):
    """An agent of Layerwise's.

    Args:
        predictor: Where it is.
        reference: Its name.
        simulations: Positions that it looks at before a move; None for as many as it is used to.
    """

    def __init__(self, predictor: Predictor, reference: str, simulations: int | None) -> None:
        self.predictor, self.reference = predictor, reference
        self.more = {} if simulations is None else {"simulations": simulations}

    def begin(self, size: int, komi: float) -> None:
        self.komi = komi

    def move(self, position: Position, names: Sequence[str]) -> str:
        asked: dict[str, Any] = {"moves": list(names), "komi": self.komi, **self.more}
        return self.predictor.predict(self.reference, asked)["move"]


class Program(Player):
    """A program that speaks the Go Text Protocol.

    Args:
        command: Its words.

    Raises:
        InputError: There is no such program.
    """

    def __init__(self, command: Sequence[str]) -> None:
        # Debian keeps games where no path leads.
        program = shutil.which(command[0]) or shutil.which(command[0], path="/usr/games")
        if program is None:
            raise InputError(f"There is no program {command[0]}", remedy="install it, or give its whole path")
        self.name = command[0]
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [program, *command[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, command: str) -> str:
        """What it answers to a command.

        Raises:
            LayerwiseError: It refuses, or has ended.
        """
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        lines: list[str] = []
        try:
            stdin.write(command + "\n")
            stdin.flush()
            # An empty line ends an answer.
            while not lines or lines[-1].strip():
                line = stdout.readline()
                if not line:
                    break
                if lines or line.strip():
                    lines.append(line)
        except BrokenPipeError:
            pass
        answer = "".join(lines).strip()
        if not answer.startswith("="):
            raise LayerwiseError(
                f"{self.name} does not do what it is told",
                expected=f"an answer to {command!r}",
                received=repr(answer[:200]) if answer else "nothing: it has ended",
            )
        return answer[1:].strip()

    def begin(self, size: int, komi: float) -> None:
        for command in (f"boardsize {size}", "clear_board", f"komi {komi:g}"):
            self.ask(command)

    def move(self, position: Position, names: Sequence[str]) -> str:
        answer = self.ask(f"genmove {BLACK_OR_WHITE[position.to_play]}")
        return answer.lower() if answer.lower() in (PASS, RESIGN) else answer.upper()

    def told(self, color: int, name: str) -> None:
        self.ask(f"play {BLACK_OR_WHITE[color]} {name}")

    def score(self) -> str | None:
        return self.ask("final_score")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def maker_of(name: str, predictor: Predictor, simulations: int | None) -> Callable[[int], Player]:
    """What makes the player of a game from its number.

    Args:
        name: An agent, as the predictor knows it; "random"; or "gtp:" and the command of a program, in which
            "{seed}" stands for the number.

    Raises:
        InputError: There is no such player.
    """
    if name == ANYWHERE:
        return Anywhere
    if name.startswith(PROGRAM):
        words = shlex.split(name.removeprefix(PROGRAM))
        if not words:
            raise InputError("There is no program named", expected='"gtp:gnugo --mode gtp"', received=repr(name))
        return lambda number: Program([word.replace("{seed}", str(number)) for word in words])
    if not isinstance(predictor.version(name).task, Go):
        raise InputError(f"{name} does not play Go", expected="rl/go, or rl/go:9x9")
    return lambda number: Agent(predictor, name, simulations)
