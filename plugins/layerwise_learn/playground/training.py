"""A training as a value: where it stands, and where it stands some steps later."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import numpy as np

from layerwise.errors import InputError
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.descent import OPTIMIZERS, Memory
from layerwise.from_scratch.regularisation import dropout_masks
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.training import gradient_of
from layerwise_learn.playground.config import PlaygroundConfig
from layerwise_learn.playground.data import features_of

LIMIT = 1e6
"""A parameter beyond it is lost: the training has diverged."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """Where a training stands after `num_steps` steps. All chance follows from the config's seed and the step, so the
    same steps lead to the same place however they are divided into calls.

    Args:
        has_diverged: Whether the next step would have led beyond all bounds; then it was not made.
    """

    config: PlaygroundConfig
    network: DenseNetwork
    memory: Memory
    num_steps: int = 0
    has_diverged: bool = False

    @classmethod
    def start(cls, config: PlaygroundConfig) -> Training:
        """A new network."""
        network = random_network(
            config.sizes,
            config.activation_names,
            seed=config.seed,
            output_activation=config.output_activation,
        )
        return cls(config=config, network=network, memory=OPTIMIZERS[config.optimizer].start(network.parameters))

    @property
    def steps_per_epoch(self) -> int:
        """Steps until each point was used once."""
        return max(1, -(-int((~self.config.split.is_test).sum()) // self.config.batch_size))

    def advance(self, num_steps: int, seconds: float) -> Training:
        """The training `num_steps` steps later, or fewer where they would take more than `seconds`.

        Raises:
            InputError: There is nothing to learn from.
        """
        if not num_steps:
            return self  # it may have no points yet
        training, end = self, time.perf_counter() + seconds
        batches = Batches(self.config, self.steps_per_epoch)
        with np.errstate(all="ignore"):  # what overflows has diverged
            for _ in range(num_steps):
                training = training._step(batches)
                if training.has_diverged or time.perf_counter() > end:
                    break
        return training

    def _step(self, batches: Batches) -> Training:
        config, network = self.config, self.network
        inputs, targets = batches.of(self.num_steps)
        # A stream of its own for each step: it does not depend on what was drawn before.
        random = np.random.default_rng([config.seed, 2, self.num_steps]) if config.dropout else None
        masks = dropout_masks(network, len(inputs), config.dropout, random) if random else []
        gradient = gradient_of(network, inputs, targets, config.loss, masks=masks, l1=config.l1, l2=config.l2)
        parameters, memory = OPTIMIZERS[config.optimizer].step(
            network.parameters, gradient, self.memory, config.learning_rate
        )
        # A number that is none is not below the limit either.
        if not all(np.all(np.abs(array) < LIMIT) for array in (parameters, *memory.slots)):
            return dataclasses.replace(self, has_diverged=True)
        return dataclasses.replace(
            self, network=network.with_parameters(parameters), memory=memory, num_steps=self.num_steps + 1
        )


class Batches:
    """The batch of each step: every epoch has its own order.

    Raises:
        InputError: There are no points.
    """

    def __init__(self, config: PlaygroundConfig, steps_per_epoch: int) -> None:
        points = config.split
        if not len(points.inputs):
            raise InputError("There is nothing to learn from", remedy="draw some points, or upload a file")
        learned = ~points.is_test
        self.inputs = features_of(points.inputs[learned], config.feature_names)
        self.targets = points.targets[learned]
        self.config, self.steps_per_epoch = config, steps_per_epoch
        self.epoch, self.order = -1, np.arange(len(self.targets))

    def of(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of a step, counted from 0."""
        epoch, batch = divmod(step, self.steps_per_epoch)
        if epoch != self.epoch:
            random = np.random.default_rng([self.config.seed, 1, epoch])
            self.epoch, self.order = epoch, random.permutation(len(self.targets))
        rows = self.order[batch * self.config.batch_size :][: self.config.batch_size]
        return self.inputs[rows], self.targets[rows]
