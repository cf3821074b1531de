"""From what a network gives to what is done.

A network that chooses among actions gives "policy", logits [examples, actions], or "action_values", the return that it
expects of each action [examples, actions]. One whose actions are numbers gives "policy", the means of normal
distributions [examples, numbers], and "spread", the logarithms of their standard deviations. "value" [examples, 1] is
the return that it expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from layerwise.from_scratch.losses import log_softmax

Outputs = Mapping[str, np.ndarray]


def is_continuous(outputs: Outputs) -> bool:
    """Whether actions are numbers."""
    return "spread" in outputs


def probabilities(outputs: Outputs) -> np.ndarray:
    """Of each action, [examples, actions]. Where a network gives values, all to the action of the highest one."""
    if "action_values" in outputs:
        values = outputs["action_values"]
        return np.eye(values.shape[1], dtype="float32")[values.argmax(axis=1)]
    return np.exp(log_softmax(outputs["policy"]))


def values(outputs: Outputs) -> np.ndarray:
    """The return that is expected, [examples]."""
    if "action_values" in outputs:
        return outputs["action_values"].max(axis=1)
    return outputs["value"][:, 0]


def best_actions(outputs: Outputs) -> np.ndarray:
    """What the network thinks best: numbers of actions [examples], or [examples, numbers]."""
    if is_continuous(outputs):
        return outputs["policy"]
    return outputs["action_values" if "action_values" in outputs else "policy"].argmax(axis=1)


def sampled_actions(outputs: Outputs, random: np.random.Generator) -> np.ndarray:
    """Actions drawn as the network gives their probabilities, as `best_actions`; the best where it gives values."""
    if "action_values" in outputs:
        return best_actions(outputs)
    policy = outputs["policy"]
    if is_continuous(outputs):
        return policy + np.exp(outputs["spread"]) * random.standard_normal(policy.shape, "float32")
    # The greatest of logits with Gumbel noise is a sample (Maddison et al. 2014, "A* Sampling").
    return (policy + random.gumbel(size=policy.shape)).argmax(axis=1)


def log_probabilities(outputs: Outputs, actions: np.ndarray) -> np.ndarray:
    """Of the actions that were done, or their log-densities: float32 [examples]."""
    if is_continuous(outputs):
        spread = outputs["spread"]
        distance = (actions - outputs["policy"]) / np.exp(spread)
        return (-0.5 * np.square(distance) - spread - 0.5 * np.log(2 * np.pi)).sum(axis=1).astype("float32")
    return np.take_along_axis(log_softmax(outputs["policy"]), actions[:, None], axis=1)[:, 0].astype("float32")


def done(actions: np.ndarray, space: Any) -> np.ndarray:
    """Actions as an environment takes them: numbers within its limits."""
    if hasattr(space, "low"):
        return np.clip(actions, space.low, space.high).astype(space.dtype)
    return actions + getattr(space, "start", 0)
