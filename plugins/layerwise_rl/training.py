"""What the trainings of agents have in common: their settings, how far they are, and how good the agent is by now."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise import weights
from layerwise.tasks import Control
from layerwise.tasks.episodes.playing import play_many
from layerwise.tasks.episodes.policies import policy_of
from layerwise.tasks.episodes.processes import EnvironmentProcesses, side_by_side

if TYPE_CHECKING:
    import keras

    from layerwise.context import Context
    from layerwise.tasks.episodes.environments import Environments, Episode
    from layerwise_rl.settings import AgentConfig

FIRST_TEST_SEED = 1_000_000
"""Episodes that measure an agent while it learns begin with seeds from here, others than those of `evaluate`."""
REMEMBERED = 100
"""Of so many of the last episodes the mean is said."""


def run(context: Context, kind: Callable[[Context], LearningByPlaying]) -> None:
    """Train an agent from its beginning or from its last checkpoint."""
    from layerwise.devices import prepare, quiet_import

    config = context.config
    prepare(config.precision, context.device, deterministic=config.deterministic)
    keras = quiet_import()
    keras.utils.set_random_seed(config.seed)
    with context.scope(), contextlib.closing(kind(context)) as training:
        training.train()


def task_of(context: Context) -> Control:
    """The task of a run, in the environment that its config asks for."""
    task = context.task
    assert isinstance(task, Control)
    if context.config.environment not in ("", task.environment):
        task = dataclasses.replace(
            task, environment=context.config.environment, options={}, actions=(), keys=(), known={}
        )
    context.task = task
    return task


def environments_of(task: Control, config: AgentConfig) -> Environments | EnvironmentProcesses:
    """The environments that a run learns in."""
    makers = [task.to_learn_in] * config.num_environments
    return side_by_side(makers, config.seed * config.num_environments, config.processes)


class Course:
    """How far a training is: counts steps and epochs, says what the last episodes came to, measures and keeps the agent
    at milestones. The version is the best of them, the last of equals.

    Args:
        context: Of the run.
        model: The agent's network.
        measure: Says how good the agent is now, by the name of a metric; the first decides which version is the best.
    """

    def __init__(self, context: Context, model: keras.Model, measure: Callable[[], dict[str, float]]) -> None:
        self.context, self.model, self.measure = context, model, measure
        self.config: Any = context.config
        self.steps, self.best = 0, -np.inf
        self.episodes: deque[tuple[float, int]] = deque(maxlen=REMEMBERED)
        # Of the loss and each metric the sum over steps, and over how many: before learning begins there is none.
        self._sums: dict[str, tuple[float, int]] = {}
        self._played = 0
        self._epoch_began = time.perf_counter()

    @property
    def epoch(self) -> int:
        """The epoch that is going on, from 1."""
        return self.steps // self.config.steps_per_epoch + 1

    @property
    def steps_in_epoch(self) -> int:
        """How many of its steps are done."""
        return self.steps % self.config.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """The steps of the whole training."""
        return self.config.num_epochs * self.config.steps_per_epoch

    @property
    def is_over(self) -> bool:
        return self.steps >= self.total_steps

    @property
    def share_left(self) -> float:
        """How much of the training is still to come, from 1 to 0."""
        return max(0.0, 1.0 - self.steps / self.total_steps)

    def begin(self, **more: Any) -> None:
        """Say that it begins, or goes on."""
        from layerwise.context import num_trainable_parameters

        self.context.started(
            num_parameters=num_trainable_parameters(self.model),
            examples=self.total_steps,
            steps_per_epoch=self.config.steps_per_epoch,
            epoch=self.epoch,
            step=self.steps_in_epoch,
            **more,
        )
        if self.steps == 0:
            self._measure(0)

    def count(self, episodes: list[Episode]) -> None:
        """Take note of episodes that have ended."""
        self.count_games((episode.total, episode.length) for episode in episodes)

    def count_games(self, games: Iterable[tuple[float, int]]) -> None:
        """Take note of what games came to, and of their lengths."""
        self.episodes.extend((float(total), int(length)) for total, length in games)

    def advance(self, steps: int, means: Mapping[str, float], seconds: float) -> None:
        """Take note of steps that were learned from.

        Args:
            means: The loss and the metrics over them.
            seconds: What they took, the learning with them.
        """
        for name, value in means.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + value * steps, count + steps
        self._played += steps
        epoch, size = self.epoch, self.config.steps_per_epoch
        self.steps += steps
        self.context.progress(
            epoch=epoch,
            step=min(self.steps - (epoch - 1) * size, size),
            steps=size,
            **self._logs(),
            samples_per_second=steps / max(seconds, 1e-9),
        )
        if self.epoch > epoch or self.is_over:
            self._end_epoch(epoch)

    def _logs(self) -> dict[str, float]:
        logs = {name: total / count for name, (total, count) in self._sums.items()}
        if self.episodes:
            totals, lengths = zip(*self.episodes, strict=True)
            logs |= {"mean_return": float(np.mean(totals)), "mean_length": float(np.mean(lengths))}
        return logs

    def _end_epoch(self, epoch: int) -> None:
        logs = self._logs()
        seconds = time.perf_counter() - self._epoch_began
        logs["steps_per_second"] = self._played / seconds
        every = max(1, round(self.config.num_epochs / self.config.milestones))
        if epoch % every == 0 or self.is_over:
            logs |= self._measure(epoch)
        self.context.finished_epoch(epoch=epoch, **logs, seconds=seconds)
        self._sums, self._played = {}, 0
        self._epoch_began = time.perf_counter()

    def _measure(self, epoch: int) -> dict[str, float]:
        """Say how good the agent is, and keep it."""
        metrics = self.measure()
        value = next(iter(metrics.values()))
        self.context.save_milestone(self.model, epoch=epoch, metrics=metrics)
        if value >= self.best:
            self.best = value
            self.context.save_version(self.model, epoch=epoch, metrics=metrics)
        return metrics

    def state(self) -> dict[str, Any]:
        """Where it is, as JSON can hold it."""
        return {
            "steps": self.steps,
            "best": self.best,
            "episodes": list(self.episodes),
            "sums": self._sums,
            "played": self._played,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.steps, self.best = state["steps"], state["best"]
        self.episodes.extend((total, length) for total, length in state["episodes"])
        self._sums = {name: (total, count) for name, (total, count) in state["sums"].items()}
        self._played = state["played"]


class LearningByPlaying(abc.ABC):
    """A training: rounds of playing and learning until it is over or somebody asks for a stop, and checkpoints between
    them.

    Args:
        context: Of the run; its config is a PlayingConfig.
        model: The agent's network.

    Attributes:
        course: How far it is.
        random: What all its choices are drawn with.
        optimizer, trainer: Of the network; subclasses make them.
    """

    optimizer: Any
    trainer: Any

    def __init__(self, context: Context, model: keras.Model) -> None:
        self.context, self.config, self.model = context, context.config, model
        self.course = Course(context, model, self.measure)
        self.random = np.random.default_rng(self.config.seed)

    @abc.abstractmethod
    def round(self) -> tuple[int, Mapping[str, float]]:
        """Play and learn. The steps that were played, and the means of the loss and the metrics."""

    @abc.abstractmethod
    def measure(self) -> dict[str, float]:
        """How good the agent is now, the metric that decides first."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give back what it plays with."""

    @abc.abstractmethod
    def kept(self) -> dict[str, np.ndarray]:
        """All that a checkpoint needs beside variables and random numbers, as arrays."""

    @abc.abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `kept` gave."""

    def networks(self) -> dict[str, Any]:
        """The variables of all networks by names."""
        return weights.by_name(self.model.variables)

    def train(self) -> None:
        """Train until it is over, or somebody asks for a stop."""
        self._resume()
        self.course.begin(replicas=self.trainer.num_replicas)
        while not self.course.is_over:
            begin = time.perf_counter()
            steps, means = self.round()
            self.course.advance(steps, means, time.perf_counter() - begin)
            stops = self.context.should_stop()
            if stops or self.course.is_over or self.context.checkpoint_due(epoch_ended=True):
                self._save_checkpoint()
            if stops:
                return

    def _variables(self) -> dict[str, Any]:
        optimizer = {f"optimizer/{index:03d}": variable for index, variable in enumerate(self.optimizer.variables)}
        return self.networks() | optimizer

    def _save_checkpoint(self) -> None:
        arrays = joined({"variables": weights.arrays_of(self._variables()), "kept": self.kept()})
        state = {"course": self.course.state(), "random": self.random.bit_generator.state}
        self.context.save_checkpoint(arrays, state, epoch=self.course.epoch, step=self.course.steps_in_epoch)

    def _resume(self) -> None:
        checkpoint = self.context.latest_checkpoint()
        if checkpoint is None:
            version = self.context.start_from()
            if version is not None:
                weights.load_into(self.model, version.folder)
            return
        weights.assign(self._variables(), part_of(checkpoint.arrays, "variables"), self.context.run.checkpoints.folder)
        self.restore(part_of(checkpoint.arrays, "kept"))
        self.course.restore(checkpoint.state["course"])
        self.random.bit_generator.state = checkpoint.state["random"]


def copy_weights(model: keras.Model, other: keras.Model) -> None:
    """Give another network of the same making the weights of a model."""
    for variable, source in zip(other.variables, model.variables, strict=True):
        variable.assign(source)


def joined(parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays of several parts, each named after its part."""
    return {f"{part}/{name}": array for part, arrays in parts.items() for name, array in arrays.items()}


def part_of(arrays: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """Those of one part of what `joined` gave."""
    start = f"{part}/"
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}


class AgentTraining(LearningByPlaying):
    """A training in environments of gymnasium, which goes on to the very same numbers where they can tell their state.

    Attributes:
        environments: What it plays in.
        policy: What the agent does, as it is now.
    """

    def __init__(self, context: Context) -> None:
        from layerwise.specs import resolve

        self.task = task_of(context)
        super().__init__(context, resolve(context.spec.build)(context.config, self.task))
        self.environments = environments_of(self.task, self.config)
        self.policy = policy_of(self.model)

    def close(self) -> None:
        self.environments.close()

    def measure(self) -> dict[str, float]:
        seeds = FIRST_TEST_SEED + np.arange(self.config.episodes_measured)
        found = play_many(self.task, self.policy, seeds, by_chance=self.task.by_chance)
        return {"measured_return": float(np.mean([total for total, _ in found]))}

    def kept(self) -> dict[str, np.ndarray]:
        return joined({"environments": self.environments.state()})

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        # Those that cannot tell their state begin new episodes.
        if state := part_of(arrays, "environments"):
            self.environments.restore(state)
