"""`science/protein-structure`: helices and sheets of a protein, from its sequence alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import SequenceLabelling
from layerwise_science.proteins.secondary_structure import LABELS, LETTERS

HERE = Path(__file__).parent
WEIGHTS = HERE.parent / "weights"


@dataclass(frozen=True, kw_only=True)
class StructureConfig(TrainingConfig):
    """The settings of `science/protein-structure`."""

    filters: int = setting(112, "Filters of each convolution", minimum=8, maximum=1024)
    depth: int = setting(5, "Residual convolutions", minimum=1, maximum=32)
    kernel: int = setting(7, "Residues that each of them looks at", minimum=3, maximum=31)
    looks: tuple[int, ...] = setting((4,), "Convolutions after which attention sees the whole sequence", minimum=1)
    heads: int = setting(1, "Heads of attention", minimum=1, maximum=32)
    dimensions: int = setting(32, "Numbers by which a head compares residues", minimum=1, maximum=256)
    dropout: float = setting(0.15, "Share of numbers zeroed in a training step", minimum=0, maximum=0.9)
    hidden: float = setting(0.1, "Share of residues that a training step hides", minimum=0, maximum=0.9)


def examples() -> Sequence[Example]:
    """Proteins of FLIP's test split, by their names in the Protein Data Bank; and all of them at once."""
    text = (HERE / "examples.fasta").read_text(encoding="utf-8")
    proteins = [f">{part.strip()}" for part in text.split(">")[1:]]
    named = {"6xz7-T": "helices and sheets", "6kxf-C": "helices", "6wis-B": "helices and sheets", "6sgf-F": "sheets"}
    alone = [
        Example(inputs={"text": protein}, label=f"{name}: {what}")
        for protein, (name, what) in zip(proteins, named.items(), strict=True)
    ]
    return [*alone, Example(inputs={"text": "\n".join(proteins)}, label="All four")]


TASK = SequenceLabelling(
    labels=LABELS, letters_of_labels=LETTERS, shapes=("spiral", "arrow", "line"), longest=512, context=64, gap=8
)

STRUCTURE = ModelSpec(
    name="science/protein-structure",
    task=TASK,
    build="layerwise_science.proteins.network:build",
    data="protein-ss",
    config=StructureConfig,
    examples="layerwise_science.proteins.structure:examples",
    variants=(
        Variant(
            name="convolutional",
            summary="Convolutions, and attention over the whole sequence",
            config=StructureConfig(
                filters=112,
                depth=5,
                kernel=7,
                looks=(4,),
                heads=1,
                dimensions=32,
                dropout=0.15,
                hidden=0.1,
                num_epochs=8,
                batch_size=16,
                learning_rate=2e-3,
                optimizer="adamw",
                schedule="cosine",
                warmup_epochs=0.5,
                weight_decay=0.01,
            ),
            weights=WEIGHTS / "protein-structure",
        ),
    ),
    card=ModelCard(
        title="Protein structure",
        summary="Type the sequence of a protein: the network says which of its residues are in helices, which in "
        "sheets.",
        description=(
            "Secondary structure in three states (helix, sheet, coil) from the sequence alone, without an alignment of "
            "related proteins: five residual convolutions over seven residues each, and one layer of attention over "
            "the whole sequence, before the last of them. Proteins of more than 512 residues are labelled in windows "
            "that overlap by 128.\n\n"
            "It was trained from random weights on proteins of the Protein Data Bank as FLIP has them (split "
            '"sampled": 9,712 for training, 1,080 for validation, 364 for the test). Labels are DSSP\'s in three '
            "states (H, G, I are helices, E, B sheets); residues that nobody could see in the crystal count neither in "
            "training nor in a figure. CB513 is measured apart: `layerwise evaluate science/protein-structure --split "
            "cb513`. There those residues count that belong to the domain which CB513 means and that were seen, 83,427 "
            "of 511 chains: of these 71.3 % are right (helices 75, sheets 62, coil 73 %). For single sequences about "
            "0.72 is published for CB513, with alignments about 0.85.\n\n"
            "FLIP and CB513 overlap. Two chains of CB513 are proteins of FLIP, letter by letter (1wfb-A in training, "
            "1tii-C in validation), and 29 proteins of training and 4 of validation share ten or more residues in a "
            "row with one of CB513. All 33 are left out: 9,683 and 1,076 remain, and CB513 stays whole. More distant "
            "relatives, without ten equal residues in a row, were not looked for. Within FLIP validation is closer to "
            "training than the test is: 625 training proteins share twenty residues in a row with one of validation, "
            "none with one of the test. Settings were chosen by validation alone."
        ),
        limits=(
            "One sequence says less than an alignment of its relatives: two of seven residues are labelled wrongly, at "
            "the ends of helices and strands more than two of five (inside one of five), and strands more often than "
            "helices. Probabilities say how sure the "
            "network is, not how often it is right for your protein. Membrane proteins, short peptides, designed "
            "sequences and disordered regions are rare in what it has seen; a stretch that has no fixed structure is "
            "labelled all the same. It says nothing of the fold, of binding or of disease. Not for medical decisions."
        ),
        licence="Apache-2.0",
        sources=(
            "https://github.com/J-SNACKKB/FLIP",
            "https://doi.org/10.1101/2021.11.09.467890",
            "https://doi.org/10.1002/prot.25674",
            "https://github.com/omarperacha/ps4-dataset",
            "https://arxiv.org/abs/1603.05027",
        ),
        picture=HERE.parent / "pictures" / "protein-structure.png",
    ),
)
