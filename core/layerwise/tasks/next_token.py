"""Loss and accuracy of networks that say which token follows each. Places whose target is PAD do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def token_cross_entropy(smoothing: float) -> Callable:
    """The mean over tokens of the cross-entropy in nats: `(targets, logits) -> scalar`, of tokens int
    [examples, length] and logits [examples, length, tokens].

    Args:
        smoothing: Share of the target that is spread over all tokens (Szegedy et al. 2016, arXiv:1512.00567).
    """

    def loss(targets: Any, logits: Any) -> Any:
        from keras import ops

        targets = ops.cast(targets, "int32")
        # The log-probabilities of all tokens would be another array as large as the logits.
        whole: Any = ops.logsumexp(logits, axis=-1)
        right: Any = ops.take_along_axis(logits, targets[..., None], axis=-1)
        spread: Any = ops.mean(logits, axis=-1)
        return _mean_of_tokens(whole - (1 - smoothing) * right[..., 0] - smoothing * spread, targets)

    return loss


def token_accuracy(targets: Any, logits: Any) -> Any:
    """The share of tokens that were thought of first."""
    from keras import ops

    targets = ops.cast(targets, "int32")
    hits = ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), targets)
    return _mean_of_tokens(ops.cast(hits, "float32"), targets)


def _mean_of_tokens(values: Any, tokens: Any) -> Any:
    """The mean of numbers [examples, length] over the places that have a token."""
    from keras import ops

    counts: Any = ops.cast(ops.not_equal(tokens, 0), values.dtype)
    total: Any = ops.sum(values * counts)
    return total / ops.maximum(ops.sum(counts), 1)
