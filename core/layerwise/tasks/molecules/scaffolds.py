"""Molecules divided by their scaffolds, so that those of the test are of another sort than those of the training
(Bemis and Murcko 1996, J. Med. Chem. 39; as MoleculeNet divides them, Wu et al. 2018, Chem. Sci. 9, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def scaffold_of(mol: Any) -> str:
    """The rings of a molecule and what links them, as SMILES without stereochemistry; "" for one without rings.

    Example:
        >>> from layerwise.tasks.molecules.smiles import parse
        >>> scaffold_of(parse("CC(=O)Oc1ccccc1C(=O)O"))
        'c1ccccc1'
    """
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    return MurckoScaffoldSmiles(mol=mol, includeChirality=False)


def scaffold_split(
    scaffolds: Sequence[str], shares: tuple[float, float] = (0.8, 0.1)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which molecules are trained on, validated on and tested on. All of one scaffold are on one side: the scaffolds of
    most molecules come first, of equally many the one that came last in the data set, as DeepChem's ScaffoldSplitter
    sorts them. A scaffold that does not fit into a part any more goes to the next one.

    Args:
        scaffolds: That of each molecule.
        shares: Of training and validation; the rest is for the test.

    Returns:
        Positions in three arrays of integers, in the order of the scaffolds.

    Example:
        >>> [part.tolist() for part in scaffold_split(["a", "b", "a", "c", "a"], (0.6, 0.2))]
        [[0, 2, 4], [3], [1]]
    """
    members: dict[str, list[int]] = {}
    for position, scaffold in enumerate(scaffolds):
        members.setdefault(scaffold, []).append(position)
    groups = sorted(members.values(), key=lambda group: (len(group), group[0]), reverse=True)
    most_train = shares[0] * len(scaffolds)
    most_both = sum(shares) * len(scaffolds)
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    for group in groups:
        if len(train) + len(group) <= most_train:
            train += group
        elif len(train) + len(validation) + len(group) <= most_both:
            validation += group
        else:
            test += group
    return np.array(train, int), np.array(validation, int), np.array(test, int)


def random_split(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """80, 10 and 10 % of the positions below `count`, drawn from the seed alone."""
    order = np.random.default_rng(seed).permutation(count)
    ends = int(0.8 * count), int(0.9 * count)
    return order[: ends[0]], order[ends[0] : ends[1]], order[ends[1] :]
