"""What a network of Go learns: which moves are worth a look, who wins, and whose each point will be."""

from __future__ import annotations

from typing import Any

import keras

ops: Any = keras.ops

OWNER_WEIGHT = 0.3
"""Weight of whose each point will be, in the loss."""


def policy_loss(targets: Any, outputs: Any) -> Any:
    """How far what it thinks at once is from what the search found, in nats."""
    logs = ops.log_softmax(outputs["policy"], axis=-1)
    wanted = targets["policy"]
    # Without what no network could do better: the entropy of what is wanted.
    entropy = -ops.sum(wanted * ops.log(ops.maximum(wanted, 1e-9)), axis=-1)
    return ops.mean(-ops.sum(wanted * logs, axis=-1) - entropy)


def value_loss(targets: Any, outputs: Any) -> Any:
    """Of who wins, in nats."""
    return ops.mean(_cross_entropy(outputs["value"][:, 0], targets["value"]))


def owner_loss(targets: Any, outputs: Any) -> Any:
    """Of whose each point will be, in nats, the mean over points."""
    return ops.mean(_cross_entropy(outputs["ownership"], targets["owner"]))


def loss(targets: Any, outputs: Any) -> Any:
    """All three."""
    return policy_loss(targets, outputs) + value_loss(targets, outputs) + OWNER_WEIGHT * owner_loss(targets, outputs)


METRICS = {"policy_loss": policy_loss, "value_loss": value_loss, "owner_loss": owner_loss}


def loss_of_games(targets: Any, outputs: Any) -> Any:
    """The same for positions of other players' games, whose move is what is wanted.

    Args:
        targets: As `layerwise_rl.go.collection` packs them.
    """
    move, win, owner = _unpacked(targets)
    logs = ops.log_softmax(outputs["policy"], axis=-1)
    wanted = ops.one_hot(move, logs.shape[-1])
    policy = -ops.mean(ops.sum(wanted * logs, axis=-1))
    value = _mean_of_known(_cross_entropy(outputs["value"][:, 0], win), win)
    return policy + value + OWNER_WEIGHT * _mean_of_known(_cross_entropy(outputs["ownership"], owner), owner)


def move_accuracy(targets: Any, outputs: Any) -> Any:
    """How often the move that was played is the one that it thinks of first."""
    move, _, _ = _unpacked(targets)
    return ops.mean(ops.cast(ops.equal(ops.argmax(outputs["policy"], axis=-1), move), "float32"))


def winner_accuracy(targets: Any, outputs: Any) -> Any:
    """How often it says who wins, of the positions where that is known."""
    _, win, _ = _unpacked(targets)
    return _mean_of_known(ops.cast(ops.equal(outputs["value"][:, 0] > 0, win > 0.5), "float32"), win)


def _unpacked(targets: Any) -> tuple[Any, Any, Any]:
    return ops.cast(targets[:, 0], "int32"), targets[:, 1], targets[:, 2:]


def _mean_of_known(values: Any, targets: Any) -> Any:
    known = ops.cast(targets >= 0, "float32")
    return ops.sum(values * known) / ops.maximum(ops.sum(known), 1.0)


def _cross_entropy(logits: Any, shares: Any) -> Any:
    return ops.maximum(logits, 0.0) - logits * shares + ops.log1p(ops.exp(-ops.abs(logits)))
