"""The hierarchy of features: which layers of a convolutional network, and which of their channels, are looked at side
by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.drawing import is_picture
from layerwise.inspection.receptive_fields import convolutions
from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Subject

SIDE_BY_SIDE = "early, middle, deep"
"""The choice of three layers side by side."""
CHANNELS, MOST_CHANNELS = 6, 24


def picture_input(subject: Subject) -> str | None:
    """The only input of a network that is a convolutional one over pictures of a known size; None for others."""
    sizes = [tensor.shape[1:3] for tensor in subject.model.inputs]
    if len(sizes) != 1 or not convolutions(subject) or not is_picture(subject, subject.input_names[0]):
        return None
    return None if None in sizes[0] else subject.input_names[0]


def layer_settings(subject: Subject) -> dict[str, tuple[type, Any]]:
    """The settings of looks at the channels of convolutional layers."""
    choices = (SIDE_BY_SIDE, *(step.name for step in convolutions(subject)))
    return {
        "layer": (str, setting(SIDE_BY_SIDE, "The layers whose channels are shown", choices=choices)),
        "channels": (
            int,
            setting(CHANNELS, "How many channels of a layer", minimum=1, maximum=MOST_CHANNELS, unit="channels"),
        ),
    }


def chosen_steps(subject: Subject, layer: str) -> list[tuple[str, Step]]:
    """The layers that a setting names, each with the words that head it."""
    if layer != SIDE_BY_SIDE:
        return [(layer, subject.step(layer))]
    steps = convolutions(subject)
    places = {0: "early", (len(steps) - 1) // 2: "middle", len(steps) - 1: "deep"}
    return [(f"{word}: {steps[place].name}", steps[place]) for place, word in places.items()]


def busiest(maxima: np.ndarray, count: int) -> np.ndarray:
    """The channels that are most often the ones to look at: with the highest activations, relative to what is usual for
    them, so that each answers to something and not to everything.

    Args:
        maxima: The greatest activation of each channel in each example [examples, channels].
        count: How many channels.
    """
    contrast = maxima.max(axis=0) - np.median(maxima, axis=0)
    return np.sort(contrast.argsort(kind="stable")[::-1][:count])


def evenly(total: int, count: int) -> np.ndarray:
    """Channels spread over all of a layer."""
    return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))
