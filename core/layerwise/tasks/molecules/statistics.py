"""How the descriptors of the training molecules spread, by which they are standardised for the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from layerwise.tasks.molecules.fingerprints import descriptor_names
from layerwise.text.text_file import TextFile

FILE = "descriptors.json"
FURTHEST = 4.0
"""In deviations: what is further from the mean counts as this far, so that nothing strange can overrun a network."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Means and deviations of the descriptors that differ between training molecules.

    Args:
        names: Those that are used, in the order of the network's inputs.
        means, deviations: Of each, float64 [names].
    """

    names: tuple[str, ...]
    means: np.ndarray
    deviations: np.ndarray

    @classmethod
    def learned(cls, values: np.ndarray) -> Self:
        """Those of descriptors [molecules, all descriptors]; what is the same for all molecules is left out."""
        means, deviations = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        used = np.flatnonzero(np.isfinite(means) & (deviations > 1e-6))
        names = descriptor_names()
        return cls(tuple(names[place] for place in used), means[used], deviations[used])

    @classmethod
    def of(cls, file: TextFile) -> Self:
        """Those that `as_file` wrote."""
        known = json.loads(file.content)
        return cls(tuple(known["names"]), np.array(known["means"]), np.array(known["deviations"]))

    def as_file(self) -> TextFile:
        """For a task's field. Six digits."""
        told = {"names": self.names, "means": _digits(self.means), "deviations": _digits(self.deviations)}
        return TextFile(FILE, json.dumps(told) + "\n")

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Descriptors [molecules, all descriptors] standardised, float32 [molecules, names]; what is missing is 0."""
        places = {name: place for place, name in enumerate(descriptor_names())}
        chosen = values[:, [places[name] for name in self.names]]
        scaled = (chosen - self.means) / self.deviations
        return np.clip(np.nan_to_num(scaled, posinf=FURTHEST, neginf=-FURTHEST), -FURTHEST, FURTHEST).astype("float32")


def _digits(values: np.ndarray) -> Sequence[float]:
    return [float(f"{value:.6g}") for value in values]
