"""Games by which an agent is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from layerwise_othello.position import new_state, stones_of
from layerwise_rl.go.search import Evaluate, Node, most_tried, search

SIMULATIONS = 16
"""Positions that the agent looks at before a move of a game that measures."""
OPENING_MOVES = 4
PLAYOUTS = 50
"""Random games that the tree search plays before each of its moves."""

Opponent = Callable[[Any, np.random.Generator], int]
"""A state, to an action."""


def greedy(state: Any, random: np.random.Generator) -> int:
    """Who turns the most stones at once; of several such moves one at random."""
    actions = state.legal_actions()
    player = state.current_player()
    counts = [(stones_of(state.child(action), player) == 1).sum() for action in actions]
    return int(random.choice([action for action, count in zip(actions, counts, strict=True) if count == max(counts)]))


def playouts(state: Any, random: np.random.Generator) -> int:
    """OpenSpiel's tree search, which judges positions by games that go on at random."""
    import pyspiel

    seed = int(random.integers(2**31))
    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    bot = pyspiel.MCTSBot(
        state.get_game(), evaluator, 2.0, PLAYOUTS, 10, True, seed, False, pyspiel.ChildSelectionPolicy.UCT
    )
    return int(bot.step(state))


def play(evaluate: Evaluate, opponent: Opponent, games: Iterable[int], *, random: np.random.Generator) -> np.ndarray:
    """What the agent wins of games that are played side by side, float64 [games]: 1, 0, or 0.5 for a draw.

    Args:
        games: Their numbers; of two that follow each other the agent is Black in one, and they begin alike.
    """
    numbers = list(games)
    states = [_opening(number // 2) for number in numbers]
    colors = [number % 2 for number in numbers]
    while any(not state.is_terminal() for state in states):
        mine = [at for at, state in enumerate(states) if state.current_player() == colors[at]]
        others = [at for at, state in enumerate(states) if state.current_player() == 1 - colors[at]]
        for at, action in zip(mine, _best(evaluate, [states[at] for at in mine]), strict=True):
            states[at] = states[at].child(action)
        for at in others:
            states[at] = states[at].child(opponent(states[at], random))
    return np.array([(state.returns()[color] + 1) / 2 for state, color in zip(states, colors, strict=True)])


def _opening(number: int) -> Any:
    random, state = np.random.default_rng(number), new_state()
    for _ in range(OPENING_MOVES):
        state.apply_action(int(random.choice(state.legal_actions())))
    return state


def _best(evaluate: Evaluate, states: Sequence[Any]) -> list[int]:
    roots = [Node(state) for state in states]
    if roots:
        search(roots, evaluate, [SIMULATIONS] * len(roots))
    return [most_tried(root) for root in roots]
