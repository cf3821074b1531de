"""Games of a network against itself, many at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerwise_rl.go.gumbel import GumbelRoot
from layerwise_rl.go.planes import KOMI_PLANE, PLANES, seen
from layerwise_rl.go.position import new_state, owners
from layerwise_rl.go.records import Record
from layerwise_rl.go.search import Evaluate, search


@dataclass
class Game:
    """A game that goes on.

    Args:
        state: Where it is, OpenSpiel's.
        boards, policies, players: What is learned from its moves so far.
    """

    state: Any
    boards: list[np.ndarray] = field(default_factory=list)
    policies: list[np.ndarray] = field(default_factory=list)
    players: list[int] = field(default_factory=list)


class SelfPlay:
    """Games side by side; each that is over is followed by another.

    Args:
        size, komi: Of the board.
        games: How many side by side.
        simulations: Positions looked at for a move.
        considered: Moves that are looked at, at most.
        random: Draws all choices.
    """

    def __init__(
        self, size: int, komi: float, games: int, simulations: int, considered: int, random: np.random.Generator
    ) -> None:
        self.size, self.komi, self.random = size, komi, random
        self.simulations, self.considered = simulations, considered
        self.games = [self._new() for _ in range(games)]

    def _new(self) -> Game:
        return Game(new_state(self.size, self.komi))

    def move(self, evaluate: Evaluate) -> list[Record]:
        """Do a move in each game. Returns those that are over by it."""
        roots = [GumbelRoot(game.state, self.simulations, self.considered, self.random) for game in self.games]
        search(roots, evaluate, [self.simulations] * len(roots))
        over = []
        for place, (game, root) in enumerate(zip(self.games, roots, strict=True)):
            game.boards.append(seen(game.state, self.size, self.komi).astype("float16"))
            game.policies.append(root.improved(game.state.num_distinct_actions()).astype("float16"))
            game.players.append(game.state.current_player())
            game.state = game.state.child(root.chosen())
            if game.state.is_terminal():
                over.append(self._record(game))
                self.games[place] = self._new()
        return over

    def _record(self, game: Game) -> Record:
        return record_of(game.state, self.size, game.boards, game.policies, game.players)

    def state(self) -> dict[str, Any]:
        """The games as they are, as JSON and arrays can hold them."""
        moves = [game.state.history() for game in self.games]
        counts = [len(game.players) for game in self.games]
        boards = [board for game in self.games for board in game.boards]
        policies = [policy for game in self.games for policy in game.policies]
        players = [player for game in self.games for player in game.players]
        most = max(map(len, moves), default=0)
        return {
            "moves": np.array([[*line, *[-1] * (most - len(line))] for line in moves], "int32"),
            "counts": np.array(counts, "int32"),
            "boards": np.array(boards, "float16"),
            "policies": np.array(policies, "float16"),
            "players": np.array(players, "int8"),
        }

    def restore(self, state: Any) -> None:
        """Go on from what `state` gave."""
        first = 0
        for place, (line, count) in enumerate(zip(state["moves"].tolist(), state["counts"].tolist(), strict=True)):
            start = new_state(self.size, self.komi)
            for action in line:
                if action >= 0:
                    start.apply_action(action)
            part = slice(first, first + count)
            first += count
            self.games[place] = Game(
                start, list(state["boards"][part]), list(state["policies"][part]), state["players"][part].tolist()
            )


def record_of(
    state: Any, size: int, boards: list[np.ndarray], policies: list[np.ndarray], players: list[int]
) -> Record:
    """A game that is over, with what is learned from its positions.

    Args:
        state: Its last.
        boards, policies, players: Of the positions that are learned from.
    """
    stones = np.array(state.observation_tensor(0), "int8").reshape(-1, size, size)
    owned = owners(stones[0] + 2 * stones[1]).reshape(-1)
    black = (owned == 1).astype("int8") - (owned == 2).astype("int8")
    count = len(players)
    board = np.array(boards, "float16").reshape(count, *(boards[0].shape if boards else (size, size, PLANES)))
    board[..., KOMI_PLANE] = 0
    player = np.array(players, "int8")
    lead = float(black.sum())
    examples = {
        "board": board,
        "policy": np.array(policies, "float16").reshape(count, size * size + 1),
        "owner": (black[None] * (1 - 2 * player[:, None])).astype("int8"),
        "player": player,
        "lead": np.full(count, lead, "float32"),
    }
    return Record(examples, state.history(), lead)
