"""How good a network of Go is: by games between what it was on its way, and by the moves of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from layerwise.plots import Line, LinePlot
from layerwise_rl.go.elo import ratings
from layerwise_rl.go.network import Evaluator
from layerwise_rl.go.tournament import ladder, opening, play_games, share_of

if TYPE_CHECKING:
    from layerwise.tasks.episodes.policies import Policies
    from layerwise_rl.go.task import Go

SIMULATIONS = 16
"""Positions that are looked at before a move of a game that measures."""
ANYWHERE = -1
"""In place of an epoch: somebody who puts stones anywhere."""
RESAMPLES = 200

Outputs = Mapping[str, np.ndarray]


def played(policies: Policies, epoch: int, task: Go, games: np.ndarray) -> Outputs:
    """Games of what an agent was at each of its milestones, and of somebody who puts stones anywhere.

    Args:
        policies: Of the agent.
        epoch: After which its weights are those that are in use.
        games: Their numbers; a number is always the same game but for what the network thinks.

    Returns:
        "black" and "white", after how many epochs each was, `ANYWHERE` for stones anywhere; "share" that Black has won;
        "own", the epoch of the version; each [games].
    """
    networks = {milestone.epoch: policies.at(place) for place, milestone in enumerate(policies.milestones)}
    networks[epoch] = policies.after(100)
    epochs = sorted(networks)
    players = [None, *(Evaluator(networks[key], task.size, task.komi) for key in epochs)]
    chosen = [ladder(len(players), int(game)) for game in games]
    openings = [opening(task.size, task.komi, np.random.default_rng(number)) for _, number in chosen]
    pairs = [pair for pair, _ in chosen]
    states = play_games(openings, players, pairs, SIMULATIONS, np.random.default_rng(int(games[0])))
    names = np.array([ANYWHERE, *epochs])
    black, white = np.array(pairs).T
    return {
        "black": names[black],
        "white": names[white],
        "share": np.array([share_of(state, 0) for state in states]),
        "own": np.full(len(games), epoch),
    }


def elo(outputs: Outputs) -> dict[str, float]:
    """The strength of the version."""
    epochs, black, white = _players(outputs)
    found = ratings(black, white, outputs["share"], len(epochs))
    return {"elo": float(found[np.searchsorted(epochs, outputs["own"][0])])}


def course(outputs: Outputs) -> LinePlot:
    """The strength over the training, with 95 % intervals from resampled games."""
    epochs, black, white = _players(outputs)
    share, random, samples = outputs["share"], np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        some = random.integers(0, len(share), len(share))
        samples.append(ratings(black[some], white[some], share[some], len(epochs)))
    found = ratings(black, white, share, len(epochs))
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    trained = epochs != ANYWHERE
    return LinePlot(
        title="Strength over the training",
        lines=[
            Line(label="the agent", x=epochs[trained], y=found[trained], low=low[trained], high=high[trained]),
            Line(
                label="stones anywhere",
                x=epochs[trained][[0, -1]],
                y=np.zeros(2),
                kind="dashed",
            ),
        ],
        x_label="epoch",
        y_label="Elo",
    )


def _players(outputs: Outputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The epochs, in their order, `ANYWHERE` first; and the places among them of Black and of White of each game."""
    epochs, places = np.unique(np.concatenate([outputs["black"], outputs["white"]]), return_inverse=True)
    black, white = np.split(places, 2)
    return epochs, black, white


def accuracies(outputs: Outputs, targets: np.ndarray) -> dict[str, float]:
    """The share of moves that it thinks of first, and of winners that it knows.

    Args:
        outputs: What the network gives.
        targets: As `layerwise_rl.go.collection.Positions` has them.
    """
    found = {"move_accuracy": float((outputs["policy"].argmax(axis=1) == targets[:, 0]).mean())}
    known = targets[:, 1] >= 0
    if known.any():
        right = (outputs["value"][known, 0] > 0) == (targets[known, 1] > 0.5)
        found["winner_accuracy"] = float(right.mean())
    return found
