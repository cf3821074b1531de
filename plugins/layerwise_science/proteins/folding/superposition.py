"""Two traces laid upon each other as well as can be, and the two hands of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerwise.errors import InputError

HELIX_PITCH = 6.5
"""Residues three places apart are nearer than this, in Å, in a helix; in a strand they are about ten apart."""


@dataclass(frozen=True, eq=False)
class Superposition:
    """A trace that lies upon another.

    Args:
        coordinates: The moved one, in the place of the other, [residues, 3] in Å.
        rmsd: The root of the mean squared distance between corresponding residues, in Å.
    """

    coordinates: np.ndarray
    rmsd: float


def superposed(moved: np.ndarray, target: np.ndarray) -> Superposition:
    """Turn and shift, but never mirror, a trace so that it lies upon another.

    Args:
        moved, target: [residues, 3] in Å.

    Raises:
        InputError: They have not the same shape.

    Source: Kabsch 1976, "A solution for the best rotation to relate two sets of vectors", and 1978 for the case in
    which a reflection would fit better.

    Example:
        >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1]])
        >>> quarter_turn = square @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
        >>> round(superposed(quarter_turn + 5, square).rmsd, 6)
        0.0
    """
    if moved.shape != target.shape or moved.ndim != 2 or moved.shape[1] != 3 or not len(moved):
        raise InputError("The traces cannot be compared", received=f"shapes {moved.shape} and {target.shape}")
    middle, wanted = moved.mean(axis=0), target.mean(axis=0)
    left, _, right = np.linalg.svd((moved - middle).T @ (target - wanted))
    # The last axis is turned round where the best fit were a mirror image.
    sign = np.sign(np.linalg.det(left @ right)) or 1.0
    rotation = left @ np.diag([1.0, 1.0, sign]) @ right
    coordinates = (moved - middle) @ rotation + wanted
    return Superposition(coordinates, float(np.sqrt(np.mean(np.sum((coordinates - target) ** 2, axis=1)))))


def mirrored(coordinates: np.ndarray) -> np.ndarray:
    """The mirror image of a trace: its distances are the same."""
    return coordinates * np.array([1.0, 1.0, -1.0])


def laid_down(coordinates: np.ndarray) -> np.ndarray:
    """A trace turned, not mirrored, so that it is longest across and shortest in depth; around the origin."""
    centred = coordinates - coordinates.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ (axes * np.array([[1.0], [1.0], [np.sign(np.linalg.det(axes)) or 1.0]])).T


def handedness(coordinates: np.ndarray) -> float:
    """In which sense the helices of a trace turn: above 0 right-handed, as those of proteins are, below 0 left-handed,
    0 where it has none. From -1 to 1: the mean over helical places of the volume that three steps of the chain span, as
    a share of the greatest.

    Args:
        coordinates: [residues, 3] in Å.
    """
    steps = np.diff(coordinates, axis=0)
    if len(steps) < 3:
        return 0.0
    one, other, third = steps[:-2], steps[1:-1], steps[2:]
    volumes = np.einsum("ij,ij->i", np.cross(one, other), third)
    lengths = np.linalg.norm(steps, axis=1)
    sizes = np.maximum(lengths[:-2] * lengths[1:-1] * lengths[2:], 1e-12)
    is_helix = np.linalg.norm(coordinates[3:] - coordinates[:-3], axis=1) < HELIX_PITCH
    return float((volumes / sizes)[is_helix].mean()) if is_helix.any() else 0.0
