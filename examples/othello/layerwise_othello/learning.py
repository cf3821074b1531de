"""Learning by playing against oneself (AlphaZero, Silver et al. 2018; moves drawn with Gumbel noise, Danihelka et al.
2022): a tree search plays better than the network that it asks, so the network learns what the search has found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.optimizers import build_optimizer
from layerwise.tasks.episodes.policies import policy_of
from layerwise_othello.games import greedy, play
from layerwise_othello.network import Evaluator, seen
from layerwise_othello.position import PASS, SIZE, new_state, stones_of
from layerwise_rl.go.gumbel import GumbelRoot
from layerwise_rl.go.losses import METRICS, loss
from layerwise_rl.go.planes import points_turned, turned
from layerwise_rl.go.search import search
from layerwise_rl.memory import Memory
from layerwise_rl.training import LearningByPlaying, run

if TYPE_CHECKING:
    from layerwise.context import Context

Examples = dict[str, np.ndarray]
"""Positions [n, ...] by name: "board", "policy", "owner" and "value", the last three for whoever is to play."""
MOVES = 60
"""In a game, about."""


def train(context: Context) -> None:
    """Learn Othello: `ModelSpec.train`."""
    run(context, SelfPlay)


class SelfPlay(LearningByPlaying):
    """A training. A round is some games from their beginning to their end, so that none goes on between two."""

    def __init__(self, context: Context) -> None:
        from layerwise import engines
        from layerwise.compilation import uses_xla
        from layerwise.specs import resolve

        config = context.config
        super().__init__(context, resolve(context.spec.build)(config, context.task))
        self.evaluate = Evaluator(policy_of(self.model), self.random)
        self.memory = Memory(config.remembered)
        rounds = max(1, config.steps_per_epoch // (config.num_environments * MOVES))
        self.optimizer = build_optimizer(config, rounds * config.batches)
        self.trainer = engines.current().Trainer(
            self.model, self.optimizer, loss, METRICS, xla=uses_xla(self.model, config.compiler)
        )

    def round(self) -> tuple[int, Mapping[str, float]]:
        config = self.config
        examples, results = games_of(
            self.evaluate, config.num_environments, config.simulations, config.considered, self.random
        )
        self.memory.add(examples)
        self.course.count_games(results)
        places = self.random.integers(0, len(self.memory), config.batches * config.batch_size)
        boards, targets = in_any_way(self.memory.arrays, places, self.random)
        order = np.arange(len(places), dtype="int32").reshape(config.batches, config.batch_size)
        return len(examples["value"]), self.trainer.train(self.trainer.place(boards, targets), order, 0, len(order))

    def measure(self) -> dict[str, float]:
        """The share of games that it wins against who turns the most stones at once."""
        games, random = self.config.episodes_measured, np.random.default_rng(0)
        evaluate = Evaluator(self.evaluate.policy)
        return {"won_against_greedy": float(play(evaluate, greedy, range(games), random=random).mean())}

    def close(self) -> None:
        """Games need nothing that would have to be given back."""

    def kept(self) -> dict[str, np.ndarray]:
        return self.memory.state()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.memory.restore(arrays)


def games_of(
    evaluate: Callable, count: int, simulations: int, considered: int, random: np.random.Generator
) -> tuple[Examples, list[tuple[float, int]]]:
    """Play games side by side.

    Returns:
        Their positions; and of each game by how many stones Black has won, and its length.
    """
    states = [new_state() for _ in range(count)]
    going, boards, policies, players, owners = list(range(count)), [], [], [], []
    while going:
        roots = [GumbelRoot(states[number], simulations, considered, random) for number in going]
        search(roots, evaluate, [simulations] * len(roots))
        boards += list(seen([root.state for root in roots]).astype("float16"))
        for number, root in zip(going, roots, strict=True):
            policies.append(root.improved(PASS + 1).astype("float16"))
            players.append(root.player)
            owners.append(number)
            states[number] = states[number].child(root.chosen())
        going = [number for number in going if not states[number].is_terminal()]
    # 1 for Black's stones at the end, -1 for White's.
    ends = np.array([(3 - 2 * stones_of(state)) * (stones_of(state) > 0) for state in states], "int8").reshape(
        count, -1
    )
    leads = ends.sum(1, dtype="int32")
    sign = 1 - 2 * np.array(players, "int8")
    examples = {
        "board": np.array(boards),
        "policy": np.array(policies),
        "owner": ends[owners] * sign[:, None],
        "value": np.sign(leads[owners]).astype("int8") * sign,
    }
    lengths = np.bincount(owners, minlength=count)
    return examples, list(zip(leads.tolist(), lengths.tolist(), strict=True))


def in_any_way(examples: Mapping[str, np.ndarray], places: np.ndarray, random: np.random.Generator) -> tuple[Any, Any]:
    """Positions as the network learns from them, each turned in one of eight ways: boards, and targets from 0 to 1."""
    boards, policy = (examples[name][places].astype("float32") for name in ("board", "policy"))
    owner, value = ((examples[name][places].astype("float32") + 1) / 2 for name in ("owner", "value"))
    which = random.integers(0, 8, len(places))
    for symmetry in range(1, 8):
        chosen = which == symmetry
        boards[chosen] = turned(boards[chosen], symmetry)
        policy[chosen] = points_turned(policy[chosen], SIZE, symmetry)
        owner[chosen] = points_turned(owner[chosen], SIZE, symmetry)
    return boards, {"policy": policy, "owner": owner, "value": value}
