"""Optimizers in plain NumPy and float64: the rules that turn gradients into changes of the parameters.

Each is a function without memory of its own: what it remembers between two steps (the velocity, the means of Adam) goes
in and comes out as a `Memory`. Parameters may be an array of any shape: a point of a loss surface, or all weights of a
network (`DenseNetwork.parameters`). The steps are those of Keras' optimizers of the same names, to 1e-6.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """What an optimizer knows after `num_steps` steps: `slots`, arrays of the shape of the parameters."""

    num_steps: int
    slots: tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """A rule of descent. Its fields are its settings; the learning rate is given to each step.

    Example:
        >>> w, rule = np.array([1.0, 2.0]), Momentum(momentum=0.5)
        >>> memory = rule.start(w)
        >>> for _ in range(2):
        ...     w, memory = rule.step(w, np.array([1.0, -1.0]), memory, learning_rate=0.1)
        >>> w.round(3).tolist(), memory.num_steps
        ([0.75, 2.25], 2)
    """

    slots: ClassVar[tuple[str, ...]] = ()
    """The name of each array that is remembered."""

    def start(self, parameters: np.ndarray) -> Memory:
        """What is remembered before the first step: zeros."""
        return Memory(num_steps=0, slots=tuple(np.zeros(np.shape(parameters)) for _ in self.slots))

    def step(
        self, parameters: np.ndarray, gradient: np.ndarray, memory: Memory, learning_rate: float
    ) -> tuple[np.ndarray, Memory]:
        """The parameters after one step, and what is remembered then. The arrays given are left as they are."""
        num_steps = memory.num_steps + 1
        parameters, *slots = self._step(parameters, gradient, memory.slots, num_steps, learning_rate)
        return parameters, Memory(num_steps=num_steps, slots=tuple(slots))

    @abstractmethod
    def _step(
        self,
        parameters: np.ndarray,
        gradient: np.ndarray,
        slots: tuple[np.ndarray, ...],
        num_steps: int,
        learning_rate: float,
    ) -> Iterator[np.ndarray]:
        """The new parameters, then the new slots. `num_steps` counts from 1."""


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """w <- w - learning_rate * gradient."""

    def _step(self, parameters, gradient, slots, num_steps, learning_rate):
        yield parameters - learning_rate * gradient


@dataclass(frozen=True, kw_only=True)
class Momentum(Optimizer):
    """v <- momentum * v - learning_rate * gradient, w <- w + v (Polyak 1964).

    Args:
        momentum: The share of the velocity that is kept.
        nesterov: Whether the step is the one that the velocity would make next, w <- w + momentum * v -
            learning_rate * gradient (Sutskever et al. 2013).
    """

    slots = ("velocity",)
    momentum: float = 0.9
    nesterov: bool = False

    def _step(self, parameters, gradient, slots, num_steps, learning_rate):
        velocity = self.momentum * slots[0] - learning_rate * gradient
        yield parameters + (self.momentum * velocity - learning_rate * gradient if self.nesterov else velocity)
        yield velocity


@dataclass(frozen=True, kw_only=True)
class RMSProp(Optimizer):
    """s <- rho * s + (1 - rho) * gradient^2, w <- w - learning_rate * gradient / sqrt(s + epsilon) (Hinton 2012)."""

    slots = ("mean square",)
    rho: float = 0.9
    epsilon: float = 1e-7

    def _step(self, parameters, gradient, slots, num_steps, learning_rate):
        square = self.rho * slots[0] + (1 - self.rho) * gradient**2
        yield parameters - learning_rate * gradient / np.sqrt(square + self.epsilon)
        yield square


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """m <- beta_1 * m + (1 - beta_1) * gradient, s <- beta_2 * s + (1 - beta_2) * gradient^2,
    w <- w - learning_rate * c * m / (sqrt(s) + epsilon), c = sqrt(1 - beta_2^t) / (1 - beta_1^t) correcting the start
    from zero in step t (Kingma & Ba 2015, end of section 2).

    Args:
        weight_decay: Before its step, w <- w - learning_rate * weight_decay * w (AdamW: Loshchilov & Hutter 2019).
    """

    slots = ("mean", "mean square")
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = 0.0

    def _step(self, parameters, gradient, slots, num_steps, learning_rate):
        mean = slots[0] + (1 - self.beta_1) * (gradient - slots[0])
        square = slots[1] + (1 - self.beta_2) * (gradient**2 - slots[1])
        rate = learning_rate * np.sqrt(1 - self.beta_2**num_steps) / (1 - self.beta_1**num_steps)
        decayed = parameters * (1 - learning_rate * self.weight_decay) if self.weight_decay else parameters
        yield decayed - rate * mean / (np.sqrt(square) + self.epsilon)
        yield mean
        yield square


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": SGD(),
    "momentum": Momentum(),
    "nesterov": Momentum(nesterov=True),
    "rmsprop": RMSProp(),
    "adam": Adam(),
    "adamw": Adam(weight_decay=0.004),
}
"""Every optimizer with its usual settings, by name."""
