"""Dense networks, built from `keras.layers` only, so that every backend trains the same network."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from layerwise.activations import ACTIVATIONS, GLOROT, Activation
from layerwise.errors import SpecError

if TYPE_CHECKING:
    import keras


OUTPUT_ACTIVATIONS = ("linear", "softmax", "sigmoid")
"""What can follow the last layer: nothing (logits, or values of a regression), or probabilities."""

NORMALIZATIONS = ("none", "batch", "layer")


def dense_network(
    input_shape: Sequence[int],
    hidden_units: Sequence[int],
    *,
    output_units: int,
    activation: str | Sequence[str] = "relu",
    output_activation: str | None = None,
    initializer: str = "auto",
    normalization: str = "none",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    skip_connections: bool = False,
    scale: float = 1.0,
    dtype: str | None = None,
    preprocessing: Iterable[keras.layers.Layer] = (),
    name: str = "dense_network",
) -> keras.Model:
    """A network of dense layers of any depth.

    Hidden layer i (from 1) is `dense_i`, `norm_i`, `activation_i`, `dropout_i`, `skip_i`, of which those that
    were not asked for are absent; the last layer is `output`. Before them come `input`, `scale` (when not 1)
    and `flatten` (for inputs of more than one dimension). Weights follow the seed that
    `keras.utils.set_random_seed` has set.

    Args:
        input_shape: The shape of one example, without the batch: `(28, 28)`.
        hidden_units: The width of each hidden layer; empty makes a linear model.
        output_units: The number of outputs: classes, or values.
        activation: A name from `ACTIVATIONS` for all hidden layers, or one for each.
        output_activation: None or "linear" for logits or plain values, "softmax", "sigmoid".
        initializer: Of the kernels: "auto" takes the one that suits each layer's activation (He for ReLU and its
            kind, Glorot for saturating and linear ones, LeCun for SELU), else the name of a Keras initializer.
        normalization: "none", "batch" or "layer", between a dense layer and its activation. Under "batch" the
            hidden dense layers have no bias, as the normalization would subtract it again.
        dropout: The fraction of each hidden layer's outputs that a training step zeroes, in [0, 1). After SELU
            it is alpha dropout, which keeps mean and variance.
        l1, l2: Penalties on all kernels (never on biases): l1 * sum(|w|) + l2 * sum(w^2).
        skip_connections: Whether the input of each hidden layer is added to its result,
            y = x + dropout(activation(norm(dense(x)))). Where the two widths differ, x passes through a linear
            projection without bias, `projection_i`.
        scale: What the inputs are multiplied with, such as 1/255 for pixels.
        dtype: "float32", "float64" or a Keras dtype policy; None is Keras' current policy. Under a mixed policy
            the last layer computes in float32, as Keras advises.
        preprocessing: Layers that the inputs pass through after `scale`, such as augmentation that acts in
            training only; the shape must stay the same.
        name: The name of the model.

    Returns:
        A functional Keras model, `[batch, *input_shape]` to `[batch, output_units]`.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> dense_network((28, 28), (128, 64), output_units=10).count_params()
        109386
    """
    input_shape = _sizes("input_shape", input_shape)
    hidden_units = _sizes("hidden_units", hidden_units)
    output_units = _size("output_units", output_units, "a whole number of at least 1")
    if not input_shape:
        raise SpecError("input_shape is empty", expected="at least one dimension", remedy="give (1,) for one number")
    activations = _per_layer(activation, len(hidden_units))
    output_activation = _one_of("output_activation", output_activation or "linear", OUTPUT_ACTIVATIONS)
    _one_of("normalization", normalization, NORMALIZATIONS)
    _in_range("dropout", dropout, "a fraction from 0 to less than 1", lambda value: 0 <= value < 1)
    _in_range("l1", l1, "a number that is not negative", lambda value: 0 <= value < float("inf"))
    _in_range("l2", l2, "a number that is not negative", lambda value: 0 <= value < float("inf"))
    _in_range("scale", scale, "a number other than 0", lambda value: 0 < abs(value) < float("inf"))

    import keras

    policy = _policy(dtype)
    layers = _Layers(policy=policy, initializer=initializer, l1=l1, l2=l2)
    inputs = x = keras.Input(input_shape, name="input", dtype=policy.variable_dtype)
    if scale != 1:
        x = keras.layers.Rescaling(scale, name="scale", dtype=policy)(x)
    for layer in preprocessing:
        x = layer(x)
    if len(input_shape) > 1:
        x = keras.layers.Flatten(name="flatten", dtype=policy)(x)
    for index, (units, function) in enumerate(zip(hidden_units, activations, strict=True), start=1):
        y = layers.hidden(x, index, units, function, normalization=normalization, dropout=dropout)
        x = layers.skip(x, y, index) if skip_connections else y
    # Float32 under a mixed policy: a sum of exponentials (softmax, cross-entropy) needs the digits.
    output = layers.dense(output_units, "output", GLOROT, activation=output_activation, dtype=policy.variable_dtype)
    return keras.Model(inputs, output(x), name=name)


@dataclass(frozen=True, kw_only=True)
class _Layers:
    """Makes the layers of one network, which share a dtype policy, an initializer and penalties."""

    policy: keras.DTypePolicy
    initializer: str
    l1: float
    l2: float

    def dense(self, units: int, name: str, suited: str, **options: Any) -> keras.layers.Layer:
        """A dense layer; `suited` is the initializer that "auto" stands for."""
        import keras

        penalty = keras.regularizers.L1L2(l1=self.l1, l2=self.l2) if self.l1 or self.l2 else None
        return keras.layers.Dense(
            units,
            # One object for each layer: a shared one would give equal weights to layers of equal shape.
            kernel_initializer=_initializer(suited if self.initializer == "auto" else self.initializer),
            kernel_regularizer=penalty,
            name=name,
            **{"dtype": self.policy, **options},
        )

    def hidden(
        self, x: Any, index: int, units: int, function: Activation, *, normalization: str, dropout: float
    ) -> Any:
        """dropout(activation(norm(dense(x)))) of hidden layer `index`."""
        import keras

        x = self.dense(units, f"dense_{index}", function.initializer, use_bias=normalization != "batch")(x)
        if normalization == "batch":
            x = keras.layers.BatchNormalization(name=f"norm_{index}", dtype=self.policy)(x)
        elif normalization == "layer":
            x = keras.layers.LayerNormalization(name=f"norm_{index}", dtype=self.policy)(x)
        x = keras.layers.Activation(function.name, name=f"activation_{index}", dtype=self.policy)(x)
        if dropout:
            kind = keras.layers.AlphaDropout if function.name == "selu" else keras.layers.Dropout
            x = kind(dropout, name=f"dropout_{index}", dtype=self.policy)(x)
        return x

    def skip(self, x: Any, y: Any, index: int) -> Any:
        """x + y, with x projected to the width of y where they differ (He et al. 2016, arXiv:1512.03385, 3.2 B)."""
        import keras

        if x.shape[-1] != y.shape[-1]:
            x = self.dense(y.shape[-1], f"projection_{index}", GLOROT, use_bias=False)(x)
        return keras.layers.Add(name=f"skip_{index}", dtype=self.policy)([x, y])


def _policy(dtype: str | None) -> keras.DTypePolicy:
    import keras

    if dtype is None:
        return keras.config.dtype_policy()
    try:
        policy = keras.DTypePolicy(dtype)
    except (ValueError, TypeError):
        policy = None
    if policy is None or "float" not in policy.compute_dtype:
        raise SpecError(
            "dtype is not known",
            expected='"float32", "float64", "mixed_bfloat16" or another policy of Keras for floating point',
            received=repr(dtype),
        )
    return policy


def _initializer(name: str) -> Any:
    import keras

    try:
        return keras.initializers.get(name)
    except (ValueError, TypeError):
        raise SpecError(
            "initializer is not known",
            expected='"auto" or the name of a Keras initializer, such as he_normal, glorot_uniform, orthogonal',
            received=repr(name),
        ) from None


def _per_layer(activation: str | Sequence[str], depth: int) -> tuple[Activation, ...]:
    if isinstance(activation, str):
        _one_of("activation", activation, ACTIVATIONS)  # a typing error counts without hidden layers too
        activation = (activation,) * depth
    if not isinstance(activation, Sequence) or len(activation) != depth:
        raise SpecError(
            "activation does not fit hidden_units",
            expected=f"one name, or a sequence of one for each hidden layer ({depth})",
            received=repr(activation),
        )
    return tuple(ACTIVATIONS[_one_of("activation", name, ACTIVATIONS)] for name in activation)


def _one_of(what: str, name: Any, allowed: Iterable[str]) -> str:
    names = tuple(allowed)
    if name in names:
        return name
    close = difflib.get_close_matches(str(name).lower(), names)
    raise SpecError(
        f"{what} is not known",
        expected=f"one of {', '.join(names)}",
        received=repr(name),
        remedy=f"did you mean {' or '.join(close)}?" if close else None,
    )


def _sizes(what: str, values: Any) -> tuple[int, ...]:
    expected = "whole numbers of at least 1, as in (128, 64)"
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise SpecError(f"{what} is not usable", expected=expected, received=repr(values))
    return tuple(_size(what, value, expected) for value in values)


def _size(what: str, value: Any, expected: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise SpecError(f"{what} is not usable", expected=expected, received=repr(value))
    return int(value)


def _in_range(what: str, value: Any, expected: str, holds: Callable[[float], bool]) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not holds(float(value)):
        raise SpecError(f"{what} is out of range", expected=expected, received=repr(value))
