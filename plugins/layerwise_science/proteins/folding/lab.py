"""A trace folded again from what is known of its distances, and how far it is then from where it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerwise.config import Settings, setting
from layerwise_science.proteins.folding.chains import Chain
from layerwise_science.proteins.folding.distances import Measured, distance_map, measured
from layerwise_science.proteins.folding.scaling import classical_scaling, descent
from layerwise_science.proteins.folding.superposition import Superposition, handedness, mirrored, superposed


@dataclass(frozen=True, kw_only=True)
class FoldingSettings(Settings):
    """What is known of the distances, and what is made of them."""

    noise: float = setting(0.0, "Error of each distance (standard deviation)", minimum=0, maximum=8, unit="Å")
    missing: float = setting(0.0, "Distances that nobody measured", minimum=0, maximum=0.98)
    longest: float = setting(60.0, "Longest distance that can be measured", minimum=5, maximum=60, unit="Å")
    steps: int = setting(200, "Steps of the descent, at most", minimum=0, maximum=500)
    seed: int = setting(0, "Draw of errors and gaps", minimum=0, maximum=99)


@dataclass(frozen=True, kw_only=True, eq=False)
class Folded:
    """What came out.

    Args:
        known: The distances that it was made of.
        scaled: By multidimensional scaling alone, laid upon the truth.
        found: After the descent, in the hand that its helices have, laid upon the truth.
        other: Its mirror image, laid upon the truth.
        stresses: Before each step of the descent and after the last, in Å.
        twist: How its helices turn before a hand is chosen (`handedness`).
    """

    known: Measured
    scaled: Superposition
    found: Superposition
    other: Superposition
    stresses: tuple[float, ...]
    twist: float


def fold(chain: Chain, settings: FoldingSettings) -> Folded:
    """Fold a trace again.

    A map of distances does not tell a structure from its mirror image. Of the two, that one is chosen whose helices are
    right-handed; of a trace without helices the first. The truth serves for nothing but to be compared with.
    """
    known = measured(
        distance_map(chain.coordinates),
        noise=settings.noise,
        missing=settings.missing,
        longest=settings.longest,
        seed=settings.seed,
    )
    start = classical_scaling(known.completed())
    steps = list(descent(start, known, settings.steps))
    last = steps[-1].coordinates
    twist = handedness(last)
    chosen, other = (mirrored(last), last) if twist < 0 else (last, mirrored(last))
    return Folded(
        known=known,
        scaled=min((superposed(each, chain.coordinates) for each in (start, mirrored(start))), key=lambda s: s.rmsd),
        found=superposed(chosen, chain.coordinates),
        other=superposed(other, chain.coordinates),
        stresses=tuple(step.stress for step in steps),
        twist=twist,
    )


def rmsds(chain: Chain, settings: FoldingSettings, draws: int) -> np.ndarray:
    """How far a trace is from the truth in several draws of errors and gaps, [draws] in Å. Of the two hands the nearer
    one counts, so that it is about distances alone."""
    found = []
    for seed in range(draws):
        values = {name: getattr(settings, name) for name in ("noise", "missing", "longest", "steps")}
        folded = fold(chain, FoldingSettings(**values, seed=seed))
        found.append(min(folded.found.rmsd, folded.other.rmsd))
    return np.array(found)
