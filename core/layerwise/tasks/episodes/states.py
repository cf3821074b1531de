"""The state of a gymnasium environment as arrays, so that a training goes on exactly where it was.

An environment may give its state itself: `get_state() -> dict[str, np.ndarray]` and `set_state(arrays)` of the
environment or of a wrapper around it. Otherwise it is what its attributes hold, as far as these are numbers, texts and
arrays; `can_be_restored` tries whether that is all there is to it. It is not for those that a physics engine moves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import gymnasium

PLAIN = "plain"
"""What is not an array, as JSON in UTF-8."""
_PLAIN_TYPES = (bool, int, float, str, type(None))
_TRIAL_STEPS = 30


def get_state(environment: gymnasium.Env) -> dict[str, np.ndarray]:
    """All that decides how an environment goes on."""
    plain: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for depth, layer in enumerate(_layers(environment)):
        if hasattr(layer, "get_state"):
            arrays |= {f"{depth}/own/{name}": array for name, array in layer.get_state().items()}
            continue
        for name, value in vars(layer).items():
            key = f"{depth}/attribute/{name}"
            if isinstance(value, _PLAIN_TYPES):
                plain[key] = value
            elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
                arrays[key] = np.asarray(value)
            elif isinstance(value, tuple) and value and all(isinstance(x, int | float) for x in value):
                arrays[f"{depth}/tuple/{name}"] = np.asarray(value)
    random = environment.unwrapped._np_random
    plain["random"] = None if random is None else random.bit_generator.state
    return {**arrays, PLAIN: np.frombuffer(json.dumps(plain).encode(), np.uint8)}


def set_state(environment: gymnasium.Env, state: dict[str, np.ndarray]) -> None:
    """Put an environment where another one of the same making was when `get_state` was asked."""
    layers = list(_layers(environment))
    plain = json.loads(state[PLAIN].tobytes())
    random = plain.pop("random")
    own: dict[int, dict[str, np.ndarray]] = {}
    for key, value in [*plain.items(), *((key, array) for key, array in state.items() if key != PLAIN)]:
        depth, sort, name = key.split("/", 2)
        layer = layers[int(depth)]
        if sort == "own":
            own.setdefault(int(depth), {})[name] = value
        elif sort == "tuple":
            setattr(layer, name, tuple(value.tolist()))
        elif isinstance(value, np.ndarray):
            setattr(layer, name, value[()] if value.ndim == 0 else value.copy())
        else:
            setattr(layer, name, value)
    for depth, arrays in own.items():
        layers[depth].set_state(arrays)
    if random is not None:
        environment.unwrapped.np_random.bit_generator.state = random


def can_be_restored(environment: gymnasium.Env) -> bool:
    """Whether an environment that is put back to a former state goes on as it did. It is played for that, and has to
    be reset afterwards."""
    environment.reset(seed=0)
    environment.action_space.seed(0)
    actions = [environment.action_space.sample() for _ in range(_TRIAL_STEPS)]
    _played(environment, actions[:5])
    try:
        state = get_state(environment)
        first = _played(environment, actions)
        set_state(environment, state)
        second = _played(environment, actions)
    except Exception:  # an environment is anybody's code
        return False
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def _played(environment: gymnasium.Env, actions: list[Any]) -> list[np.ndarray]:
    found = []
    for action in actions:
        observation, reward, terminated, truncated, _ = environment.step(action)
        if terminated or truncated:
            observation, _ = environment.reset()
        found.append(np.append(np.asarray(observation, "float64").ravel(), float(reward)))
    return found


def _layers(environment: gymnasium.Env) -> Any:
    """The wrappers of an environment from the outermost, and itself."""
    import gymnasium

    while isinstance(environment, gymnasium.Wrapper):
        yield environment
        environment = environment.env
    yield environment
