"""What the page draws of a training: the map of every unit over the plane, and how well the network does."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from layerwise.from_scratch.backprop import Forward
from layerwise_learn.playground.config import PlaygroundConfig
from layerwise_learn.playground.data import EDGE, features_of
from layerwise_learn.playground.training import Training

SURFACE_SIDE = 64
MAP_SIDE = 32
"""Numbers along each side of the output's map, and of the map of a unit."""


def frame_of(training: Training) -> dict[str, Any]:
    """The maps and measures of a training, as JSON.

    Maps are bytes, row by row from the top, as base64. Of a hidden unit 128 is zero and 255 its scale, which is the
    largest size on the plane, 1 at least; of the output 0 to 255 are probabilities 0 to 1, or values -1 to 1.
    """
    config, network = training.config, training.network
    with np.errstate(all="ignore"):
        grid = network.forward(features_of(_plane(SURFACE_SIDE), config.feature_names))
    hidden = _hidden(grid, network.depth)
    scales = np.maximum(np.abs(hidden).max(axis=0, initial=0), 1)
    return {
        "maps": _bytes((_coarse(hidden) / scales + 1) / 2),
        "scales": scales.tolist(),
        "surface": _bytes(_shown_output(config, grid["output"])),
        "epoch": training.num_steps / training.steps_per_epoch,
        "measures": measures(training),
    }


def feature_maps(config: PlaygroundConfig) -> dict[str, Any]:
    """The maps of all features that are in use, in the same way."""
    values = features_of(_plane(MAP_SIDE), config.feature_names)
    scales = np.abs(values).max(axis=0)
    return {"maps": _bytes((values / scales + 1) / 2), "scales": scales.tolist()}


def measures(training: Training) -> dict[str, dict[str, float]]:
    """For the points that are learned from ("train") and the others ("test"), where there are any: "count", the mean
    "loss" without penalties, and for classes "errors", how many are taken for another class.
    """
    points = training.config.split
    found = {}
    for name, rows in (("train", ~points.is_test), ("test", points.is_test)):
        if not rows.any():
            continue
        targets = points.targets[rows]
        forward = training.network.forward(features_of(points.inputs[rows], training.config.feature_names))
        loss = training.network.loss(forward, targets, training.config.loss).value
        found[name] = {"count": len(targets), "loss": loss}
        if not training.config.dataset.is_regression:
            found[name]["errors"] = int(np.sum(predicted_classes(forward["output"]) != targets))
    return found


def predicted_classes(output: np.ndarray) -> np.ndarray:
    """The class to which the output [points, outputs] gives the largest probability."""
    return (output[:, 0] > 0.5).astype(int) if output.shape[1] == 1 else output.argmax(axis=1)


def _plane(side: int) -> np.ndarray:
    """The centres of side x side squares that fill the plane, from the top left."""
    along = (np.arange(side) + 0.5) / side * 2 * EDGE - EDGE
    x, y = np.meshgrid(along, -along)
    return np.column_stack([x.ravel(), y.ravel()])


def _hidden(grid: Forward, depth: int) -> np.ndarray:
    """The outputs of all hidden units, [squares, units], layer after layer."""
    layers = [grid[f"a_{layer}"] for layer in range(1, depth)]
    return np.concatenate([np.empty((SURFACE_SIDE**2, 0)), *layers], axis=1)


def _coarse(values: np.ndarray) -> np.ndarray:
    """Maps of MAP_SIDE instead of SURFACE_SIDE, each square the mean of those in it."""
    factor = SURFACE_SIDE // MAP_SIDE
    parts = values.reshape(MAP_SIDE, factor, MAP_SIDE, factor, values.shape[1])
    return parts.mean(axis=(1, 3)).reshape(MAP_SIDE**2, values.shape[1])


def _shown_output(config: PlaygroundConfig, output: np.ndarray) -> np.ndarray:
    return (output + 1) / 2 if config.dataset.is_regression else output


def _bytes(shares: np.ndarray) -> str:
    """[squares, maps] in [0, 1], map after map."""
    return base64.b64encode(np.rint(255 * np.clip(shares.T, 0, 1)).astype(np.uint8).tobytes()).decode()
