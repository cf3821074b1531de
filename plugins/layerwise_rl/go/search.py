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

Evaluate = Callable[[Sequence[Any]], tuple[np.ndarray, np.ndarray]]
"""States that are not over, to logits of all actions [states, actions], and values [states] from -1 to 1 for whoever is
to play."""


class Node:
    """A position in a tree.

    Of the actions that were not tried yet the one of the highest prior always comes next. So actions are kept in that
    order, those that were tried come first, and only these and the next one have to be looked at to choose: in plain
    lists, since for so few numbers arrays take longer.

    Args:
        state: OpenSpiel's.

    Attributes:
        actions: What may be done, the likelier first; None until the network was asked.
        priors: Of each action, how much it is worth a look.
        children: The positions after those that were tried.
        count: How often any was tried.
    """

    __slots__ = ("_totals", "_visits", "actions", "children", "count", "player", "priors", "state", "tried", "value")

    def __init__(self, state: Any) -> None:
        self.state = state
        self.player = state.current_player()
        self.actions: list[int] | None = None
        self.value = 0.0
        self.count = 0

    def expand(self, logits: np.ndarray, value: float, allowed: Sequence[int] | None = None) -> None:
        """Take note of what the network says.

        Args:
            logits: Of all actions of the game.
            allowed: The actions, where there are fewer than the state says.
        """
        actions = np.array(self.state.legal_actions() if allowed is None else allowed)
        chosen = logits[actions]
        order = (-chosen).argsort(kind="stable")
        powers = np.exp(chosen[order] - chosen[order[0]])
        self.actions = actions[order].tolist()
        self.priors: list[float] = (powers / powers.sum()).tolist()
        self.children: list[Node] = []
        self._visits: list[int] = []
        self._totals: list[float] = []
        self.tried = 0.0
        self.value = value

    @property
    def visits(self) -> np.ndarray:
        """How often each action was tried, float64 [actions]."""
        return self._of_all(self._visits)

    @property
    def totals(self) -> np.ndarray:
        """The sum of the values that came back from each action, for whoever is to play here [actions]."""
        return self._of_all(self._totals)

    def _of_all(self, values: Sequence[float]) -> np.ndarray:
        assert self.actions is not None
        return np.array([*values, *[0] * (len(self.actions) - len(values))], "float64")

    def best(self) -> int:
        """The place of the action to look at next (PUCT)."""
        scale = EXPLORATION * math.sqrt(self.count + 1)
        unseen = self.value - UNSEEN * math.sqrt(self.tried)
        found, highest, place = 0, -math.inf, -1
        for place, visits in enumerate(self._visits):
            value = self._totals[place] / visits if visits else unseen
            score = value + scale * self.priors[place] / (1 + visits)
            if score > highest:
                found, highest = place, score
        following = place + 1
        if following < len(self.priors) and unseen + scale * self.priors[following] > highest:
            return following
        return found

    def enter(self, place: int) -> Node:
        """The position after an action, which counts as if it had been lost until the answer comes."""
        if place == len(self.children):
            assert self.actions is not None
            self.children.append(Node(self.state.child(self.actions[place])))
            self._visits.append(0)
            self._totals.append(0.0)
            self.tried += self.priors[place]
        self._visits[place] += 1
        self._totals[place] -= 1.0
        self.count += 1
        return self.children[place]

    def leave(self, place: int) -> None:
        """As if it had not been entered."""
        self._visits[place] -= 1
        self._totals[place] += 1.0
        self.count -= 1

    def learn(self, place: int, value: float) -> None:
        """Take note of the answer for an action that was entered.

        Args:
            value: For whoever is to play here.
        """
        self._totals[place] += 1.0 + value


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
    stops: Callable[[], bool] = lambda: False,
) -> None:
    """Let trees grow, each until its root was visited so often. They keep what they have from before.

    Args:
        roots: Positions that are not over, one for each game.
        evaluate: The network.
        simulations: Visits of the children of each root.
        leaves: How many positions of a game are asked about at once, at most.
        allowed: The actions at each root, where there are fewer than its state says.
        stops: Asked between two looks; True ends it.
    """
    new = [place for place, root in enumerate(roots) if root.actions is None]
    if new:
        logits, values = evaluate([roots[place].state for place in new])
        for row, place in enumerate(new):
            roots[place].expand(logits[row], float(values[row]), allowed[place] if allowed is not None else None)
    while not stops():
        found: list[Leaf] = []
        busy = False
        for root, wanted in zip(roots, simulations, strict=True):
            left = wanted - root.count
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
                node.leave(place)
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
        node = node.enter(place)
    return Leaf(node, path)


def _go_back(path: Path, value: float, player: int) -> None:
    """Give a value for a player to all positions on a path."""
    for node, place in path:
        node.learn(place, value if node.player == player else -value)


def root_value(root: Node) -> float:
    """How good the position is for whoever is to play, from -1 to 1, by what was looked at."""
    return float(root.totals.sum()) / root.count if root.count else root.value


def shares(root: Node, num_actions: int) -> np.ndarray:
    """How often each action was tried, as shares of all, float32 [actions]; the priors before any was."""
    found = np.zeros(num_actions, "float32")
    assert root.actions is not None
    found[root.actions] = root.visits / root.count if root.count else root.priors
    return found


def most_tried(root: Node) -> int:
    """The action that was tried most; of those that were tried equally often, the one of the higher value."""
    assert root.actions is not None
    visits, totals = root.visits, root.totals
    return root.actions[np.lexsort((totals / np.maximum(visits, 1), visits))[-1]]


def main_line(root: Node, length: int = 8) -> list[int]:
    """The actions that were tried most, one after another."""
    found: list[int] = []
    node: Node | None = root
    while node is not None and node.actions is not None and node.count and len(found) < length:
        place = int(node.visits.argmax())
        found.append(int(node.actions[place]))
        node = node.children[place]
    return found
