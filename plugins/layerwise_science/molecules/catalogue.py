"""`science/solubility`, `science/lipophilicity`, `science/blood-brain` and `science/toxicity`: an ensemble on
fingerprints and descriptors, and one on graphs, for each of four data sets of MoleculeNet."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from layerwise import Example, ModelSpec, Variant
from layerwise.tasks import MoleculeProperty
from layerwise_science.molecules.cards import BLOOD_BRAIN_CARD, LIPOPHILICITY_CARD, SOLUBILITY_CARD, TOXICITY_CARD
from layerwise_science.molecules.config import MoleculeConfig
from layerwise_science.molecules.moleculenet import BBBP, ESOL, LIPOPHILICITY, TOX21

WEIGHTS = Path(__file__).parent / "weights"
KNOWN = {
    "Aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "Caffeine": "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "Ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "Paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "Glucose": "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O",
    "Diazepam": "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc12",
    "Penicillin G, sodium salt": "[Na+].CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)[O-]",
    "Bisphenol A": "CC(C)(c1ccc(O)cc1)c1ccc(O)cc1",
    "DDT": "Clc1ccc(cc1)C(c1ccc(Cl)cc1)C(Cl)(Cl)Cl",
    "Dopamine": "NCCc1ccc(O)c(O)c1",
}
"""Molecules that people know, by name."""


def examples(names: Sequence[str]) -> list[Example]:
    """Some of KNOWN, to try."""
    return [Example(inputs={"smiles": KNOWN[name]}, label=name) for name in names]


DENSE = MoleculeConfig(num_epochs=60, batch_size=64, learning_rate=1e-3, optimizer="adamw", weight_decay=0.01)
GRAPH = replace(DENSE, hidden_units=(64,), message_units=32, num_epochs=30, warmup_epochs=1.0)


def _variants(weights: str, dense: MoleculeConfig, graph: MoleculeConfig) -> tuple[Variant, ...]:
    return (
        Variant(
            name="dense",
            summary="Groups of atoms are counted, and what chemists compute is measured",
            config=dense,
            weights=WEIGHTS / f"{weights}-dense",
        ),
        Variant(
            name="graph",
            summary="Atoms tell their neighbours along the bonds what they are",
            config=graph,
            weights=WEIGHTS / f"{weights}-graph",
            task={"representation": "graph", "members": 4},
        ),
    )


SOLUBILITY = ModelSpec(
    name="science/solubility",
    task=MoleculeProperty(targets=("solubility in water",), unit="log mol/L", bits=512),
    build="layerwise_science.molecules.networks:build",
    data=ESOL.name,
    config=MoleculeConfig,
    variants=_variants("solubility", replace(DENSE, noise=0.2, drop_descriptors=0.1), GRAPH),
    examples=functools.partial(examples, ("Aspirin", "Caffeine", "Ibuprofen", "Glucose", "DDT", "Paracetamol")),
    card=SOLUBILITY_CARD,
)
LIPOPHILICITY_MODEL = ModelSpec(
    name="science/lipophilicity",
    task=MoleculeProperty(targets=("lipophilicity",), unit="logD at pH 7.4"),
    build="layerwise_science.molecules.networks:build",
    data=LIPOPHILICITY.name,
    config=MoleculeConfig,
    variants=_variants("lipophilicity", replace(DENSE, num_epochs=40), replace(GRAPH, num_epochs=20)),
    examples=functools.partial(examples, ("Diazepam", "Ibuprofen", "Caffeine", "Paracetamol", "Aspirin")),
    card=LIPOPHILICITY_CARD,
)
BLOOD_BRAIN = ModelSpec(
    name="science/blood-brain",
    task=MoleculeProperty(targets=("gets into the brain",), kind="yes-no"),
    build="layerwise_science.molecules.networks:build",
    data=BBBP.name,
    config=MoleculeConfig,
    variants=_variants("blood-brain", replace(DENSE, num_epochs=20), replace(GRAPH, num_epochs=20)),
    examples=functools.partial(
        examples, ("Caffeine", "Diazepam", "Dopamine", "Glucose", "Penicillin G, sodium salt", "Ibuprofen")
    ),
    card=BLOOD_BRAIN_CARD,
)
TOXICITY = ModelSpec(
    name="science/toxicity",
    task=MoleculeProperty(targets=TOX21.targets, kind="yes-no"),
    build="layerwise_science.molecules.networks:build",
    data=TOX21.name,
    config=MoleculeConfig,
    variants=_variants(
        "toxicity", replace(DENSE, num_epochs=20, batch_size=128), replace(GRAPH, num_epochs=12, batch_size=128)
    ),
    examples=functools.partial(examples, ("Bisphenol A", "DDT", "Caffeine", "Aspirin", "Ibuprofen")),
    card=TOXICITY_CARD,
)
MODELS = (SOLUBILITY, LIPOPHILICITY_MODEL, BLOOD_BRAIN, TOXICITY)
