"""The Go Text Protocol (version 2: Farnebäck 2002), by which Go programs and boards talk to each other:

layerwise gtp rl/go:9x9
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.errors import InputError, LayerwiseError
from layerwise_rl.go.position import COLORS, Position, replay
from layerwise_rl.go.task import Go

if TYPE_CHECKING:
    from layerwise.predictor import Predictor

PROTOCOL = "2"


class Engine:
    """An agent as an engine of the protocol.

    Args:
        predictor: Where the agent is.
        reference: Its name.
        simulations: Positions that it looks at before a move; None for as many as it is used to.
    """

    def __init__(self, predictor: Predictor, reference: str, simulations: int | None = None) -> None:
        self.predictor, self.reference, self.simulations = predictor, reference, simulations
        task = predictor.version(reference).task
        if not isinstance(task, Go):
            raise InputError(f"{reference} does not play Go", expected="rl/go, or rl/go:9x9")
        self.size, self.komi = task.size, task.komi
        self.moves: list[str] = []
        self.has_quit = False

    def answers(self, lines: Iterable[str]) -> Iterator[str]:
        """The answers to commands, one after another, up to "quit"."""
        for line in lines:
            answer = self.answer(line)
            if answer is not None:
                yield answer
            if self.has_quit:
                return

    def answer(self, line: str) -> str | None:
        """The answer to a command; None for an empty line."""
        words = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", line.partition("#")[0]).split()
        if not words:
            return None
        number = words.pop(0) if words[0].isdecimal() else ""
        name, *arguments = words or [""]
        command = self._commands().get(name)
        if command is None:
            return f"?{number} unknown command\n\n"
        try:
            said = command(arguments)
        except (LayerwiseError, ValueError, IndexError) as error:
            return f"?{number} {_in_a_line(error)}\n\n"
        return f"={number} {said}".rstrip() + "\n\n"

    def _commands(self) -> dict[str, Callable[[Sequence[str]], str]]:
        return {
            "protocol_version": lambda _: PROTOCOL,
            "name": lambda _: "Layerwise",
            "version": lambda _: _version(),
            "known_command": lambda words: str(words[0] in self._commands()).lower(),
            "list_commands": lambda _: "\n".join(self._commands()),
            "quit": self._quit,
            "boardsize": self._board_size,
            "clear_board": self._clear,
            "komi": self._set_komi,
            "play": self._play,
            "genmove": self._generate,
            "undo": self._undo,
            "showboard": lambda _: "\n" + str(self.position.state).strip(),
            "final_score": self._score,
        }

    @property
    def position(self) -> Position:
        """The board."""
        return replay(self.size, self.komi, self.moves)

    def _quit(self, _: Sequence[str]) -> str:
        self.has_quit = True
        return ""

    def _board_size(self, words: Sequence[str]) -> str:
        if int(words[0]) != self.size:
            raise ValueError("unacceptable size")
        return self._clear(())

    def _clear(self, _: Sequence[str]) -> str:
        self.moves = []
        return ""

    def _set_komi(self, words: Sequence[str]) -> str:
        Position(self.size, float(words[0]))
        self.komi = float(words[0])
        return ""

    def _turn_to(self, color: str) -> None:
        """Let the other side pass, where a program lets one side play twice."""
        wanted = "bw".find(color[:1].lower())
        if wanted < 0 or color.lower() not in ("b", "w", "black", "white"):
            raise ValueError("syntax error")
        if not self.position.is_over and self.position.to_play != wanted:
            self.moves.append("pass")

    def _play(self, words: Sequence[str]) -> str:
        color, point = words
        before = list(self.moves)
        try:
            self._turn_to(color)
            position = self.position
            action = position.action_of(point)
            if position.refusal(action):
                raise ValueError("illegal move")
            self.moves.append(position.name_of(action))
        except Exception:
            self.moves = before
            raise
        return ""

    def _generate(self, words: Sequence[str]) -> str:
        self._turn_to(words[0])
        if self.position.is_over:
            return "pass"
        inputs: dict[str, Any] = {"moves": self.moves, "komi": self.komi}
        if self.simulations is not None:
            inputs["simulations"] = self.simulations
        move = self.predictor.predict(self.reference, inputs)["move"]
        if move != "resign":
            self.moves.append(move)
        return move

    def _undo(self, _: Sequence[str]) -> str:
        if not self.moves:
            raise ValueError("cannot undo")
        self.moves.pop()
        return ""

    def _score(self, _: Sequence[str]) -> str:
        lead = self.position.lead()
        return f"{COLORS[lead < 0][0]}+{abs(lead):g}" if lead else "0"


def _version() -> str:
    from layerwise import __version__

    return __version__


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or "syntax error"
