"""Distance maps: how far each residue of a trace is from each other one, measured with errors and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerwise.errors import InputError


def distance_map(coordinates: np.ndarray) -> np.ndarray:
    """The distances between all residues, [residues, residues] in Å.

    Example:
        >>> distance_map(np.array([[0.0, 0, 0], [3, 4, 0]])).tolist()
        [[0.0, 5.0], [5.0, 0.0]]
    """
    differences = coordinates[:, None] - coordinates[None]
    return np.sqrt(np.einsum("ijk,ijk->ij", differences, differences))


@dataclass(frozen=True, eq=False)
class Measured:
    """Distances as somebody has measured them.

    Args:
        distances: [residues, residues] in Å, symmetric; those that are not known are NaN.
    """

    distances: np.ndarray

    @property
    def is_known(self) -> np.ndarray:
        """Which are known, bool [residues, residues]."""
        return np.isfinite(self.distances)

    @property
    def weights(self) -> np.ndarray:
        """1 for what is known and 0 for what is not, and on the diagonal."""
        found = self.is_known.astype("float64")
        np.fill_diagonal(found, 0.0)
        return found

    @property
    def known_share(self) -> float:
        """The share of pairs whose distance is known."""
        count = len(self.distances)
        return float(self.weights.sum() / max(count * (count - 1), 1))

    def completed(self) -> np.ndarray:
        """All distances: in the place of a missing one the shortest way over known ones, which is never shorter.

        Raises:
            InputError: There is no way between two residues.

        Source: Tenenbaum, de Silva and Langford 2000, doi:10.1126/science.290.5500.2319, of distances on a surface.
        """
        from scipy.sparse.csgraph import shortest_path

        if self.is_known.all():
            return self.distances
        # For SciPy a length of 0 is no way at all, and noise can make one.
        lengths = np.where(self.is_known, np.maximum(self.distances, 1e-6), 0.0)
        np.fill_diagonal(lengths, 0.0)
        found = shortest_path(lengths, directed=False)
        if not np.isfinite(found).all():
            raise InputError("The known distances leave parts of the chain unconnected", remedy="give more of them")
        return np.where(self.is_known, self.distances, found)


def measured(
    distances: np.ndarray, *, noise: float = 0.0, missing: float = 0.0, longest: float = np.inf, seed: int = 0
) -> Measured:
    """True distances as somebody might measure them. Those of neighbours in the chain are always known: a bond has a
    length.

    Args:
        distances: [residues, residues] in Å.
        noise: Standard deviation of the errors, in Å.
        missing: Share of the pairs that nobody measured, drawn at random.
        longest: Longer distances are not measured, in Å.
        seed: Of errors and gaps. With the same seed a pair that is missing stays so with a greater share, and an error
            grows with the noise.
    """
    random = np.random.default_rng(seed)
    count = len(distances)
    above = np.triu_indices(count, 1)
    errors, ranks = random.normal(0, 1, len(above[0])), random.random(len(above[0]))
    true = distances[above]
    values = np.abs(true + noise * errors)
    is_bond = above[1] - above[0] == 1
    values[~is_bond & ((ranks < missing) | (true > longest))] = np.nan
    found = np.zeros((count, count))
    found[above] = values
    return Measured(found + found.T)
