"""Proteins: secondary structure from the sequence over several seeds, beside a logistic regression; and folding.

    python benchmarks/proteins.py [--seeds 3] [--epochs N] [--windows-of 1500] [--folding-only]

`science/protein-structure` is trained from random weights with each seed, as `layerwise train
science/protein-structure --seed SEED` does, and the version that was best on FLIP's validation split is measured there,
on its test split and on CB513. Q3 is the share of residues with the right one of three states. The regression sees a
window of 17 residues, and is trained on the first proteins of the same training split. An hour or more for each seed.
Folding is from true distances of the structures that are shipped, and from distances with noise and gaps.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

MODEL = "science/protein-structure"
SPLITS = ("validation", "test", "cb513")
SIDE = 8
"""Residues on either side of the one that the regression labels."""


def windows(split: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the letters in a window around each residue that counts, float32 [residues, (2 SIDE + 1) 20], and the
    numbers of their labels."""
    from layerwise_science.proteins.structure import TASK

    inputs, targets = [], []
    for sequence, labels in zip(split.inputs[:count], split.targets[:count], strict=True):
        shares = np.pad(TASK.letters.encode(sequence), ((SIDE, SIDE), (0, 0)))
        around = np.lib.stride_tricks.sliding_window_view(shares, 2 * SIDE + 1, axis=0)
        numbers = TASK.numbers_of(labels)
        inputs.append(around[numbers >= 0].reshape(-1, 20 * (2 * SIDE + 1)))
        targets.append(numbers[numbers >= 0])
    return np.concatenate(inputs), np.concatenate(targets)


def regression(splits: Any, count: int) -> dict[str, float]:
    """Q3 of a multinomial logistic regression, by split."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(max_iter=100).fit(*windows(splits["train"], count))
    return {name: float(fitted.score(*windows(splits[name], len(splits[name])))) for name in SPLITS}


def trained(workspace: Any, seeds: int, epochs: int | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """What `layerwise.evaluation.evaluate` gives for each seed, by split."""
    from layerwise import jobs
    from layerwise.evaluation import evaluate

    spec = workspace.registry.snapshot().model(MODEL)
    config = spec.variant().config
    for seed in range(seeds):
        run = jobs.start(
            workspace.runs, spec, config=replace(config, seed=seed, num_epochs=epochs or config.num_epochs)
        )
        last = list(jobs.follow(run))[-1]
        if last["event"] != "finished":
            raise SystemExit(f"{run.id} {last['event']}: {last.get('reason', '')}")
        yield seed, {name: evaluate(workspace, f"{MODEL}@{run.id}", split=name) for name in SPLITS}


def folding() -> Iterable[str]:
    """How near the structures come that are shipped, at several noises and gaps."""
    from layerwise_science.proteins.folding.chains import shipped_chains
    from layerwise_science.proteins.folding.lab import FoldingSettings, rmsds

    for name, chain in shipped_chains().items():
        for values in ({}, {"noise": 1.0}, {"noise": 4.0}, {"missing": 0.5}, {"missing": 0.9}, {"longest": 8.0}):
            found = rmsds(chain, FoldingSettings(**values), 1 if not values else 10)
            said = ", ".join(f"{what} {value:g}" for what, value in values.items()) or "true distances"
            draws = f" (median of 10 draws, {found.min():.3f} to {found.max():.3f})" if values else ""
            yield f"{name}, {len(chain)} residues, {said}: RMSD {np.median(found):.3f} Å{draws}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="other than the shipped setting")
    parser.add_argument("--windows-of", type=int, default=1500, help="proteins that the regression is trained on")
    parser.add_argument("--folding-only", action="store_true")
    arguments = parser.parse_args()
    for line in folding():
        print(line, flush=True)
    if arguments.folding_only:
        return
    from layerwise import open_workspace
    from layerwise.data import load
    from layerwise_science.proteins.secondary_structure import PROTEIN_SS

    begin = time.perf_counter()
    scores = regression(load(PROTEIN_SS).splits, arguments.windows_of)
    said = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
    print(
        f"logistic regression on {2 * SIDE + 1} residues: Q3 {said} ({time.perf_counter() - begin:.0f} s)", flush=True
    )
    found: dict[str, list[float]] = {name: [] for name in SPLITS}
    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder)) as workspace:
        for seed, measured in trained(workspace, arguments.seeds, arguments.epochs):
            for name, result in measured.items():
                found[name].append(result["metrics"]["accuracy"])
                low, high = result["interval"]["accuracy"]
                print(f"seed {seed}, {name}: Q3 {found[name][-1]:.4f} ({low:.4f} to {high:.4f})", flush=True)
    for name, values in found.items():
        spread = f"{min(values):.4f} to {max(values):.4f}"
        print(f"{name}: median Q3 {statistics.median(values):.4f} of {len(values)} seeds, {spread}")


if __name__ == "__main__":
    main()
