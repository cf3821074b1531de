"""How proteins fold."""

from __future__ import annotations

from layerwise import DatasetSpec, ModelSpec


def models() -> list[ModelSpec]:
    """All of them."""
    from layerwise_science.proteins.structure import STRUCTURE

    return [STRUCTURE]


def datasets() -> list[DatasetSpec]:
    """What they are trained on."""
    from layerwise_science.proteins.secondary_structure import PROTEIN_SS

    return [PROTEIN_SS]
