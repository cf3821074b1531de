"""A training on molecules of one's own: what the task learns before it and after it is kept with the version."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from layerwise.config import config_from
from layerwise.context import Context
from layerwise.evaluation import evaluate_version
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.tasks.molecules.predictions import numbers_of
from layerwise.training import fit
from layerwise.versions import VersionStore

SHORT = {"num_epochs": 2, "hidden_units": (8,), "message_units": 4, "message_layers": 1, "validation_fraction": 0.3}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccoc1", "C1CCNC1", "C1CCOC1"]
    rows = [f"{'C' * tail}{ring},{place - tail}" for place, ring in enumerate(rings) for tail in range(1, 7)]
    path = tmp_path_factory.mktemp("own") / "own.csv"
    path.write_text("smiles,target\n" + "\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["dense", "graph"])
def test_intervals_are_calibrated_and_kept(home, table, variant):
    snapshot = Registry(home).snapshot()
    spec = snapshot.model("science/solubility")
    config = config_from(spec.config, dataclasses.asdict(spec.variant(variant).config) | SHORT)
    run = RunStore(home).create(spec, variant, config, data=table)
    fit(Context.of(run, snapshot))
    version = VersionStore(home).get(spec, variant, run.id)
    task = version.task
    assert task.representation == ("graph" if variant == "graph" else "fingerprint")
    assert (task.targets, len(task.means), len(task.widths)) == (("target",), 1, 1)
    assert sorted(task.files()) == ["molecules.csv"] if variant == "graph" else ["descriptors.json", "molecules.csv"]
    assert all((version.folder / name).is_file() for name in task.files())
    assert version.record["epoch"] in (1, 2)
    measured = evaluate_version(snapshot, version, split="validation")
    # The rank of the conformal quantile leaves at most a tenth of what it was made from outside.
    assert measured["metrics"]["coverage_90"] >= 0.9
    half = numbers_of(np.zeros((1, 1, 1, 2)), (0,), (1,), task.widths).high
    assert half[0, 0] == pytest.approx(task.widths[0])
    assert Path(run.folder / "task" / "molecules.csv").read_text().startswith("smiles,target\n")
