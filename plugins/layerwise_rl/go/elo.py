"""How strong players are, by their games (Elo 1978, "The Rating of Chessplayers"; Bradley and Terry 1952)."""

from __future__ import annotations

import numpy as np

SCALE = 400 / np.log(10)
"""Points of a player who wins e times as often as he loses."""
PRIOR = 0.5
"""Draws that two players who have met are thought to have had beside, so that who wins all is not endlessly strong."""
ROUNDS = 50


def elo_of(share: float, games: int) -> float:
    """By how much an agent is better that wins a share of games, in Elo's points; at most what half a game less than
    all would say.

    Example:
        >>> round(elo_of(0.75, 100))
        191
    """
    share = min(max(share, 0.5 / games), 1 - 0.5 / games)
    return float(SCALE * np.log(share / (1 - share)))


def ratings(one: np.ndarray, other: np.ndarray, shares: np.ndarray, count: int) -> np.ndarray:
    """The most probable strengths, float64 [count], in Elo's points; that of the first player is 0.

    Args:
        one, other: The players of each game, numbers [games].
        shares: What the one won of it: 1, 0, or 0.5 for a draw [games].
        count: How many players there are.

    Example:
        >>> ratings(np.zeros(100, int), np.ones(100, int), np.repeat([1.0, 0.0], [25, 75]), 2).round()
        array([  0., 189.])
    """
    wins = np.zeros((count, count))
    np.add.at(wins, (one, other), shares)
    np.add.at(wins, (other, one), 1 - shares)
    met = wins + wins.T > 0
    wins = wins + PRIOR * met
    games = wins + wins.T
    strengths = np.zeros(count)
    # Newton's method; the likelihood is concave, and the first player is held at 0.
    for _ in range(ROUNDS):
        expected = games / (1 + np.exp(strengths[None] - strengths[:, None]))
        slope = (wins - expected).sum(axis=1)[1:]
        spread = expected * expected.T / np.maximum(games, 1e-9)
        curve = (np.diag(spread.sum(axis=1)) - spread)[1:, 1:]
        # Somebody whom nobody has met stays where he is.
        step = np.linalg.lstsq(curve, slope, rcond=None)[0]
        strengths[1:] += np.clip(step, -2, 2)
        if np.abs(step).max(initial=0) < 1e-9:
            break
    return strengths * SCALE
