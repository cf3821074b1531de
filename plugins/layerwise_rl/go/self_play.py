"""Games of a network against itself, many at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerwise_rl.go.planes import seen
from layerwise_rl.go.position import new_state, owners
from layerwise_rl.go.records import KOMI_PLANE, Record
from layerwise_rl.go.search import Evaluate, Node, child_of, search, shares

FULL_SHARE = 0.25
"""How many moves are thought over at length, and learned from; the others only bring the game on (playout cap
randomisation: Wu 2019, arXiv:1902.10565, section 3.1)."""
NOISE = 10.83
"""The sum of the parameters of the Dirichlet distribution from which noise is drawn, as in AlphaZero: 0.03 for each of
361 points."""
LATER = 0.25
"""Temperature of the choice of moves after the opening."""


@dataclass
class Game:
    """A game that goes on.

    Args:
        root: Where it is, with its tree.
        boards, policies, players: What is learned from its moves so far.
    """

    root: Node
    boards: list[np.ndarray] = field(default_factory=list)
    policies: list[np.ndarray] = field(default_factory=list)
    players: list[int] = field(default_factory=list)


class SelfPlay:
    """Games side by side; each that is over is followed by another.

    Args:
        size, komi: Of the board.
        games: How many side by side.
        simulations: Of a move that is learned from.
        fast: Of the others.
        random: Draws all choices.
    """

    def __init__(
        self, size: int, komi: float, games: int, simulations: int, fast: int, random: np.random.Generator
    ) -> None:
        self.size, self.komi, self.simulations, self.fast, self.random = size, komi, simulations, fast, random
        self.games = [self._new() for _ in range(games)]

    def _new(self) -> Game:
        return Game(Node(new_state(self.size, self.komi)))

    def move(self, evaluate: Evaluate) -> list[Record]:
        """Do a move in each game. Returns those that are over by it."""
        full = self.random.random(len(self.games)) < FULL_SHARE
        quick = [game for game, is_full in zip(self.games, full, strict=True) if not is_full]
        slow = [game for game, is_full in zip(self.games, full, strict=True) if is_full]
        search([game.root for game in quick], evaluate, [self.fast] * len(quick))
        search([game.root for game in slow], evaluate, [self.simulations] * len(slow), noise=self._noise)
        over = []
        for place, game in enumerate(self.games):
            if full[place]:
                self._learn_from(game)
            action = self._chosen(game.root)
            following = child_of(game.root, action)
            # What was found with noise or in passing is not kept: the next search begins with the network's own view.
            game.root = Node(following.state)
            if game.root.state.is_terminal():
                over.append(self._record(game))
                self.games[place] = self._new()
        return over

    def _noise(self, _game: int, count: int) -> np.ndarray:
        return self.random.dirichlet(np.full(count, NOISE / self.size**2))

    def _chosen(self, root: Node) -> int:
        temperature = 1.0 if len(root.state.history()) < self.size else LATER
        chances = shares(root, root.state.num_distinct_actions(), temperature).astype("float64")
        return int(self.random.choice(len(chances), p=chances / chances.sum()))

    def _learn_from(self, game: Game) -> None:
        state = game.root.state
        game.boards.append(seen(state, self.size, self.komi).astype("float16"))
        game.policies.append(shares(game.root, state.num_distinct_actions()).astype("float16"))
        game.players.append(state.current_player())

    def _record(self, game: Game) -> Record:
        return record_of(game.root.state, self.size, game.boards, game.policies, game.players)

    def state(self) -> dict[str, Any]:
        """The games as they are, as JSON and arrays can hold them."""
        moves = [game.root.state.history() for game in self.games]
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
                Node(start), list(state["boards"][part]), list(state["policies"][part]), state["players"][part].tolist()
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
    board = np.array(boards, "float16").reshape(count, *(boards[0].shape if boards else (size, size, KOMI_PLANE + 1)))
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


def match(
    size: int,
    komi: float,
    one: Evaluate,
    other: Evaluate,
    games: int,
    simulations: int,
    random: np.random.Generator,
    progress: Callable[[], bool] = lambda: False,
) -> float:
    """The share of games that one agent wins against another, each Black in half of them; draws count half. The first
    two moves of each pair of games are drawn, and the same for both.

    Args:
        progress: Called after each move; True ends it, and what was not finished counts half.
    """
    openings = [_opening(size, komi, random) for _ in range(-(-games // 2))]
    states = [openings[number // 2].clone() for number in range(games)]
    going = set(range(games))
    while going and not progress():
        for evaluate, parity in ((one, 0), (other, 1)):
            # One is Black in games of even numbers.
            mine = [n for n in sorted(going) if (states[n].current_player() + n) % 2 == parity]
            roots = [Node(states[n]) for n in mine]
            if roots:
                search(roots, evaluate, [simulations] * len(roots))
            for number, root in zip(mine, roots, strict=True):
                action = int(shares(root, states[number].num_distinct_actions(), temperature=0).argmax())
                states[number] = states[number].child(action)
            going = {number for number in going if not states[number].is_terminal()}
    total = 0.0
    for number, state in enumerate(states):
        result = state.returns()[number % 2] if state.is_terminal() else 0.0
        total += (result + 1) / 2
    return total / games


def _opening(size: int, komi: float, random: np.random.Generator) -> Any:
    state = new_state(size, komi)
    for _ in range(2):
        points = [action for action in state.legal_actions() if action < size * size]
        state.apply_action(int(random.choice(points)))
    return state
