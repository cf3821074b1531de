"""The models of promoters: one of a bacterium, two of a plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from layerwise import DatasetSpec, Example, ModelCard, ModelSpec, Variant
from layerwise.tasks import SequenceClassification
from layerwise.tasks.sequences.motif import Motif
from layerwise_science.genomics.cnnprom import ARABIDOPSIS_NON_TATA, ARABIDOPSIS_TATA, ECOLI, LABELS
from layerwise_science.genomics.promoters import PromoterConfig

HERE = Path(__file__).parent
SOURCES = ("https://arxiv.org/abs/1610.00121", "https://github.com/solovictor/CNNPromoterData")
OF_BACTERIA = (
    Motif(name="-10 box", consensus="TATAAT", source="Pribnow 1975, PNAS 72"),
    Motif(name="extended -10 box", consensus="TGNTATAAT", source="Keilty and Rosenberg 1987, J Biol Chem 262"),
    Motif(name="-35 box", consensus="TTGACA", source="Rosenberg and Court 1979, Annu Rev Genet 13"),
)
"""What sigma-70 binds."""
OF_PLANTS = (
    Motif(name="TATA box", consensus="TATAWAW", source="Bucher 1990, J Mol Biol 212"),
    Motif(name="CCAAT box", consensus="CCAAT", source="Bucher 1990, J Mol Biol 212"),
    Motif(name="initiator", consensus="YYANWYY", source="Javahery et al. 1994, Mol Cell Biol 14"),
    Motif(name="site II", consensus="TGGGCY", source="Trémousaygue et al. 2003, Plant J 33"),
    Motif(name="telo box", consensus="AAACCCTAA", source="Trémousaygue et al. 2003, Plant J 33"),
)
"""What is found in promoters of genes that RNA polymerase II reads, and in those of plants."""


def examples(folder: str) -> Sequence[Example]:
    """The FASTA files of a folder, labelled by the comment of their first sequence."""
    found = []
    for path in sorted((HERE / "examples" / folder).glob("*.fasta")):
        text = path.read_text(encoding="utf-8")
        found.append(Example(inputs={"text": text}, label=text.partition("\n")[0].partition(" ")[2]))
    return found


def _model(
    name: str, dataset: DatasetSpec, length: int, motifs: tuple[Motif, ...], config: PromoterConfig, card: ModelCard
) -> ModelSpec:
    return ModelSpec(
        name=f"science/{name}",
        task=SequenceClassification(labels=LABELS, alphabet="dna", length=length, motifs=motifs),
        build="layerwise_science.genomics.promoters:build",
        data=dataset.name,
        config=PromoterConfig,
        examples=partial(examples, name),
        variants=(
            Variant(
                name="convolutional",
                summary="Filters over letters, and filters over what they found",
                config=config,
                weights=HERE / "weights" / name,
            ),
        ),
        card=card,
    )


OF_ECOLI = PromoterConfig(num_epochs=25, batch_size=64, learning_rate=3e-3, label_smoothing=0.1, codon_usages=16)
OF_ARABIDOPSIS = replace(OF_ECOLI, pool=5, num_epochs=15, codon_usages=0)
HOW = (
    "Filters over 15 letters look for motifs, further ones for groups of them, and where they were found counts; other "
    "filters are asked in which reading frame they found something, since most DNA that is no promoter is a piece of a "
    "gene. The motifs that it has learned are below, in **Look inside**, beside those that are known. Near-duplicates "
    "(sequences that share ten stretches of twelve letters or more, on either strand) are all in one split, so that "
    "the test asks of nothing that was learned by heart; the paper divides them at random."
)
LIMITS = (
    "It was asked about windows in which the start of transcription stands at letter {start} of {length}, or about "
    "pieces of genes. In a scan it also answers to windows beside a promoter, and to DNA that is neither promoter nor "
    "gene: that is something to look at, not a proof. {more}"
)

PROMOTERS = _model(
    "promoters",
    ECOLI,
    81,
    OF_BACTERIA,
    OF_ECOLI,
    ModelCard(
        title="Promoters of a bacterium",
        summary="Paste DNA: the network finds where Escherichia coli begins to read a gene.",
        description=(
            "Trained from scratch on 839 promoters of *Escherichia coli* that the sigma-70 factor reads (RegulonDB) "
            f"and 3,000 pieces of genes, 81 letters each, as CNNProm was (Umarov and Solovyev 2017). {HOW} And genes "
            "prefer some codons to others: the network adds up how well the codons of each reading frame fit sixteen "
            "usages that it has learned. Published for CNNProm, with near-duplicates on both sides: sensitivity 0.90, "
            "specificity 0.96, correlation 0.84. By five-fold cross-validation, no near-duplicate on both sides, three "
            "seeds, this network has a sensitivity of 0.897, a specificity of 0.960 and a correlation of 0.844 "
            "(`python benchmarks/promoters.py`)."
        ),
        limits=LIMITS.format(
            start=61,
            length=81,
            more="It knows the promoters of one sigma factor of one bacterium, and has seen few of them. Much of what "
            "it has learned is what genes look like; of DNA between genes, which it was not asked about, it may take "
            "more for promoters than the figures say.",
        ),
        sources=SOURCES,
    ),
)
PROMOTERS_TATA = _model(
    "promoters-tata",
    ARABIDOPSIS_TATA,
    251,
    OF_PLANTS,
    OF_ARABIDOPSIS,
    ModelCard(
        title="Promoters with a TATA box",
        summary="Paste DNA of a plant: the network finds promoters that have a TATA box.",
        description=(
            "Trained from scratch on 1,497 promoters of *Arabidopsis thaliana* that have a TATA box (EPDnew) and 2,879 "
            f"pieces of genes, 251 letters each, as CNNProm was (Umarov and Solovyev 2017). {HOW} Published for "
            "CNNProm, with near-duplicates on both sides: sensitivity 0.95, specificity 0.97, correlation 0.91."
        ),
        limits=LIMITS.format(
            start=201, length=251, more="It knows one plant; what it says of other plants was not measured."
        ),
        sources=SOURCES,
    ),
)
PROMOTERS_NON_TATA = _model(
    "promoters-non-tata",
    ARABIDOPSIS_NON_TATA,
    251,
    OF_PLANTS,
    OF_ARABIDOPSIS,
    ModelCard(
        title="Promoters without a TATA box",
        summary="Paste DNA of a plant: the network finds promoters that have no TATA box.",
        description=(
            "Trained from scratch on 5,905 promoters of *Arabidopsis thaliana* that have no TATA box (EPDnew) and "
            f"11,459 pieces of genes, 251 letters each, as CNNProm was (Umarov and Solovyev 2017). {HOW} Published for "
            "CNNProm, with near-duplicates on both sides: sensitivity 0.94, specificity 0.94, correlation 0.86."
        ),
        limits=LIMITS.format(
            start=201, length=251, more="It knows one plant; what it says of other plants was not measured."
        ),
        sources=SOURCES,
    ),
)
