"""Properties of molecules: how they dissolve, where they get to, what they disturb."""

from __future__ import annotations

from layerwise import DatasetSpec, ModelSpec


def models() -> list[ModelSpec]:
    """All of them."""
    from layerwise_science.molecules.catalogue import MODELS

    return list(MODELS)


def datasets() -> list[DatasetSpec]:
    """What they are trained on, divided by scaffolds and at random."""
    from layerwise_science.molecules.moleculenet import COLLECTIONS

    return [collection.spec(at_random=at_random) for at_random in (False, True) for collection in COLLECTIONS]
