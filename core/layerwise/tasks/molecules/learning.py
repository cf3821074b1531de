"""What a task knows of its training molecules before the network learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.tasks.molecules.fingerprints import descriptors
from layerwise.tasks.molecules.neighbours import TrainingMolecules, molecules_file
from layerwise.tasks.molecules.standardise import read_molecule
from layerwise.tasks.molecules.statistics import Statistics

if TYPE_CHECKING:
    from layerwise.splits import Split
    from layerwise.tasks.molecule_property import MoleculeProperty

MOST_DESCRIBED = 2000
"""Molecules from which the spread of the descriptors is learned; of more a part, evenly taken."""


def learned(task: MoleculeProperty, train: Split, start: MoleculeProperty | None) -> dict[str, Any]:
    """What a task learns, by the names of its fields: its training molecules, the means and deviations of numbers, the
    spread of descriptors, and how wide its domain is.

    Args:
        train: SMILES and targets.
        start: The task that a fine-tuning begins with: the network knows its standardisation.
    """
    molecules = [read_molecule(text) for text in np.asarray(train.inputs)]
    targets = np.asarray(train.targets, "float64")
    file = molecules_file([molecule.smiles for molecule in molecules], targets, task.targets)
    found: dict[str, Any] = {
        "molecules": file,
        "similarity": float(f"{TrainingMolecules.of(file).threshold():.4g}"),
        "widths": (),
    }
    if task.kind == "number":
        goes_on = start is not None and (start.targets, start.unit) == (task.targets, task.unit) and start.means
        found |= {"means": start.means, "deviations": start.deviations} if goes_on and start else _spread(targets)
    if task.representation == "fingerprint":
        if start is not None and start.descriptors is not None:
            found["descriptors"] = start.descriptors
        else:
            places = np.unique(np.linspace(0, len(molecules) - 1, min(len(molecules), MOST_DESCRIBED)).astype(int))
            values = np.stack([descriptors(molecules[place].mol) for place in places])
            found["descriptors"] = Statistics.learned(values).as_file()
    return found


def _spread(targets: np.ndarray) -> dict[str, tuple[float, ...]]:
    deviations = np.nanstd(targets, axis=0)
    return {
        "means": tuple(float(f"{value:.6g}") for value in np.nanmean(targets, axis=0)),
        "deviations": tuple(float(f"{value:.6g}") if value > 0 else 1.0 for value in deviations),
    }
