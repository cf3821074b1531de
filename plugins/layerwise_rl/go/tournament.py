"""Games of networks against each other, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layerwise_rl.go.position import new_state
from layerwise_rl.go.search import Evaluate, Node, most_tried, search

Pair = tuple[int, int]
"""The players of a game, Black first."""
OPENING_MOVES = 2


def play_games(
    openings: Sequence[Any],
    players: Sequence[Evaluate | None],
    pairs: Sequence[Pair],
    simulations: int,
    random: np.random.Generator,
    stops: Callable[[], bool] = lambda: False,
) -> list[Any]:
    """The last states of games that are played side by side.

    Args:
        openings: The state that each game begins with.
        players: Networks; None puts stones anywhere.
        pairs: Who plays each game.
        simulations: Positions looked at for a move.
        random: Draws what is put anywhere.
        stops: Asked after each move; True ends it.
    """
    states = [state.clone() for state in openings]
    going = [number for number, state in enumerate(states) if not state.is_terminal()]
    while going and not stops():
        for player, evaluate in enumerate(players):
            mine = [number for number in going if pairs[number][states[number].current_player()] == player]
            for number, action in zip(mine, _chosen(evaluate, states, mine, simulations, random), strict=True):
                states[number] = states[number].child(action)
            going = [number for number in going if not states[number].is_terminal()]
    return states


def _chosen(
    evaluate: Evaluate | None, states: Sequence[Any], mine: Sequence[int], simulations: int, random: np.random.Generator
) -> list[int]:
    if evaluate is None:
        return [_anything(states[number], random) for number in mine]
    roots = [Node(states[number]) for number in mine]
    if roots:
        search(roots, evaluate, [simulations] * len(roots))
    return [most_tried(root) for root in roots]


def _anything(state: Any, random: np.random.Generator) -> int:
    """A point, drawn; a pass where none is allowed."""
    actions = state.legal_actions()
    return int(random.choice(actions[:-1] if len(actions) > 1 else actions))


def match(
    size: int,
    komi: float,
    one: Evaluate,
    other: Evaluate,
    games: int,
    simulations: int,
    random: np.random.Generator,
    stops: Callable[[], bool] = lambda: False,
) -> float:
    """The share of games that one agent wins against another, each Black in half of them; draws, and games that are not
    finished, count half. The first two moves of each pair of games are drawn, and the same for both."""
    drawn = [opening(size, komi, random) for _ in range(-(-games // 2))]
    pairs = [(number % 2, 1 - number % 2) for number in range(games)]
    states = play_games(
        [drawn[number // 2] for number in range(games)], (one, other), pairs, simulations, random, stops
    )
    return float(np.mean([share_of(state, pair.index(0)) for state, pair in zip(states, pairs, strict=True)]))


def share_of(state: Any, color: int) -> float:
    """What a side has won of a game: 1, 0, or 0.5 for a draw or a game that goes on."""
    return (state.returns()[color] + 1) / 2 if state.is_terminal() else 0.5


def opening(size: int, komi: float, random: np.random.Generator, moves: int = OPENING_MOVES) -> Any:
    """The state after a few moves that are drawn."""
    state = new_state(size, komi)
    for _ in range(moves):
        state.apply_action(_anything(state, random))
    return state


def ladder(players: int, game: int) -> tuple[Pair, int]:
    """Who plays the n-th of games by which the strengths of players can be told who are about in their order: each
    plays against the next one and the next but one, with colours by turns.

    Returns:
        The pair, and a number for the opening, which is the same for the game with colours changed.

    Example:
        >>> [ladder(3, game) for game in range(4)]
        [((0, 1), 0), ((1, 2), 1), ((0, 2), 2), ((1, 0), 0)]
    """
    met = [(place, place + step) for step in (1, 2) for place in range(players - step)]
    turn, place = divmod(game, len(met))
    one, other = met[place]
    return (one, other) if turn % 2 == 0 else (other, one), turn // 2 * len(met) + place
