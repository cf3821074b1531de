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
from layerwise_rl.memory import Memory
from layerwise_rl.training import AgentTraining, copy_weights, joined, part_of, run

if TYPE_CHECKING:
    from layerwise.context import Context


def train(context: Context) -> None:
    """Train an agent by deep Q-learning: `ModelSpec.train`."""
    run(context, DQN)


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
        self.memory = Memory(config.remembered)
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
            after = environments.observations.copy()
            for place, last in result.last.items():
                after[place] = last
            self.memory.add(
                {
                    "before": before,
                    "after": after,
                    "action": actions.astype("int32"),
                    "reward": result.rewards,
                    "terminated": result.terminated,
                }
            )
            self.course.count(environments.ended)
        return rounds * count

    def _learn(self) -> dict[str, float]:
        """Some batches of memories. The target network stays as it is meanwhile, so all that it expects is asked at
        once."""
        config = self.config
        chosen = self.random.integers(0, len(self.memory), config.batches * config.batch_size)
        memories = {name: part[chosen] for name, part in self.memory.arrays.items()}
        following = values(self.expected(memories["after"])) * ~memories["terminated"]
        targets = {
            "action": memories["action"],
            "return": (memories["reward"] + config.discount * following).astype("float32"),
        }
        order = np.arange(len(chosen), dtype="int32").reshape(config.batches, config.batch_size)
        means = self.trainer.train(self.trainer.place(memories["before"], targets), order, 0, len(order))
        self.times += 1
        if self.times % config.target_every == 0:
            self._copy_target()
        return means

    def _copy_target(self) -> None:
        copy_weights(self.model, self.target)

    def networks(self) -> dict[str, Any]:
        target = {f"target/{name}": variable for name, variable in weights.by_name(self.target.variables).items()}
        return super().networks() | target

    def kept(self) -> dict[str, np.ndarray]:
        return super().kept() | joined({"memory": self.memory.state()}) | {"times": np.array(self.times)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().restore(arrays)
        self.memory.restore(part_of(arrays, "memory"))
        self.times = int(arrays["times"])


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
