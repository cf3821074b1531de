"""The two networks for molecules, each an ensemble: a dense one on fingerprints and descriptors, and one that passes
messages along the bonds of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from layerwise.tasks import MoleculeProperty
    from layerwise_science.molecules.config import MoleculeConfig


def build(config: MoleculeConfig, task: MoleculeProperty) -> keras.Model:
    """The network that takes what the task encodes: to [batch, members, targets, 2] for numbers, logits
    [batch, members, targets] for yes and no."""
    return _graph(config, task) if task.representation == "graph" else _dense(config, task)


def _dense(config: MoleculeConfig, task: MoleculeProperty) -> keras.Model:
    import keras
    from keras import layers

    groups = keras.Input((task.bits,), name="fingerprint")
    descriptors = keras.Input((task.num_descriptors,), name="descriptors")
    some_groups = layers.Rescaling(config.group_scale, name="scale")(groups)
    some_groups = layers.Dropout(config.drop_groups, name="drop_groups")(some_groups)
    some_descriptors = layers.GaussianNoise(config.noise, name="noise")(descriptors)
    some_descriptors = layers.Dropout(config.drop_descriptors, name="drop_descriptors")(some_descriptors)
    x = layers.Concatenate(name="joined")([some_groups, some_descriptors])
    first, *others = config.hidden_units or (64,)
    # One multiplication for all members, since they are given the same.
    x = layers.Dense(task.members * first, kernel_initializer="he_normal", name="dense_1")(x)
    x = layers.Reshape((task.members, first), name="members")(x)
    return keras.Model([groups, descriptors], _head(x, others, config, task), name="molecule_dense")


def _graph(config: MoleculeConfig, task: MoleculeProperty) -> keras.Model:
    """Messages with weights of their own for each kind of bond (Gilmore et al. 2017, arXiv:1704.01212; Schlichtkrull et
    al. 2017, arXiv:1703.06103), added to what an atom was before."""
    import keras
    from keras import layers

    from layerwise.tasks.molecules.graphs import BONDS, FEATURES
    from layerwise_science.molecules.ensembles import BondMatrices, MemberDense, Neighbours, Readout

    # Any number of atoms: what is padded to one size in a training may be of another one later.
    atoms = keras.Input((None, len(FEATURES)), name="atoms")
    bonds = keras.Input((None, None), name="bonds", dtype="uint8")
    mask = keras.Input((None,), name="mask")
    units = config.message_units
    matrices = BondMatrices(len(BONDS), name="bond_matrices")(bonds)
    x = layers.Dense(task.members * units, activation="relu", kernel_initializer="he_normal", name="atoms_in")(atoms)
    x = layers.Reshape((-1, task.members, units), name="members")(x)
    for number in range(1, config.message_layers + 1):
        y = Neighbours(name=f"neighbours_{number}")(x, matrices)
        y = MemberDense(units, name=f"message_{number}")(y)
        y = layers.LayerNormalization(name=f"norm_{number}")(y)
        y = layers.Activation("relu", name=f"activation_atoms_{number}")(y)
        x = layers.Add(name=f"atoms_{number}")([x, y])
    x = Readout(name="readout")(x, mask)
    x = MemberDense(config.hidden_units[0] if config.hidden_units else units, name="molecule")(x)
    return keras.Model([atoms, bonds, mask], _head(x, config.hidden_units[1:], config, task), name="molecule_graph")


def _head(x: Any, hidden_units: Sequence[int], config: MoleculeConfig, task: MoleculeProperty) -> Any:
    """The hidden layers after the first one, whose sums are given [batch, members, units], and the last layer."""
    from keras import layers

    from layerwise_science.molecules.ensembles import MemberDense

    for number, units in enumerate([*hidden_units, 0], start=1):
        x = layers.Activation("relu", name=f"activation_{number}")(x)
        x = layers.Dropout(config.dropout, name=f"dropout_{number}")(x)
        if units:
            x = MemberDense(units, name=f"dense_{number + 1}")(x)
    count = len(task.targets)
    numbers = 2 * count if task.kind == "number" else count
    # Small at first, so that all members begin at the mean; in float32 under mixed precision too.
    x = MemberDense(numbers, gain=0.01, dtype="float32", name="output")(x)
    return layers.Reshape((task.members, count, 2), name="values")(x) if task.kind == "number" else x
