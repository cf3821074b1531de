"""One episode, step by step: an agent acts, or a person does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.tasks.episodes.acting import best_actions, done, is_continuous, probabilities, sampled_actions, values

if TYPE_CHECKING:
    from layerwise.tasks.control import Control

Policy = Callable[[np.ndarray], Any]
"""Observations [examples, ...] to what the network gives."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A step of an episode.

    Args:
        observation: What was observed before it.
        action: What was done: the number of an action, or numbers.
        is_own: Whether a person chose it.
        probabilities: Of each action, as the agent saw it; None where actions are numbers.
        value: The return that the agent expected from there on.
        total: The sum of the rewards so far, this step's with them.
        length: The steps so far.
        ended: Whether it was the last.
    """

    observation: np.ndarray
    action: Any
    is_own: bool
    probabilities: np.ndarray | None
    value: float
    total: float
    length: int
    ended: bool


class Playing:
    """An episode.

    Args:
        task: What is played.
        policy: The agent.
        episode: The seed of the environment.
        by_chance: Whether the agent draws its actions, by the same seed.
        renders: Whether there are pictures.
    """

    def __init__(
        self, task: Control, policy: Policy, episode: int, *, by_chance: bool = False, renders: bool = False
    ) -> None:
        self.task, self.policy, self.by_chance = task, policy, by_chance
        self._environment = task.make(renders=renders)
        self._observation, _ = self._environment.reset(seed=episode)
        self._random = np.random.default_rng(episode)
        self._total, self._length = 0.0, 0
        self.ended = False

    @property
    def frames_per_second(self) -> float:
        """How many steps a second look natural."""
        return float(self._environment.metadata.get("render_fps") or 30.0)

    def picture(self) -> np.ndarray:
        """What it looks like now, uint8 [height, width, 3]."""
        return np.asarray(self._environment.render())

    def pictures(self) -> list[np.ndarray]:
        """What it looked like since the last step, at least one picture: an environment that moves several times in a
        step may have kept them as `frames`."""
        layer: Any = self._environment
        while not hasattr(layer, "frames") and layer is not layer.unwrapped:
            layer = layer.env
        return list(getattr(layer, "frames", ())) or [self.picture()]

    def step(self, own_action: int | None = None) -> Moment:
        """Go on by one action.

        Args:
            own_action: What a person does, the number of an action; None asks the agent.
        """
        observed = np.asarray(self._observation)
        outputs = self.policy(observed[None])
        chosen = sampled_actions(outputs, self._random) if self.by_chance else best_actions(outputs)
        action = chosen[0] if own_action is None else np.asarray(own_action)
        space = self._environment.action_space
        self._observation, reward, terminated, truncated, _ = self._environment.step(done(action, space))
        self._total += float(reward)
        self._length += 1
        self.ended = bool(terminated or truncated)
        return Moment(
            observation=observed,
            action=action,
            is_own=own_action is not None,
            probabilities=None if is_continuous(outputs) else probabilities(outputs)[0],
            value=float(values(outputs)[0]),
            total=self._total,
            length=self._length,
            ended=self.ended,
        )

    def close(self) -> None:
        self._environment.close()


def play_many(
    task: Control, policy: Policy, episodes: np.ndarray, *, by_chance: bool = False
) -> list[tuple[float, int]]:
    """The returns and lengths of whole episodes that are played side by side.

    Args:
        episodes: Their seeds.
    """
    environments = [task.make() for _ in episodes]
    found = [(0.0, 0)] * len(episodes)
    try:
        observations = {
            place: np.asarray(environment.reset(seed=int(seed))[0])
            for place, (environment, seed) in enumerate(zip(environments, episodes, strict=True))
        }
        # Each has random numbers of its own, so that who plays beside it makes no difference.
        randoms = [np.random.default_rng(int(seed)) for seed in episodes]
        while observations:
            places = list(observations)
            outputs = policy(np.stack([observations[place] for place in places]))
            chosen = best_actions(outputs)
            for row, place in enumerate(places):
                if by_chance:
                    one = {name: part[row : row + 1] for name, part in outputs.items()}
                    action = sampled_actions(one, randoms[place])[0]
                else:
                    action = chosen[row]
                environment = environments[place]
                observation, reward, terminated, truncated, _ = environment.step(done(action, environment.action_space))
                total, length = found[place]
                found[place] = total + float(reward), length + 1
                if terminated or truncated:
                    del observations[place]
                else:
                    observations[place] = np.asarray(observation)
    finally:
        for environment in environments:
            environment.close()
    return found
