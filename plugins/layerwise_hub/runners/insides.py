"""What goes on inside a published network while it computes, as a probe learns from it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

MOST_INSIDE = 16_384
"""So many numbers for an example: all layers of MiniLM, four of BERT."""


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


def from_the_last(states: Sequence[Any], neurons: Sequence[Any], mean: Callable[[Any], Any]) -> list[np.ndarray]:
    """The means of what each layer gives and of its neurons, each float32 [examples, numbers], the last layers first,
    as many as have `MOST_INSIDE` numbers together.

    Args:
        states: What each layer gives, the first layer first.
        neurons: Those of its feed-forward network, in the same order.
        mean: Of a layer, over the places of an example.
    """
    kept, count = [], 0
    for pair in itertools.zip_longest(reversed(states), reversed(neurons)):
        for layer in (layer for layer in pair if layer is not None):
            numbers = mean(layer).float().cpu().numpy()
            count += numbers.shape[1]
            if count > MOST_INSIDE and kept:
                return kept
            kept.append(numbers)
    return kept
