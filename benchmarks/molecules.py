"""How well properties of molecules are predicted: both networks and a random forest, side by side on the same split.

    python benchmarks/molecules.py                                  # four data sets, three seeds: about an hour
    python benchmarks/molecules.py --models solubility --variants dense forest --seeds 5
    python benchmarks/molecules.py --models solubility --set hidden_units=128,64 --splits validation
    python benchmarks/molecules.py --speed 10000                    # seconds for a file of so many molecules

The forest (scikit-learn, 300 trees) is given what the dense network is given. Figures are means of the seeds, with
their standard deviation. Choose settings by `--splits validation`, never by the test.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.config import config_from
from layerwise.context import Context
from layerwise.data import load
from layerwise.evaluation import compute_outputs
from layerwise.registry import Registry
from layerwise.runner import make_runner
from layerwise.runs import RunStore
from layerwise.splits import Split
from layerwise.tasks import MoleculeProperty
from layerwise.tasks.molecules.metrics import average_precision, roc_auc
from layerwise.training import fit
from layerwise.versions import VersionStore

MODELS = ("solubility", "lipophilicity", "blood-brain", "toxicity")
VARIANTS = ("dense", "graph", "forest")
TREES = 300
Figures = dict[str, dict[str, float]]
"""The metrics of each split."""


def train(
    registry: Registry, name: str, variant: str, seed: int, splits: Sequence[str], settings: dict[str, str], data: str
) -> Figures:
    """The figures of one training by the core's own loop."""
    snapshot = registry.snapshot()
    spec = dataclasses.replace(snapshot.model(name), data=data)
    config = config_from(spec.config, dataclasses.asdict(spec.variant(variant).config) | {"seed": seed} | settings)
    store = RunStore(registry.home)
    run = store.create(spec, variant, config)
    context = dataclasses.replace(Context.of(run, snapshot), spec=spec)
    fit(context)
    version = VersionStore(registry.home).get(spec, variant, run.id)
    examples = load(snapshot.dataset(data), snapshot).splits
    runner = make_runner(spec, version, lambda: snapshot)
    return {
        split: version.task.evaluate(compute_outputs(runner, examples[split]), np.asarray(examples[split].targets))
        | {"best epoch": float(version.record["epoch"])}
        for split in splits
    }


class Described:
    """The molecules of a data set as a forest takes them: what the dense network is given, side by side."""

    def __init__(self, task: MoleculeProperty, splits: dict[str, Split]) -> None:
        self.task = task.fitted(splits["train"], None)
        self.inputs, self.targets = {}, {}
        for name, split in splits.items():
            encoded = self.task.to_train_on(split)
            self.inputs[name] = np.concatenate([encoded.inputs["fingerprint"], encoded.inputs["descriptors"]], axis=1)
            self.targets[name] = np.asarray(split.targets, "float64")

    def forest(self, seed: int, splits: Sequence[str]) -> Figures:
        """The figures of a random forest for each target."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        rows: dict[str, list[dict[str, float]]] = {split: [] for split in splits}
        for target in range(len(self.task.targets)):
            known = np.isfinite(self.targets["train"][:, target])
            kind: Any = RandomForestRegressor if self.task.kind == "number" else RandomForestClassifier
            forest = kind(TREES, max_features="sqrt", random_state=seed, n_jobs=-1)
            forest.fit(self.inputs["train"][known], self.targets["train"][known, target])
            for split in splits:
                rows[split].append(self._measured(forest, split, target))
        return {split: _means([row for row in found if row]) for split, found in rows.items()}

    def _measured(self, forest: Any, split: str, target: int) -> dict[str, float]:
        known = np.isfinite(self.targets[split][:, target])
        inputs, right = self.inputs[split][known], self.targets[split][known, target]
        if self.task.kind == "number":
            errors = forest.predict(inputs) - right
            return {"rmse": float(np.sqrt(np.mean(errors**2))), "mae": float(np.mean(np.abs(errors)))}
        if len(set(right)) < 2:
            return {}
        values = forest.predict_proba(inputs)[:, 1]
        return {
            "roc_auc": roc_auc(values, right > 0.5),
            "average_precision": average_precision(values, right > 0.5),
        }


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def compare(arguments: argparse.Namespace, home: Path) -> None:
    """Train and print, a line a model and split as soon as it is known."""
    registry = Registry(home)
    settings = dict(item.partition("=")[::2] for item in arguments.set)
    for model in arguments.models:
        name = f"science/{model}"
        spec = registry.snapshot().model(name)
        data = f"{spec.data}-random" if arguments.random else str(spec.data)
        described = None
        for variant in arguments.variants:
            found: list[Figures] = []
            for seed in range(arguments.seeds):
                if variant != "forest":
                    found.append(train(registry, name, variant, seed, arguments.splits, settings, data))
                    continue
                if described is None:
                    task: Any = spec.task
                    described = Described(task, dict(load(registry.snapshot().dataset(data)).splits))
                found.append(described.forest(seed, arguments.splits))
            for split in arguments.splits:
                print(f"{name} | {variant} | {split} | {_written([figures[split] for figures in found])}", flush=True)


def _written(rows: Sequence[dict[str, float]]) -> str:
    parts = []
    for metric in rows[0]:
        values = [row[metric] for row in rows]
        spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        parts.append(f"{metric} {statistics.mean(values):.3f}{spread}")
    return " | ".join(parts)


def measure_speed(count: int) -> None:
    """How long a file of so many molecules takes, those of a data set again and again."""
    import layerwise
    from layerwise_science.molecules.moleculenet import LIPOPHILICITY

    smiles = np.asarray(load(LIPOPHILICITY.spec()).splits["train"].inputs)
    text = "smiles,number\n" + "".join(f"{smiles[place % len(smiles)]},{place}\n" for place in range(count))
    with layerwise.open_workspace() as workspace:
        workspace.predictor.predict("science/solubility", {"smiles": "CCO"})
        begin = time.perf_counter()
        answer = workspace.predictor.predict("science/solubility", {"file": text.encode()})
        print(f"{count:,} molecules: {time.perf_counter() - begin:.1f} s; {answer['answer']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--splits", nargs="+", choices=("validation", "test"), default=("test",))
    parser.add_argument("--random", action="store_true", help="divide at random instead of by scaffolds")
    parser.add_argument("--set", nargs="*", default=(), metavar="NAME=VALUE", help="settings of the networks")
    parser.add_argument("--speed", type=int, metavar="COUNT", help="measure a file of so many molecules instead")
    arguments = parser.parse_args()
    if arguments.speed:
        measure_speed(arguments.speed)
        return
    with tempfile.TemporaryDirectory() as home:
        compare(arguments, Path(home))


if __name__ == "__main__":
    main()
