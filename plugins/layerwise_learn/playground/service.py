"""What the page asks of the server. JSON goes in and comes out, and nothing is kept in between.

A state is {"config", "step", "parameters", "slots", "slot_step"}. Parameters and slots are float64 as base64: those in
the order of `DenseNetwork.parameters`, these (what the optimizer remembers) one after the other; empty slots start the
optimizer anew. What comes from a page may have been made up: shapes, sizes and the time of a call have limits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from layerwise.config import config_from
from layerwise.errors import InputError
from layerwise.from_scratch.descent import OPTIMIZERS, Memory
from layerwise_learn.answers import answering
from layerwise_learn.playground.config import PlaygroundConfig
from layerwise_learn.playground.csv_file import read_csv
from layerwise_learn.playground.data import encode_points
from layerwise_learn.playground.export import export_zip
from layerwise_learn.playground.frame import feature_maps, frame_of
from layerwise_learn.playground.training import LIMIT, Batches, Training

MAX_STEPS = 1000
FRAME_SECONDS, CALL_SECONDS = 0.01, 0.1
"""What the steps of a frame may take: with steps as many as fit, and with a given number of them."""
_MOST_STEPS_EVER = 2**31
_MICROSCOPE_EXAMPLES = 4


@answering
def begin(request: Mapping[str, Any]) -> dict[str, Any]:
    """A new network for {"config"}: its state, its first frame, and what stays as it is while it learns: the "points"
    as [x, y, target, whether for the test], the "features" as maps and the "shape" of the network.
    """
    return _opened(Training.start(_config(request)))


@answering
def resume(request: Mapping[str, Any]) -> dict[str, Any]:
    """As `begin`, for a {"state"} that a page has kept."""
    return _opened(_training(request))


@answering
def advance(request: Mapping[str, Any]) -> dict[str, Any]:
    """The {"state"} after {"steps"} steps, or "auto": as many as a smooth picture leaves time for."""
    training, steps = _training(request), request.get("steps")
    if steps == "auto":
        return _shown(training.advance(MAX_STEPS, FRAME_SECONDS))
    return _shown(training.advance(_whole(steps, "steps", MAX_STEPS), CALL_SECONDS))


@answering
def read_points(request: Mapping[str, Any]) -> dict[str, Any]:
    """The points of a CSV file, {"text", "config"}, as the text that goes into a config."""
    text, config = request.get("text"), _config(request)
    if not isinstance(text, str):
        raise InputError("The file cannot be read", expected="a text")
    table = read_csv(text, is_regression=config.dataset.is_regression)
    points = encode_points(table.points, table.targets, is_regression=config.dataset.is_regression)
    return {"points": points, "labels": table.labels, "remark": table.remark}


@answering
def export(request: Mapping[str, Any]) -> dict[str, Any]:
    """The network of {"state"} as a zip of Keras code and weights, base64."""
    training = _training(request)
    return {"name": "playground.zip", "zip": base64.b64encode(export_zip(training.config, training.network)).decode()}


@answering
def microscope(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the microscope needs to look at the next step of {"state"}: the network and a few points of its batch."""
    training = _training(request)
    network, config = training.network, training.config
    inputs, targets = Batches(config, training.steps_per_epoch).of(training.num_steps)
    return {
        "config": _plain(config),
        "weights": [weights.tolist() for weights in network.weights],
        "biases": [biases.tolist() for biases in network.biases],
        "activations": list(network.activations),
        "output_activation": network.output_activation,
        "inputs": inputs[:_MICROSCOPE_EXAMPLES].tolist(),
        "targets": targets[:_MICROSCOPE_EXAMPLES].tolist(),
        "loss": config.loss,
        "learning_rate": config.learning_rate,
    }


def _opened(training: Training) -> dict[str, Any]:
    points = training.config.split
    columns = np.column_stack([points.inputs, points.targets]).round(4).tolist()
    return {
        **_shown(training),
        "points": [[*row, int(is_test)] for row, is_test in zip(columns, points.is_test, strict=True)],
        "features": feature_maps(training.config),
        "sizes": training.config.sizes,
    }


def _shown(training: Training) -> dict[str, Any]:
    state = {
        "config": _plain(training.config),
        "step": training.num_steps,
        "parameters": _text(training.network.parameters),
        "slots": _text(np.concatenate([*training.memory.slots, []])),
        "slot_step": training.memory.num_steps,
    }
    return {"state": state, "frame": frame_of(training), "diverged": training.has_diverged}


def _config(request: Mapping[str, Any]) -> PlaygroundConfig:
    values = request.get("config")
    if not isinstance(values, Mapping):
        raise InputError("The choices cannot be read", expected="an object")
    return config_from(PlaygroundConfig, values)


def _plain(config: PlaygroundConfig) -> dict[str, Any]:
    return {**vars(config), "units": list(config.units)}


def _training(request: Mapping[str, Any]) -> Training:
    state = request.get("state")
    if not isinstance(state, Mapping):
        raise InputError("The state cannot be read", expected="an object")
    config = _config(state)
    rule = OPTIMIZERS[config.optimizer]
    fresh = Training.start(config)
    count = len(fresh.network.parameters)
    slots = state.get("slots")
    if slots == "":
        memory = fresh.memory
    else:
        arrays = np.split(_numbers(slots, "slots", count * len(rule.slots)), len(rule.slots)) if rule.slots else ()
        memory = Memory(slots=tuple(arrays), num_steps=_whole(state.get("slot_step"), "slot_step", _MOST_STEPS_EVER))
    return Training(
        config=config,
        network=fresh.network.with_parameters(_numbers(state.get("parameters"), "parameters", count)),
        memory=memory,
        num_steps=_whole(state.get("step"), "step", _MOST_STEPS_EVER),
    )


def _text(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.astype("<f8").tobytes()).decode()


def _numbers(text: Any, what: str, count: int) -> np.ndarray:
    try:
        if not isinstance(text, str) or len(text) > 12 * count + 4:
            raise ValueError
        numbers = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8")
    except (binascii.Error, ValueError):
        numbers = np.empty(0)
    if len(numbers) != count or not np.all(np.abs(numbers) < LIMIT):
        raise InputError(f"The {what} do not fit the network", expected=f"{count} finite numbers as base64")
    return numbers


def _whole(value: Any, what: str, maximum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= maximum:
        raise InputError(
            f"{what} is not usable", expected=f"a whole number from 0 to {maximum}", received=repr(value)[:60]
        )
    return value
