"""Environments of gymnasium, one or many at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import InputError, LayerwiseError
from layerwise.tasks.episodes.states import can_be_restored, get_state, set_state

if TYPE_CHECKING:
    import gymnasium

INSTALL = 'pip install "layerwise[rl]"'


def make(identifier: str, options: Mapping[str, Any] | None = None, *, renders: bool = False) -> gymnasium.Env:
    """A gymnasium environment.

    Args:
        identifier: "CartPole-v1"; "module:Name-v0" for one that a module registers.
        options: What its maker takes beside.
        renders: Whether `render()` shall give pictures, uint8 [height, width, 3].

    Raises:
        InputError: There is none of that name.
        LayerwiseError: What it needs is not installed.
    """
    import gymnasium

    # Pictures are drawn without a screen and without a sound.
    for name, value in (
        ("SDL_VIDEODRIVER", "dummy"),
        ("SDL_AUDIODRIVER", "dummy"),
        ("PYGAME_HIDE_SUPPORT_PROMPT", "1"),
    ):
        os.environ.setdefault(name, value)
    try:
        return gymnasium.make(
            identifier, render_mode="rgb_array" if renders else None, disable_env_checker=True, **(options or {})
        )
    except gymnasium.error.DependencyNotInstalled as error:
        raise LayerwiseError(f"{identifier} needs what is not installed", received=str(error), remedy=INSTALL) from None
    except (gymnasium.error.Error, ModuleNotFoundError, TypeError, ValueError) as error:
        raise InputError(
            f"There is no environment {identifier!r} like that",
            expected="the id of a gymnasium environment, such as CartPole-v1",
            received=str(error)[:300],
        ) from None


@dataclass(frozen=True)
class Step:
    """What a step of several environments gives.

    Args:
        rewards: Float32 [environments].
        terminated: Whether the episode is over, bool [environments].
        truncated: Whether it was cut off at its longest, bool [environments].
        last: Of environments whose episode has ended, what was last observed, by their number. What is observed of
            them now is the beginning of the next.
    """

    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    last: dict[int, np.ndarray]

    @property
    def ended(self) -> np.ndarray:
        """Bool [environments]."""
        return self.terminated | self.truncated


@dataclass(frozen=True)
class Episode:
    """What an episode came to.

    Args:
        total: The sum of its rewards.
        length: Its steps.
    """

    total: float
    length: int


class Environments:
    """Several environments of one making side by side, each of which begins a new episode when one has ended.

    Args:
        makers: A function for each that makes it.
        seed: The first episode of the n-th begins with the seed `seed` + n, and later ones with what follows.
        first: The number of the first, where these are only a part of all.

    Attributes:
        observations: What is observed now, [environments, ...].
        ended: The episodes that have ended in the last step.
    """

    def __init__(self, makers: Sequence[Callable[[], gymnasium.Env]], seed: int, first: int = 0) -> None:
        self.single = [maker() for maker in makers]
        self.numbers = range(first, first + len(makers))
        self.keeps_state = can_be_restored(self.single[0])
        observed = [
            environment.reset(seed=seed + number)[0]
            for number, environment in zip(self.numbers, self.single, strict=True)
        ]
        self.observations = np.stack([np.asarray(observation) for observation in observed])
        self.ended: list[Episode] = []
        self._totals = np.zeros(len(makers))
        self._lengths = np.zeros(len(makers), "int64")

    def __len__(self) -> int:
        return len(self.single)

    @property
    def action_space(self) -> Any:
        return self.single[0].action_space

    def step(self, actions: Sequence[Any] | np.ndarray) -> Step:
        """Do an action in each."""
        count = len(self.single)
        rewards, terminated, truncated = np.zeros(count, "float32"), np.zeros(count, bool), np.zeros(count, bool)
        observations, last = np.empty_like(self.observations), {}
        self.ended = []
        for place, environment in enumerate(self.single):
            observation, reward, terminated[place], truncated[place], _ = environment.step(actions[place])
            rewards[place] = reward
            # Rewards may be clipped for learning; what an episode came to is never.
            self._totals[place] += getattr(environment, "last_reward", reward)
            self._lengths[place] += 1
            if terminated[place] or truncated[place]:
                last[self.numbers[place]] = np.asarray(observation)
                # Where losing a life ends an episode for learning, the game may go on.
                if not getattr(environment, "goes_on", False):
                    self.ended.append(Episode(float(self._totals[place]), int(self._lengths[place])))
                    self._totals[place], self._lengths[place] = 0.0, 0
                observation, _ = environment.reset()
            observations[place] = observation
        self.observations = observations
        return Step(rewards, terminated, truncated, last)

    def state(self) -> dict[str, np.ndarray]:
        """All that decides how they go on; empty where they cannot tell."""
        if not self.keeps_state:
            return {}
        found = {
            f"{number}/{name}": array
            for number, environment in zip(self.numbers, self.single, strict=True)
            for name, array in get_state(environment).items()
        }
        return {**found, "observations": self.observations, "totals": self._totals, "lengths": self._lengths}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave, of these or of more environments."""
        for number, environment in zip(self.numbers, self.single, strict=True):
            environment.reset()
            start = f"{number}/"
            set_state(
                environment, {name[len(start) :]: array for name, array in state.items() if name.startswith(start)}
            )
        part = slice(self.numbers.start, self.numbers.stop)
        self.observations = np.array(state["observations"][part])
        self._totals, self._lengths = np.array(state["totals"][part]), np.array(state["lengths"][part])

    def close(self) -> None:
        for environment in self.single:
            environment.close()
