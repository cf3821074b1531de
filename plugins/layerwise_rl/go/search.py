"""Monte Carlo tree search with a network (Silver et al. 2018, "A general reinforcement learning algorithm that masters
chess, shogi, and Go through self-play", Science 362), for many games at a time and several leaves of each.

A tree grows by a leaf at a time: down from the root the action is taken of the greatest value and prior together,
until a position that was not looked at yet; the network says how good it is and which actions are worth a look; that
value goes back up the path. Networks are fast when they are asked about many positions at once, so leaves of all games
are asked about together, and of one game several: who goes down a path counts as if it had lost there until the answer
comes ("virtual loss"), so that the next one takes another path.

The states are OpenSpiel's; nothing here knows Go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EXPLORATION = 1.4
"""Weight of the priors: c of PUCT."""
UNSEEN = 0.25
"""By how much less than its parent an action that was not tried yet counts, at the most ("first play urgency", Wu 2019,
"Accelerating Self-Play Learning in Go", arXiv:1902.10565)."""
NOISE_SHARE = 0.25
"""Of the priors at the root of a game that is learned from."""

Evaluate = Callable[[Sequence[Any]], tuple[np.ndarray, np.ndarray]]
"""States that are not over, to logits of all actions [states, actions], and values [states] from -1 to 1 for whoever is
to play."""


class Node:
    """A position in a tree.

    Args:
        state: OpenSpiel's.

    Attributes:
        actions: What may be done, int [n]; None until the network was asked.
        priors, visits, totals: Of each, float32 [n]: how much it is worth a look, how often it was tried, and the sum
            of the values that came back, for whoever is to play here.
        children: The positions after them, None for those that were not tried.
    """

    __slots__ = ("actions", "children", "player", "priors", "state", "totals", "value", "visits")

    def __init__(self, state: Any) -> None:
        self.state = state
        self.player = state.current_player()
        self.actions: np.ndarray | None = None
        self.value = 0.0

    def expand(self, logits: np.ndarray, value: float, allowed: Sequence[int] | None = None) -> None:
        """Take note of what the network says.

        Args:
            logits: Of all actions of the game.
            allowed: The actions, where there are fewer than the state says.
        """
        self.actions = np.array(self.state.legal_actions() if allowed is None else allowed)
        chosen = logits[self.actions]
        powers = np.exp(chosen - chosen.max())
        self.priors = (powers / powers.sum()).astype("float32")
        self.visits, self.totals = np.zeros(len(chosen), "float32"), np.zeros(len(chosen), "float32")
        self.children: list[Node | None] = [None] * len(chosen)
        self.value = value

    def best(self) -> int:
        """The place of the action to look at next."""
        count = float(self.visits.sum())
        seen = float(self.priors[self.visits > 0].sum())
        unseen = self.value - UNSEEN * math.sqrt(seen)
        values = np.where(self.visits > 0, self.totals / np.maximum(self.visits, 1), unseen)
        return int(np.argmax(values + EXPLORATION * self.priors * math.sqrt(count + 1) / (1 + self.visits)))


Path = list[tuple[Node, int]]


@dataclass
class Leaf:
    """A position to ask the network about, and the way to it from the root."""

    node: Node
    path: Path


def search(
    roots: Sequence[Node],
    evaluate: Evaluate,
    simulations: Sequence[int],
    *,
    leaves: int = 1,
    allowed: Sequence[Sequence[int] | None] | None = None,
    noise: Callable[[int, int], np.ndarray] | None = None,
    stops: Callable[[], bool] = lambda: False,
) -> None:
    """Let trees grow, each until its root was visited so often. They keep what they have from before.

    Args:
        roots: Positions that are not over, one for each game.
        evaluate: The network.
        simulations: Visits of the children of each root.
        leaves: How many positions of a game are asked about at once, at most.
        allowed: The actions at each root, where there are fewer than its state says.
        noise: `(game, actions) -> [actions]`, what the priors at a root are mixed with; None for none.
        stops: Asked between two looks; True ends it.
    """
    new = [place for place, root in enumerate(roots) if root.actions is None]
    if new:
        logits, values = evaluate([roots[place].state for place in new])
        for row, place in enumerate(new):
            roots[place].expand(logits[row], float(values[row]), allowed[place] if allowed is not None else None)
    if noise is not None:
        for place, root in enumerate(roots):
            root.priors = (1 - NOISE_SHARE) * root.priors + NOISE_SHARE * noise(place, len(root.priors))
    while not stops():
        found: list[Leaf] = []
        busy = False
        for root, wanted in zip(roots, simulations, strict=True):
            left = wanted - int(root.visits.sum())
            busy |= left > 0
            found += _leaves(root, min(leaves, left))
        if found:
            logits, values = evaluate([leaf.node.state for leaf in found])
            for row, leaf in enumerate(found):
                leaf.node.expand(logits[row], float(values[row]))
                _go_back(leaf.path, float(values[row]), leaf.node.player)
        if not busy:
            return


def _leaves(root: Node, count: int) -> list[Leaf]:
    """Positions to ask about. Those that are over need no network: their values go back at once."""
    found: list[Leaf] = []
    asked = set()
    for _ in range(count):
        leaf = _go_down(root)
        if leaf.node.state.is_terminal():
            _go_back(leaf.path, leaf.node.state.returns()[0], 0)
        elif id(leaf.node) in asked:
            # All paths lead to one that was found already: wait for the network.
            for node, place in leaf.path:
                node.visits[place] -= 1
                node.totals[place] += 1
            break
        else:
            asked.add(id(leaf.node))
            found.append(leaf)
    return found


def _go_down(root: Node) -> Leaf:
    node, path = root, []
    while node.actions is not None:
        place = node.best()
        path.append((node, place))
        # As if it had been lost, until the answer comes.
        node.visits[place] += 1
        node.totals[place] -= 1
        following = node.children[place]
        if following is None:
            following = node.children[place] = Node(node.state.child(int(node.actions[place])))
        node = following
    return Leaf(node, path)


def _go_back(path: Path, value: float, player: int) -> None:
    """Give a value for a player to all positions on a path."""
    for node, place in path:
        node.totals[place] += 1 + (value if node.player == player else -value)


def root_value(root: Node) -> float:
    """How good the position is for whoever is to play, from -1 to 1, by what was looked at."""
    count = float(root.visits.sum())
    return float(root.totals.sum()) / count if count else root.value


def shares(root: Node, num_actions: int, temperature: float = 1.0) -> np.ndarray:
    """How often each action was tried, as shares [actions] of all, the more equal the higher the temperature; 0 gives
    all to the one that was tried most."""
    found = np.zeros(num_actions, "float32")
    assert root.actions is not None
    if temperature == 0:
        # Of those that were tried equally often, the one of the higher value.
        order = np.lexsort((root.totals / np.maximum(root.visits, 1), root.visits))
        found[root.actions[order[-1]]] = 1.0
        return found
    weights = root.visits ** (1 / temperature)
    found[root.actions] = weights / weights.sum() if weights.sum() > 0 else root.priors
    return found


def child_of(root: Node, action: int) -> Node:
    """The position after an action, with what its tree has already."""
    if root.actions is not None:
        place = int(np.flatnonzero(root.actions == action)[0])
        following = root.children[place]
        if following is not None:
            return following
    return Node(root.state.child(action))


def main_line(root: Node, length: int = 8) -> list[int]:
    """The actions that were tried most, one after another."""
    found: list[int] = []
    node: Node | None = root
    while node is not None and node.actions is not None and node.visits.any() and len(found) < length:
        place = int(node.visits.argmax())
        found.append(int(node.actions[place]))
        node = node.children[place]
    return found
