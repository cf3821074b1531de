"""How well promoters are told from other DNA: five-fold cross-validation by the project's own training.

    python benchmarks/promoters.py [--model science/promoters] [--seeds 3] [--folds 5] [--random]

Each fold in turn is the test split, and the network is trained anew on the others, as `layerwise train` does it: a
tenth of them says which epoch counts. Folds keep near-duplicates together (`layerwise_science.genomics.folds`);
`--random` divides the sequences one by one instead, as the paper does. Sensitivity, specificity and Matthews'
correlation are means over folds; printed are their means over seeds and the deviation between seeds.

Published for random folds (CNNProm, arXiv:1610.00121): Escherichia coli 0.90, 0.96, 0.84; Arabidopsis with a TATA box
0.95, 0.97, 0.91, without one 0.94, 0.94, 0.86.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

FIGURES = ("sensitivity", "specificity", "correlation", "roc_auc", "accuracy")


def folded(snapshot: Any, name: str, fold: int, *, is_random: bool) -> Any:
    """What is registered, with another fifth of a data set as its test split."""
    import numpy as np

    from layerwise.specs import Source
    from layerwise_science.genomics import cnnprom

    spec = snapshot.dataset(name)
    promoters = {
        cnnprom.ECOLI.name: cnnprom.ECOLI_FILES,
        cnnprom.ARABIDOPSIS_TATA.name: cnnprom.TATA_FILES,
        cnnprom.ARABIDOPSIS_NON_TATA.name: cnnprom.NON_TATA_FILES,
    }[name]

    def read(files: Any) -> Any:
        sequences, targets = cnnprom.sequences_of(promoters, files)
        shares = np.random.default_rng(0).random(len(sequences)) if is_random else None
        return cnnprom.splits_of(sequences, targets, fold, shares=shares)

    sources: tuple[Source, ...] = tuple(replace(source, read=read) for source in spec.sources)
    return replace(snapshot, datasets={**snapshot.datasets, name: replace(spec, sources=sources)})


def measure(workspace: Any, model: str, fold: int, seed: int, *, is_random: bool) -> dict[str, float]:
    """Train on all folds but one, and measure on that one."""
    import keras

    from layerwise.context import Context
    from layerwise.data import load
    from layerwise.evaluation import compute_outputs
    from layerwise.runner import make_runner
    from layerwise.training import fit

    keras.utils.clear_session()
    spec = workspace.registry.snapshot().model(model)
    snapshot = folded(workspace.registry.snapshot(), spec.data, fold, is_random=is_random)
    run = workspace.runs.create(spec, None, replace(spec.variant().config, seed=seed))
    fit(Context.of(run, snapshot))
    version = workspace.versions.get(spec, run.variant, run.id)
    test = load(snapshot.dataset(spec.data), snapshot).splits["test"]
    return version.task.evaluate(compute_outputs(make_runner(spec, version), test), test.targets)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="science/promoters")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--random", action="store_true")
    arguments = parser.parse_args()
    from layerwise import open_workspace
    from layerwise.devices import quiet_import

    quiet_import()
    means: dict[str, list[float]] = {name: [] for name in FIGURES}
    with tempfile.TemporaryDirectory() as home, open_workspace(Path(home)) as workspace:
        for seed in range(arguments.seeds):
            found = []
            for fold in range(arguments.folds):
                found.append(measure(workspace, arguments.model, fold, seed, is_random=arguments.random))
                shown = ", ".join(f"{name} {found[-1][name]:.4f}" for name in FIGURES)
                print(f"seed {seed}, fold {fold}: {shown}", flush=True)
            for name in FIGURES:
                means[name].append(statistics.mean(values[name] for values in found))
    how = "random folds" if arguments.random else "folds without near-duplicates of each other"
    print(f"{arguments.model}, {arguments.folds} {how}, {arguments.seeds} seeds:")
    for name, values in means.items():
        deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        print(f"  {name}: {statistics.mean(values):.4f}{deviation}")


if __name__ == "__main__":
    main()
