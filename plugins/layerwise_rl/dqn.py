"""Deep Q-learning (Mnih et al. 2015, "Human-level control through deep reinforcement learning", Nature 518), from top
to bottom.

The network says which return it expects of each action. The agent does the best one, or now and then any, and remembers
what came of it. From memories drawn at random it learns that a value is the reward and what a former copy of the
network, the target network, expects of the best action after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise import weights
from layerwise.optimizers import build_optimizer
from layerwise.tasks.episodes.acting import best_actions, done, values
from layerwise.tasks.episodes.policies import policy_of
from layerwise_rl.training import AgentTraining, joined, part_of, run

if TYPE_CHECKING:
    from layerwise.context import Context


def train(context: Context) -> None:
    """Train an agent by deep Q-learning: `ModelSpec.train`."""
    run(context, DQN)


class Memory:
    """What came of the last actions, [size, ...] each.

    Args:
        size: How much is remembered.
        observation: One, for its shape and type.
    """

    def __init__(self, size: int, observation: np.ndarray) -> None:
        self.before = np.zeros((size, *observation.shape), observation.dtype)
        self.after = np.zeros_like(self.before)
        self.actions, self.rewards = np.zeros(size, "int32"), np.zeros(size, "float32")
        self.terminated = np.zeros(size, bool)
        self.count = 0

    def __len__(self) -> int:
        return min(self.count, len(self.actions))

    def add(self, before: Any, action: Any, reward: Any, after: Any, terminated: Any) -> None:
        """Remember a step, in place of the oldest one when it is full."""
        place = self.count % len(self.actions)
        self.before[place], self.after[place] = before, after
        self.actions[place], self.rewards[place], self.terminated[place] = action, reward, terminated
        self.count += 1

    def state(self) -> dict[str, np.ndarray]:
        """All of it, as arrays."""
        names = ("before", "after", "actions", "rewards", "terminated")
        return {**{name: getattr(self, name)[: len(self)] for name in names}, "count": np.array(self.count)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Remember what `state` gave."""
        self.count = int(state["count"])
        for name in ("before", "after", "actions", "rewards", "terminated"):
            getattr(self, name)[: len(self)] = state[name]


class DQN(AgentTraining):
    """A training."""

    def __init__(self, context: Context) -> None:
        from layerwise import engines
        from layerwise.compilation import uses_xla
        from layerwise.specs import resolve

        super().__init__(context)
        config = self.config
        self.target = resolve(context.spec.build)(config, self.task)
        self._copy_target()
        self.expected = policy_of(self.target)
        times = max(1, config.steps_per_epoch // config.steps_between)
        self.optimizer = build_optimizer(config, times * config.batches, global_clipnorm=config.gradient_norm)
        self.trainer = engines.current().Trainer(
            self.model, self.optimizer, loss, {"value": mean_value}, xla=uses_xla(self.model, config.compiler)
        )
        self.memory = Memory(config.remembered, self.environments.observations[0])
        self.times = 0

    def round(self) -> tuple[int, Mapping[str, float]]:
        steps = self._play()
        return steps, self._learn() if self.memory.count >= self.config.steps_before_learning else {}

    @property
    def exploring(self) -> float:
        """The share of random actions."""
        gone = self.course.steps / (self.config.exploring_share * self.course.total_steps)
        return max(self.config.exploring_last, 1.0 - gone * (1.0 - self.config.exploring_last))

    def _play(self) -> int:
        """Some steps in the environments, remembered. Returns how many."""
        environments, count = self.environments, len(self.environments)
        rounds = -(-self.config.steps_between // count)
        for _ in range(rounds):
            before = environments.observations
            actions = best_actions(self.policy(before)).astype("int64")
            is_random = self.random.random(count) < self.exploring
            actions = np.where(is_random, self.random.integers(0, environments.action_space.n, count), actions)
            result = environments.step(done(actions, environments.action_space))
            for place in range(count):
                after = result.last.get(place, environments.observations[place])
                self.memory.add(before[place], actions[place], result.rewards[place], after, result.terminated[place])
            self.course.count(environments.ended)
        return rounds * count

    def _learn(self) -> dict[str, float]:
        """Some batches of memories. The target network stays as it is meanwhile, so all that it expects is asked at
        once."""
        config, memory = self.config, self.memory
        chosen = self.random.integers(0, len(memory), config.batches * config.batch_size)
        following = values(self.expected(memory.after[chosen])) * ~memory.terminated[chosen]
        targets = {
            "action": memory.actions[chosen],
            "return": (memory.rewards[chosen] + config.discount * following).astype("float32"),
        }
        order = np.arange(len(chosen), dtype="int32").reshape(config.batches, config.batch_size)
        means = self.trainer.train(self.trainer.place(memory.before[chosen], targets), order, 0, len(order))
        self.times += 1
        if self.times % config.target_every == 0:
            self._copy_target()
        return means

    def _copy_target(self) -> None:
        for target, variable in zip(self.target.variables, self.model.variables, strict=True):
            target.assign(variable)

    def networks(self) -> dict[str, Any]:
        target = {f"target/{name}": variable for name, variable in weights.by_name(self.target.variables).items()}
        return super().networks() | target

    def kept(self) -> dict[str, np.ndarray]:
        memory = {**self.memory.state(), "times": np.array(self.times)}
        return super().kept() | joined({"memory": memory})

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().restore(arrays)
        memory = part_of(arrays, "memory")
        self.memory.restore(memory)
        self.times = int(memory["times"])


def loss(targets: Any, outputs: Any) -> Any:
    """Huber's loss of the value of the action that was done, whose gradient is at most 1."""
    from keras import ops as keras_ops

    ops: Any = keras_ops
    error = ops.abs(_chosen(targets, outputs) - targets["return"])
    return ops.mean(ops.where(error < 1, 0.5 * ops.square(error), error - 0.5))


def mean_value(targets: Any, outputs: Any) -> Any:
    """The return that is expected of the actions that were done."""
    from keras import ops

    return ops.mean(_chosen(targets, outputs))


def _chosen(targets: Any, outputs: Any) -> Any:
    from keras import ops as keras_ops

    ops: Any = keras_ops
    q = outputs["action_values"]
    return ops.sum(q * ops.one_hot(ops.cast(targets["action"], "int32"), q.shape[-1]), axis=-1)
