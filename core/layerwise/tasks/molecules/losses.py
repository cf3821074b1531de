"""What an ensemble learns by, in `keras.ops`: the mean over its members, without the labels that nobody knows (NaN)."""

from __future__ import annotations

from typing import Any

from layerwise.tasks.molecules.predictions import LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE

VARIANCE_SHARE = 0.1
"""How much the likelihood counts beside the squared error."""


def number_loss(targets: Any, outputs: Any) -> Any:
    """The squared error of the mean, and the negative logarithm of the normal likelihood, of which only the variance
    learns: otherwise members excuse what they cannot explain by a large variance (Stirn et al. 2023, "Faithful
    heteroscedastic regression", arXiv:2212.09184).

    Args:
        targets: Standardised, [examples, targets], NaN where nobody knows.
        outputs: [examples, members, targets, 2].
    """
    from keras import ops

    wanted, known = _known(targets)
    squared: Any = ops.square(outputs[..., 0] - wanted)
    log_variance: Any = ops.clip(outputs[..., 1], LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)
    inverse: Any = ops.exp(-log_variance)
    likelihood = log_variance + ops.stop_gradient(squared) * inverse
    return _mean(0.5 * squared + 0.5 * VARIANCE_SHARE * likelihood, known)


def yes_no_loss(targets: Any, outputs: Any) -> Any:
    """The cross-entropy of yes and no, in nats.

    Args:
        targets: 0 or 1, [examples, targets], NaN where nobody knows.
        outputs: Logits [examples, members, targets].
    """
    from keras import ops

    wanted, known = _known(targets)
    logits: Any = ops.convert_to_tensor(outputs)
    return _mean(ops.softplus(logits) - wanted * logits, known)


def absolute_error(targets: Any, outputs: Any) -> Any:
    """The mean absolute error of the ensemble's mean, of standardised targets."""
    from keras import ops

    wanted, known = _known(targets)
    errors = ops.abs(ops.mean(outputs[..., 0], axis=1, keepdims=True) - wanted)
    return _mean(errors, known)


def right_share(targets: Any, outputs: Any) -> Any:
    """The share of labels that the mean of the members' logits guesses."""
    from keras import ops

    wanted, known = _known(targets)
    guesses = ops.cast(ops.greater(ops.mean(outputs, axis=1, keepdims=True), 0), "float32")
    return _mean(ops.cast(ops.equal(guesses, wanted), "float32"), known)


def _known(targets: Any) -> tuple[Any, Any]:
    """Targets [examples, 1, targets] with 0 where nobody knows, and 1 where somebody does."""
    from keras import ops

    wanted: Any = ops.expand_dims(ops.cast(targets, "float32"), 1)
    known = ops.logical_not(ops.isnan(wanted))
    return ops.where(known, wanted, ops.zeros_like(wanted)), ops.cast(known, "float32")


def _mean(values: Any, known: Any) -> Any:
    """The mean of values [examples, members, targets] that are known, over all members."""
    from keras import ops

    weights: Any = known * ops.ones_like(values)
    total: Any = ops.sum(values * weights)
    return total / ops.maximum(ops.sum(weights), 1.0)
