"""The networks of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

ops: Any = keras.ops

if TYPE_CHECKING:
    from layerwise.tasks import Control


@keras.saving.register_keras_serializable("layerwise_rl")
class Spread(layers.Layer):
    """The logarithms of the standard deviations of actions [examples, numbers]: learned, and the same whatever is
    observed.

    Args:
        size: How many numbers an action has.
    """

    def __init__(self, size: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.size = size

    def build(self, input_shape: Any) -> None:
        self.spread = self.add_weight(shape=(self.size,), initializer="zeros", name="spread")

    def call(self, inputs: Any) -> Any:
        return ops.zeros_like(inputs[:, :1]) + self.spread

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape[0], self.size

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


def actor_critic(task: Control, hidden_layers: tuple[int, ...], activation: str = "tanh") -> keras.Model:
    """Two dense networks side by side, for what to do and for the return that is expected; orthogonal at the beginning,
    with small numbers in the last layer of the policy (Andrychowicz et al. 2021, "What Matters in On-Policy
    Reinforcement Learning?", arXiv:2006.05990)."""
    shape, actions, is_continuous = spaces_of(task)
    observed = keras.Input(shape, name="observation")
    flat = layers.Flatten(name="flat")(observed) if len(shape) != 1 else observed
    policy, value = (_dense(flat, hidden_layers, activation, name) for name in ("policy", "value"))
    outputs = {
        "policy": layers.Dense(actions, kernel_initializer=_orthogonal(0.01), dtype="float32", name="policy")(policy),
        "value": layers.Dense(1, kernel_initializer=_orthogonal(1.0), dtype="float32", name="value")(value),
    }
    if is_continuous:
        outputs["spread"] = Spread(actions, dtype="float32", name="spread")(outputs["policy"])
    return keras.Model(observed, outputs, name="actor_critic")


def seeing_actor_critic(
    task: Control, filters: tuple[int, ...], hidden_units: int, padding: str = "same"
) -> keras.Model:
    """Convolutions that halve a picture [height, width, pictures] of bytes one after another, a dense layer, and two
    outputs: the network of Mnih et al. 2015 for smaller pictures.

    Args:
        padding: Of the convolutions, "same" or "valid". With the latter nothing is seen of the last rows and columns,
            where a game may have its paddle.
    """
    shape, actions, _ = spaces_of(task)
    observed = keras.Input(shape, dtype="uint8", name="observation")
    x: Any = layers.Rescaling(1 / 255, name="scaled")(observed)
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(
            count,
            5 if number == 1 else 3,
            strides=2,
            padding=padding,
            activation="relu",
            kernel_initializer=_orthogonal(2**0.5),
            name=f"look_{number}",
        )(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(hidden_units, activation="relu", kernel_initializer=_orthogonal(2**0.5), name="hidden")(x)
    outputs = {
        "policy": layers.Dense(actions, kernel_initializer=_orthogonal(0.01), dtype="float32", name="policy")(x),
        "value": layers.Dense(1, kernel_initializer=_orthogonal(1.0), dtype="float32", name="value")(x),
    }
    return keras.Model(observed, outputs, name="seeing_actor_critic")


def action_values(task: Control, hidden_layers: tuple[int, ...]) -> keras.Model:
    """A dense network that gives the return that is expected of each action.

    Raises:
        InputError: Actions are numbers.
    """
    from layerwise.errors import InputError

    shape, actions, is_continuous = spaces_of(task)
    if is_continuous:
        raise InputError(
            f"Deep Q-learning cannot choose the actions of {task.environment}, which are numbers",
            expected="an environment with a few actions",
            remedy="train the variant ppo",
        )
    observed = keras.Input(shape, name="observation")
    x: Any = layers.Flatten(name="flat")(observed) if len(shape) != 1 else observed
    for number, units in enumerate(hidden_layers, start=1):
        x = layers.Dense(units, activation="relu", name=f"hidden_{number}")(x)
    values = layers.Dense(actions, dtype="float32", name="action_values")(x)
    return keras.Model(observed, {"action_values": values}, name="action_values")


def spaces_of(task: Control) -> tuple[tuple[int, ...], int, bool]:
    """The shape of an observation; how many actions there are, or numbers in one; and whether these are numbers."""
    environment = task.make()
    try:
        actions: Any = environment.action_space
        is_continuous = hasattr(actions, "low")
        count = actions.shape[0] if is_continuous else int(actions.n)
        return tuple(environment.observation_space.shape or ()), count, is_continuous
    finally:
        environment.close()


def _dense(x: Any, hidden_layers: tuple[int, ...], activation: str, name: str) -> Any:
    for number, units in enumerate(hidden_layers, start=1):
        x = layers.Dense(
            units, activation=activation, kernel_initializer=_orthogonal(2**0.5), name=f"{name}_hidden_{number}"
        )(x)
    return x


def _orthogonal(gain: float) -> Any:
    return keras.initializers.Orthogonal(gain)
