"""The optimizer and the learning-rate schedule that a config describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from layerwise.config import TrainingConfig


def learning_rate_schedule(config: TrainingConfig, steps_per_epoch: int) -> Any:
    """The learning rate by step: a linear warm-up from zero over `warmup_epochs`, then constant, or falling to
    zero at the last step along a line or half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts).

    Returns:
        A float, or a `keras.optimizers.schedules.LearningRateSchedule`.
    """
    from keras.optimizers import schedules

    total = config.num_epochs * steps_per_epoch
    warmup = min(round(config.warmup_epochs * steps_per_epoch), total - 1)
    if config.schedule == "constant" and warmup == 0:
        return config.learning_rate
    if config.schedule == "cosine":
        return schedules.CosineDecay(
            0.0 if warmup else config.learning_rate,
            max(total - warmup, 1),
            warmup_target=config.learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    return _piecewise_linear(config.learning_rate, warmup, total, falls=config.schedule == "linear")


def _piecewise_linear(peak: float, warmup: int, total: int, *, falls: bool) -> Any:
    import keras
    from keras import ops

    class PiecewiseLinear(keras.optimizers.schedules.LearningRateSchedule):
        """Up from zero during the warm-up, then level or down to zero at the last step."""

        def __call__(self, step: Any) -> Any:
            step = ops.cast(step, "float32")
            rising = step / max(warmup, 1) if warmup else ops.ones_like(step)
            falling = (total - step) / max(total - warmup, 1) if falls else ops.ones_like(step)
            share: Any = ops.clip(ops.minimum(rising, falling), 0.0, 1.0)
            return peak * share

        def get_config(self) -> dict[str, Any]:
            return {"peak": peak, "warmup": warmup, "total": total, "falls": falls}

    return PiecewiseLinear()


def build_optimizer(
    config: TrainingConfig, steps_per_epoch: int, *, global_clipnorm: float | None = None, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """The optimizer of `config`, with loss scaling when the computation is in float16.

    Args:
        global_clipnorm: Gradients whose norm over all variables is larger are made as short as that.
        epsilon: Added to the divisor of adam, adamw and rmsprop.
    """
    import keras

    rate = learning_rate_schedule(config, steps_per_epoch)
    clip: dict[str, Any] = {"global_clipnorm": global_clipnorm}
    if config.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, epsilon=epsilon, **clip)
    elif config.optimizer == "sgd":
        decay = config.weight_decay or None
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay, **clip)
    elif config.optimizer == "rmsprop":
        optimizer = keras.optimizers.RMSprop(rate, epsilon=epsilon, **clip)
    else:
        optimizer = keras.optimizers.Adam(rate, epsilon=epsilon, **clip)
    if keras.config.dtype_policy().name == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def current_learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate of the step that comes next."""
    from keras import ops

    inner: Any = getattr(optimizer, "inner_optimizer", optimizer)
    rate: Any = ops.convert_to_numpy(inner.learning_rate)
    return float(rate)
