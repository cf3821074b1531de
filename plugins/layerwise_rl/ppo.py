"""Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347), from top to bottom.

The agent plays some steps in several environments; each step's advantage says how much better it went than the value
network had expected; then the policy is changed towards what went better, in several passes over these steps, each
action by no more than the clipped ratio allows. The next steps are played by the new policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from layerwise.optimizers import build_optimizer
from layerwise.tasks.episodes.acting import done, log_probabilities, sampled_actions, values
from layerwise_rl.training import AgentTraining, run

if TYPE_CHECKING:
    from layerwise.context import Context
    from layerwise_rl.settings import PPOConfig

ops: Any = keras.ops


def train(context: Context) -> None:
    """Train an agent by proximal policy optimisation: `ModelSpec.train`."""
    run(context, PPO)


class PPO(AgentTraining):
    """A training."""

    def __init__(self, context: Context) -> None:
        from layerwise import engines
        from layerwise.compilation import uses_xla

        super().__init__(context)
        config = self.config
        self.steps = len(self.environments) * config.rollout_steps
        self.batch_size = min(config.batch_size, self.steps)
        self.batches = self.steps // self.batch_size
        rounds = max(1, config.steps_per_epoch // self.steps)
        self.optimizer = build_optimizer(
            config, rounds * config.passes * self.batches, global_clipnorm=config.gradient_norm, epsilon=1e-5
        )
        objective = Objective(config, is_continuous=hasattr(self.environments.action_space, "low"))
        self.trainer = engines.current().Trainer(
            self.model,
            self.optimizer,
            objective.loss,
            objective.metrics,
            xla=uses_xla(self.model, config.compiler),
        )

    def round(self) -> tuple[int, Mapping[str, float]]:
        return self.steps, self._learn(*self._rollout())

    def _rollout(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Play `rollout_steps` in each environment. What was observed [steps * environments, ...], and of each of these
        the action, its log-probability, its advantage, the return, and the clip range."""
        environments, config, policy = self.environments, self.config, self.policy
        steps, count = config.rollout_steps, len(environments)
        observed = np.empty((steps, *environments.observations.shape), environments.observations.dtype)
        actions: list[np.ndarray] = []
        old = np.empty((steps, count), "float32")
        expected = np.empty((steps + 1, count), "float32")
        rewards, ended = np.empty((steps, count), "float32"), np.empty((steps, count), bool)
        for step in range(steps):
            observed[step] = environments.observations
            outputs = policy(environments.observations)
            chosen = sampled_actions(outputs, self.random)
            actions.append(chosen)
            old[step], expected[step] = log_probabilities(outputs, chosen), values(outputs)
            result = environments.step(done(chosen, environments.action_space))
            rewards[step], ended[step] = result.rewards, result.ended
            cut = [place for place in result.last if not result.terminated[place]]
            if cut:
                # An episode that was cut off would have gone on: what it would have brought is what is expected there.
                last = values(policy(np.stack([result.last[place] for place in cut])))
                rewards[step, cut] += config.discount * last
            self.course.count(environments.ended)
        expected[steps] = values(policy(environments.observations))
        advantages = advantages_of(rewards, expected, ended, config.discount, config.trace)
        clip = config.clip_range * (self.course.share_left if config.clip_falls else 1.0)
        targets = {
            "action": np.concatenate(actions),
            "old": old.reshape(-1),
            "advantage": advantages.reshape(-1),
            "return": (advantages + expected[:-1]).reshape(-1),
            "clip": np.full(steps * count, max(clip, 1e-3), "float32"),
        }
        return observed.reshape(-1, *observed.shape[2:]), targets

    def _learn(self, observed: np.ndarray, targets: dict[str, np.ndarray]) -> dict[str, float]:
        """Go through the steps several times, in batches of another order each time."""
        used = self.batches * self.batch_size
        order = np.concatenate(
            [
                self.random.permutation(len(observed))[:used].reshape(self.batches, self.batch_size)
                for _ in range(self.config.passes)
            ]
        ).astype("int32")
        return self.trainer.train(self.trainer.place(observed, targets), order, 0, len(order))


