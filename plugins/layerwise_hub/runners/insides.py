"""What goes on inside a published network while it computes, as a probe learns from it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

MOST_INSIDE = 24_576
"""So many numbers for an example: all layers of MiniLM, three of BERT."""


@contextlib.contextmanager
def inputs_of(modules: Sequence[Any]) -> Iterator[list[Any]]:
    """What is given to each of some modules of torch, in the order in which they are computed, in a list that each
    forward pass adds to."""
    heard: list[Any] = []
    handles = [module.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0])) for module in modules]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def feed_forward(network: Any) -> list[Any]:
    """The matrices that lead from the neurons of each feed-forward network back to the layer's width: what is given to
    them are the neurons. Which is how they are found, whatever an architecture calls them; where all layers are of one
    width."""
    import torch

    width = getattr(network.config, "hidden_size", None) or 0
    return [
        module
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == width and width < module.in_features
    ]


def from_the_last(*columns: Sequence[Any]) -> list[np.ndarray]:
    """Numbers of the last layers first, float32 [examples, numbers] of each, as many as are `MOST_INSIDE` together.

    Args:
        columns: Of one thing after another, such as what a layer gives and its neurons, a tensor [examples, numbers]
            for each layer, the first layer first.
    """
    kept, count = [], 0
    for layer in itertools.zip_longest(*(reversed(column) for column in columns)):
        for numbers in (tensor.float().cpu().numpy() for tensor in layer if tensor is not None):
            count += numbers.shape[1]
            if count > MOST_INSIDE and kept:
                return kept
            kept.append(numbers)
    return kept
