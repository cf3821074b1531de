"""Matches of two players, game by game, each of which is kept as a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from layerwise.errors import InputError
from layerwise.paths import write_atomically
from layerwise_rl.go.opponents import Player
from layerwise_rl.go.position import Position, replay
from layerwise_rl.go.sgf import Game, coded_result, read, write
from layerwise_rl.go.task import RESIGN

LONGEST = 3
"""Moves for each point of the board, after which a game is counted as it is."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A match. The players change colours from game to game, and two games each begin with the same moves.

    Args:
        names: What the two players are called.
        makers: What makes each for a game, from the game's number.
        size, komi: Of the board.
        opening: The names of the points that each game begins with.
        drawn: How many moves are drawn after them, before the players begin.
        folder: Where each game is written when it is over; those that are there count as played.

    Raises:
        InputError: No game can begin so.
    """

    names: tuple[str, str]
    makers: tuple[Callable[[int], Player], Callable[[int], Player]]
    size: int
    komi: float
    folder: Path
    opening: tuple[str, ...] = ()
    drawn: int = 0
    seconds: list[list[float]] = field(default_factory=lambda: [[], []])
    """What each move of each player took, of the games that were played now."""

    def __post_init__(self) -> None:
        replay(self.size, self.komi, self.opening)

    def file(self, number: int) -> Path:
        """Where a game is kept, the first of which has the number 1."""
        return self.folder / f"{number:05d}.sgf"

    def play(self, games: int, jobs: int = 1) -> Iterator[tuple[int, float]]:
        """Play what is not played yet, and give of each game its number and what the first player has won of it.

        Args:
            games: How many there shall be.
            jobs: How many are played at a time.

        Raises:
            LayerwiseError: A player cannot go on, or a file of the folder is a game of others.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        waiting = []
        for number in range(1, games + 1):
            if self.file(number).exists():
                yield number, self._won(read(self.file(number).read_text(encoding="utf-8")), number)
            else:
                waiting.append(number)
        with ThreadPoolExecutor(jobs) as executor:
            try:
                for number, game in zip(waiting, executor.map(self._played, waiting), strict=True):
                    yield number, self._won(game, number)
            finally:
                executor.shutdown(cancel_futures=True)

    def black(self, number: int) -> int:
        """Which player is Black in a game: 0 or 1."""
        return (number - 1) % 2

    def _won(self, game: Game, number: int) -> float:
        black = self.black(number)
        if (game.black, game.white, game.size) != (self.names[black], self.names[1 - black], self.size):
            raise InputError(
                f"{self.file(number)} is a game of another match",
                expected=f"{self.names[black]} against {self.names[1 - black]} on {self.size} by {self.size} points",
                received=f"{game.black} against {game.white} on {game.size} by {game.size}",
                remedy="name another folder",
            )
        return {"B": 1.0 - black, "W": float(black)}.get(game.result[:1], 0.5)

    def _played(self, number: int) -> Game:
        black = self.black(number)
        order = (black, 1 - black)
        players: list[Player] = []
        try:
            players += [self.makers[order[0]](number)]
            players += [self.makers[order[1]](number)]
            moves, result = self._game(players, order, number)
        finally:
            for player in players:
                player.close()
        game = Game(self.size, self.komi, tuple(moves), result, *(self.names[which] for which in order))
        write_atomically(self.file(number), write(game) + "\n")
        return game

    def _game(self, players: list[Player], order: tuple[int, int], number: int) -> tuple[list[str], str]:
        """The moves and the result of a game.

        Args:
            players: Black and White.
            order: Which of the match's players they are.
        """
        for player in players:
            player.begin(self.size, self.komi)
        random = np.random.default_rng((number - 1) // 2)
        position, moves = Position(self.size, self.komi), list[str]()
        while not position.is_over and len(moves) < LONGEST * self.size**2:
            color = position.to_play
            if len(moves) < len(self.opening):
                name, told = self.opening[len(moves)], players
            elif len(moves) < len(self.opening) + self.drawn:
                name, told = position.name_of(int(random.choice(position.legal()[:-1]))), players
            else:
                begin = time.perf_counter()
                name, told = players[color].move(position, moves), [players[1 - color]]
                self.seconds[order[color]].append(time.perf_counter() - begin)
            if name == RESIGN:
                return moves, f"{'WB'[color]}+R"
            action = position.action_of(name)
            if position.refusal(action):
                # Who does what the rules do not allow has lost.
                return moves, f"{'WB'[color]}+F"
            position = position.play(action)
            moves.append(position.name_of(action))
            for player in told:
                player.told(color, moves[-1])
        scores = [score for player in players if (score := player.score()) is not None]
        lead = position.lead()
        return moves, scores[0] if scores else coded_result(_said(lead))


def _said(lead: float) -> str:
    return f"{'Black' if lead > 0 else 'White'} wins by {abs(lead):g} points." if lead else "A draw."
