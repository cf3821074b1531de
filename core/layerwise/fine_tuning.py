"""Fine-tuning: a training that begins with the weights of a version instead of random ones.

What a network has learnt of the world serves other tasks too (Yosinski et al. 2014, arXiv:1411.1792), except for its
head, the last layers with weights, which gives the answers of the former task and starts anew. For some epochs only
the head learns, since what its first large gradients would do to the layers below spoils what they know (Kumar et al.
2022, arXiv:2202.10054: linear probing, then fine-tuning).

With LoRA (Hu et al. 2021, arXiv:2106.09685) all that was taken over stays, and beside the kernel of each dense layer
two small matrices learn, whose product is added to it: gradients and the optimizer's state are those of few values.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layerwise import weights
from layerwise.config import TrainingConfig, settings_of
from layerwise.errors import RunError, WeightsError
from layerwise.layers import heads, leaves

if TYPE_CHECKING:
    import keras

    from layerwise.specs import ModelSpec, Variant
    from layerwise.tasks.base import Task
    from layerwise.versions import Version, VersionStore

IN_USE = "in-use"
"""Stands for the version that is in use."""


def take_over(model: keras.Model, task: Task, version: Version) -> list[str]:
    """Set the weights of `model`, which was built for `task`, to those of `version`.

    Returns:
        The names of the layers that start anew: the heads, where the version's task is another one; otherwise none.

    Raises:
        WeightsError: The version is of another architecture; the model is unchanged then.
    """
    variables, arrays = weights.named_variables(model), weights.read_arrays(version.folder)
    anew = [] if task.parameters() == version.task.parameters() else heads(model)
    if arrays.keys() == variables.keys():
        new = {id(variable) for layer in anew for variable in layer.variables}
        variables = {name: variable for name, variable in variables.items() if id(variable) not in new}
        arrays = {name: arrays[name] for name in variables}
    try:
        weights.assign(variables, arrays, version.folder)
    except WeightsError as error:
        raise WeightsError(
            f"The training cannot begin with the weights of {version.reference}: they are of another architecture",
            expected=error.expected,
            received=error.received,
            remedy="set the network up as that version's config says, or start from random weights",
        ) from error
    return [layer.name for layer in anew]


def find_start(versions: VersionStore, spec: ModelSpec, variant: str | None, word: str | None) -> Version | None:
    """The version to begin with.

    Args:
        word: "in-use", or the id of a version; None or empty for random weights.

    Raises:
        NotFoundError: There is no such version.
    """
    if not word:
        return None
    return versions.current(spec, variant) if word == IN_USE else versions.get(spec, variant, word)


def usual_config(variant: Variant, start: Version | None) -> TrainingConfig:
    """The config of a training unless told otherwise: the variant's own; for one that begins with a version the
    variant's config for fine-tuning, with the settings of the network as the version has them."""
    if start is None:
        return variant.config
    usual = variant.fine_tuning or variant.config
    common = {item.name for item in settings_of(TrainingConfig)}
    own = [item.name for item in settings_of(type(usual)) if item.name not in common]
    return replace(usual, **{name: getattr(start.config, name) for name in own})


def check_lora(config: TrainingConfig, *, has_start: bool) -> None:
    """Check that LoRA has something to stand beside.

    Args:
        has_start: Whether the training begins with a version.

    Raises:
        RunError: It is asked for, and the training begins with random weights.
    """
    if config.lora_rank and not has_start:
        raise RunError(
            "LoRA keeps the weights that a training begins with, and these would be random ones",
            expected="a version to begin with",
            received=f"lora_rank {config.lora_rank} without one",
            remedy="name one, as in --from in-use, or set lora_rank to 0",
        )


def add_lora(model: keras.Model, rank: int, new_layers: Collection[str], *, seed: int) -> None:
    """Let only small matrices beside the kernels of dense layers learn, and layers that start anew. The network answers
    as before, since the product of the two matrices of a layer is zero at first.

    Args:
        rank: Columns of the first and rows of the second matrix of a layer.
        new_layers: The names of layers that start anew: they learn as a whole, and get none.
        seed: Of the first matrices; the second ones are zeros.

    Raises:
        RunError: No layer can get them.
    """
    import numpy as np
    from keras.initializers import HeUniform

    every = leaves(model)
    new = {id(part) for layer in every if layer.name in new_layers for part in layer._flatten_layers()}
    taking = [layer for layer in every if id(layer) not in new and _takes_lora(layer)]
    if not taking:
        raise RunError(
            "No layer of this network takes LoRA",
            expected="a dense layer that learns and does not start anew",
            received=f"layers that start anew: {', '.join(new_layers)}" if new_layers else None,
            remedy="set lora_rank to 0",
        )
    # By numbers of their own, so that nothing that draws before changes them.
    seeds = np.random.default_rng(seed).integers(2**31, size=len(taking)).tolist()
    for layer, number in zip(taking, seeds, strict=True):
        layer.enable_lora(rank, a_initializer=HeUniform(number))
    learning = {id(matrix) for layer in taking for matrix in (layer.lora_kernel_a, layer.lora_kernel_b)}
    learning |= {id(variable) for layer in every if id(layer) in new for variable in layer.variables}
    for layer in every:
        if learning.isdisjoint(map(id, layer.variables)):
            # Not only its variables: normalisation keeps the averages of a layer that does not learn.
            layer.trainable = False
    for variable in model.trainable_variables:
        variable.trainable = id(variable) in learning


def _takes_lora(layer: Any) -> bool:
    from keras.layers import Dense, EinsumDense

    if not isinstance(layer, Dense | EinsumDense) or layer.kernel_constraint is not None:
        return False
    return any(variable is layer._kernel for variable in layer.trainable_variables)


class Freezer:
    """Keeps layers of a model from learning for a while.

    Args:
        model: As it was built: the layers and variables that do not learn then never do.
    """

    def __init__(self, model: keras.Model) -> None:
        self._usual = [(layer, layer.trainable) for layer in leaves(model)]
        self._fixed = [variable for variable in model.variables if not variable.trainable]

    def let_learn(self, names: Collection[str]) -> None:
        """Let only the layers of these names learn; all of them when there are none."""
        for layer, usual in self._usual:
            layer.trainable = usual and not names
        # Afterwards, since a layer that is made of others passes it on to them.
        for layer, usual in self._usual:
            if layer.name in names:
                layer.trainable = usual
        # A layer passes it on to all variables that it made as trainable ones.
        for variable in self._fixed:
            variable.trainable = False
