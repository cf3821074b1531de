"""Data that experiments learn from, made by formulas, with noise."""

from __future__ import annotations

import numpy as np


def spirals(count: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two spirals around each other, one a class: inputs [count, 2] and class numbers [count].

    Args:
        noise: The standard deviation of what is added to each coordinate; the spirals reach to 1.
    """
    generator = np.random.default_rng(seed)
    classes = np.arange(count) % 2
    turn = np.sqrt(generator.uniform(0.01, 1, count))
    angle = 1.25 * 2 * np.pi * turn + np.pi * classes
    inputs = np.column_stack([turn * np.cos(angle), turn * np.sin(angle)])
    return inputs + generator.normal(0, noise, inputs.shape), classes


def wave(count: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A part of a sine over [-1, 1] with noise: inputs [count, 1] and targets [count]."""
    generator = np.random.default_rng(seed)
    inputs = generator.uniform(-1, 1, count)
    return inputs[:, np.newaxis], true_wave(inputs) + generator.normal(0, noise, count)


def true_wave(inputs: np.ndarray) -> np.ndarray:
    """What `wave` is without its noise."""
    return np.sin(4 * inputs)
