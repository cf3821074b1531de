"""Layers of several networks side by side, the members of an ensemble: they begin with different weights, drop
different units, and never see each other.

Such members disagree where they have learned little (Lakshminarayanan et al. 2017, arXiv:1612.01474).
"""

from __future__ import annotations

import math
from typing import Any

from keras import initializers, layers, ops


class MemberDense(layers.Layer):
    """A dense layer for each member: [examples, ..., members, features] to [examples, ..., members, units].

    Args:
        units: Numbers that each member gives.
        gain: Of the initial weights: their variance is gain / features.
    """

    def __init__(self, units: int, *, gain: float = 2.0, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.gain = units, gain

    def build(self, input_shape: Any) -> None:
        *_, members, features = input_shape
        deviation = math.sqrt(self.gain / features)
        self.kernel = self.add_weight(
            (members, features, self.units), initializers.RandomNormal(stddev=deviation), name="kernel"
        )
        self.bias = self.add_weight((members, self.units), "zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        # As a product of matrices for each member: einsum's gradient with "..." multiplies all out before it sums.
        shape: Any = ops.shape(inputs)
        members, features = inputs.shape[-2:]
        rows = ops.transpose(ops.reshape(inputs, (-1, members, features)), (1, 0, 2))
        found: Any = ops.transpose(ops.matmul(rows, self.kernel), (1, 0, 2))
        return ops.reshape(found + self.bias, (*shape[:-1], self.units))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)


class BondMatrices(layers.Layer):
    """The kinds of bonds [examples, atoms, atoms], 0 for none, as a matrix of 0 and 1 for each kind
    [examples, kinds, atoms, atoms].

    Args:
        kinds: How many there are.
    """

    def __init__(self, kinds: int, **options: Any) -> None:
        super().__init__(**options)
        self.kinds = kinds

    def call(self, inputs: Any) -> Any:
        bonds = ops.expand_dims(ops.cast(inputs, "int32"), 1)
        numbers = ops.reshape(ops.arange(1, self.kinds + 1, dtype="int32"), (1, self.kinds, 1, 1))
        return ops.cast(ops.equal(bonds, numbers), self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.kinds, *input_shape[1:])


class Neighbours(layers.Layer):
    """For each atom what it is, and the sum of what its neighbours are, for each kind of bond apart.

    Takes atoms [examples, atoms, members, features] and matrices [examples, kinds, atoms, atoms]; gives
    [examples, atoms, members, (kinds + 1) features].
    """

    def call(self, inputs: Any, matrices: Any) -> Any:
        shape: Any = ops.shape(inputs)
        members, features = inputs.shape[2:]
        flat = ops.reshape(inputs, (shape[0], 1, shape[1], members * features))
        sums = ops.matmul(matrices, flat)
        kinds = matrices.shape[1]
        parts = ops.reshape(ops.transpose(sums, (0, 2, 1, 3)), (shape[0], shape[1], kinds, members, features))
        beside = ops.reshape(ops.transpose(parts, (0, 1, 3, 2, 4)), (shape[0], shape[1], members, kinds * features))
        return ops.concatenate([inputs, beside], axis=-1)

    def compute_output_shape(self, inputs_shape: Any, matrices_shape: Any) -> Any:
        return (*inputs_shape[:-1], inputs_shape[-1] * (matrices_shape[1] + 1))


class Readout(layers.Layer):
    """A molecule out of its atoms: their mean and their largest values, and their sum, of which the network is given a
    tenth since molecules have tens of atoms.

    Takes atoms [examples, atoms, members, features] and [examples, atoms], 1 where there is one; gives
    [examples, members, 3 features].
    """

    def call(self, inputs: Any, there: Any) -> Any:
        there = ops.cast(ops.expand_dims(ops.expand_dims(there, -1), -1), inputs.dtype)
        total: Any = ops.sum(inputs * there, axis=1)
        mean = total / ops.maximum(ops.sum(there, axis=1), 1)
        # Values are not negative, as they come out of a rectifier: zeros of padding are never the largest.
        largest = ops.max(inputs * there, axis=1)
        return ops.concatenate([0.1 * total, mean, largest], axis=-1)

    def compute_output_shape(self, inputs_shape: Any, there_shape: Any) -> Any:
        return (inputs_shape[0], inputs_shape[2], 3 * inputs_shape[3])