def advantages_of(
    rewards: np.ndarray, expected: np.ndarray, ended: np.ndarray, discount: float, trace: float
) -> np.ndarray:
    """How much better each step went than was expected (generalised advantage estimation, Schulman et al. 2016,
    arXiv:1506.02438, eq. 16).

    Args:
        rewards: [steps, environments].
        expected: The values, [steps + 1, environments].
        ended: Whether the episode ended with a step, [steps, environments].
        discount, trace: Gamma and lambda.

    Returns:
        Float32 [steps, environments].

    Example:
        >>> one = np.ones([2, 1])
        >>> advantages_of(one, np.zeros([3, 1]), one > 1, discount=0.5, trace=1.0).tolist()
        [[1.5], [1.0]]
    """
    goes_on = 1.0 - ended
    errors = rewards + discount * expected[1:] * goes_on - expected[:-1]
    found = np.empty_like(errors)
    following = np.zeros(rewards.shape[1])
    for step in reversed(range(len(rewards))):
        following = errors[step] + discount * trace * goes_on[step] * following
        found[step] = following
    return found.astype("float32")


class Objective:
    """The loss and what is watched beside it: functions `(targets, outputs) -> scalar` in `keras.ops`.

    Args:
        is_continuous: Whether actions are numbers.
    """

    def __init__(self, config: PPOConfig, *, is_continuous: bool) -> None:
        self.config, self.is_continuous = config, is_continuous

    @property
    def metrics(self) -> dict[str, Callable]:
        """By name."""
        names = ("policy_loss", "value_loss", "entropy", "divergence", "clipped_share")
        return {name: getattr(self, name) for name in names}

    def loss(self, targets: Any, outputs: Any) -> Any:
        """Equation 9 of the paper, with the other sign."""
        total = self.policy_loss(targets, outputs) + self.config.value_weight * self.value_loss(targets, outputs)
        return total - self.config.entropy_bonus * self.entropy(targets, outputs)

    def policy_loss(self, targets: Any, outputs: Any) -> Any:
        """Equation 7, with the other sign and advantages of one size in each batch."""
        advantage = targets["advantage"]
        advantage = (advantage - ops.mean(advantage)) / (ops.std(advantage) + 1e-8)
        clip, change = targets["clip"], self._ratio(targets, outputs)
        clipped = ops.minimum(ops.maximum(change, 1 - clip), 1 + clip)
        return -ops.mean(ops.minimum(change * advantage, clipped * advantage))

    def value_loss(self, targets: Any, outputs: Any) -> Any:
        return ops.mean(ops.square(outputs["value"][:, 0] - targets["return"]))

    def entropy(self, targets: Any, outputs: Any) -> Any:
        if self.is_continuous:
            return ops.mean(ops.sum(outputs["spread"] + 0.5 * np.log(2 * np.pi * np.e), axis=1))
        logs = ops.log_softmax(outputs["policy"], axis=-1)
        return -ops.mean(ops.sum(ops.exp(logs) * logs, axis=-1))

    def divergence(self, targets: Any, outputs: Any) -> Any:
        """How far the policy is from the one that played: an estimate that is unbiased and never negative (Schulman
        2020, "Approximating KL Divergence")."""
        change = self._log_probability(targets, outputs) - targets["old"]
        return ops.mean(ops.exp(change) - 1 - change)

    def clipped_share(self, targets: Any, outputs: Any) -> Any:
        outside = ops.abs(self._ratio(targets, outputs) - 1) > targets["clip"]
        return ops.mean(ops.cast(outside, "float32"))

    def _ratio(self, targets: Any, outputs: Any) -> Any:
        return ops.exp(self._log_probability(targets, outputs) - targets["old"])

    def _log_probability(self, targets: Any, outputs: Any) -> Any:
        if self.is_continuous:
            spread = outputs["spread"]
            distance = (targets["action"] - outputs["policy"]) / ops.exp(spread)
            return ops.sum(-0.5 * ops.square(distance) - spread - 0.5 * np.log(2 * np.pi), axis=1)
        chosen = ops.one_hot(ops.cast(targets["action"], "int32"), outputs["policy"].shape[-1])
        return ops.sum(ops.log_softmax(outputs["policy"], axis=-1) * chosen, axis=-1)
