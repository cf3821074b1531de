"""The root of a search that is learned from (Danihelka et al. 2022, "Policy improvement by planning with Gumbel").

With few simulations the most tried action need not be better than the network's own choice. Here it is, whatever the
number of simulations: a few actions are drawn without replacement, by Gumbel noise on their logits; sequential halving
spends the simulations on them, so that the better half of those that are left goes on each time; and what is to be
learned is the network's policy, moved towards what the search found of each action.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise_rl.go.search import Node

VISITS, SCALE = 50.0, 1.0
"""c_visit and c_scale (section 5 of the paper), for values from 0 to 1."""


class GumbelRoot(Node):
    """A position from which a move is drawn and learned.

    Args:
        state: OpenSpiel's.
        simulations: How often an action will be tried.
        considered: Of so many actions, at most.
        random: Draws them.
    """

    __slots__ = ("_considered", "_drawn", "_random", "_sequence", "_simulations")

    def __init__(self, state: Any, simulations: int, considered: int, random: np.random.Generator) -> None:
        super().__init__(state)
        self._simulations, self._considered, self._random = simulations, considered, random

    def expand(self, logits: np.ndarray, value: float, allowed: Sequence[int] | None = None) -> None:
        super().expand(logits, value, allowed)
        assert self.actions is not None
        logs = np.log(np.maximum(self.priors, 1e-12))
        drawn = logs + self._random.gumbel(size=len(logs))
        # Actions are tried in their order, so those that were drawn come first.
        order = (-drawn).argsort(kind="stable").tolist()
        self.actions = [self.actions[place] for place in order]
        self.priors = [self.priors[place] for place in order]
        self._drawn: list[float] = drawn[order].tolist()
        self._sequence = visits_of(min(self._considered, len(order)), self._simulations)

    def best(self) -> int:
        """The next action of the halving: of those that were tried so often as its turn says, the best so far."""
        turn = self._sequence[self.count]
        if turn == 0:
            return len(self.children)
        scale = self._scale()
        return max(
            (place for place, visits in enumerate(self._visits) if visits == turn),
            key=lambda place: self._drawn[place] + scale * self._value_of(place),
        )

    def chosen(self) -> int:
        """The action to do, when all simulations are done."""
        assert self.actions is not None
        most, scale = max(self._visits), self._scale()
        place = max(
            (place for place, visits in enumerate(self._visits) if visits == most),
            key=lambda place: self._drawn[place] + scale * self._value_of(place),
        )
        return self.actions[place]

    def improved(self, num_actions: int) -> np.ndarray:
        """What the network should have thought, float32 [actions]: section 4 of the paper."""
        assert self.actions is not None
        priors = np.array(self.priors)
        values = np.full(len(priors), self._mixed_value())
        values[: len(self.children)] = [self._value_of(place) for place in range(len(self.children))]
        logits = np.log(np.maximum(priors, 1e-12)) + self._scale() * values
        powers = np.exp(logits - logits.max())
        found = np.zeros(num_actions, "float32")
        found[self.actions] = powers / powers.sum()
        return found

    def _scale(self) -> float:
        return (VISITS + max(self._visits, default=0)) * SCALE

    def _value_of(self, place: int) -> float:
        """The value of an action that was tried, from 0 to 1."""
        return (self._totals[place] / self._visits[place] + 1) / 2

    def _mixed_value(self) -> float:
        """What an action that was not tried is thought to be worth, from 0 to 1: appendix D of the paper."""
        if not self.count:
            return (self.value + 1) / 2
        values = sum(prior * self._value_of(place) for place, prior in enumerate(self.priors[: len(self.children)]))
        return ((self.value + 1) / 2 + self.count * values / self.tried) / (1 + self.count)


@functools.cache
def visits_of(considered: int, simulations: int) -> tuple[int, ...]:
    """How often the action must have been tried that each simulation tries, so that half of the actions goes on each
    time.

    Example:
        >>> visits_of(4, 8)
        (0, 0, 0, 0, 1, 1, 2, 2)
    """
    halvings = max(1, math.ceil(math.log2(considered)))
    visits, left, found = [0] * considered, considered, list[int]()
    while len(found) < simulations:
        for _ in range(max(1, simulations // (halvings * left))):
            found += visits[:left]
            visits[:left] = [count + 1 for count in visits[:left]]
        left = max(min(2, considered), left // 2)
    return tuple(found[:simulations])
