"""What is written in DNA: where genes begin to be read."""

from __future__ import annotations

from layerwise import DatasetSpec, ModelSpec


def models() -> list[ModelSpec]:
    """All of them."""
    from layerwise_science.genomics.specs import PROMOTERS, PROMOTERS_NON_TATA, PROMOTERS_TATA

    return [PROMOTERS, PROMOTERS_TATA, PROMOTERS_NON_TATA]


def datasets() -> list[DatasetSpec]:
    """What they are trained on."""
    from layerwise_science.genomics.cnnprom import ARABIDOPSIS_NON_TATA, ARABIDOPSIS_TATA, ECOLI

    return [ECOLI, ARABIDOPSIS_TATA, ARABIDOPSIS_NON_TATA]
