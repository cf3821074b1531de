"""Fine-tuning beside training from random weights, on few pictures: accuracy and time, by the project's own loop.

    python benchmarks/fine_tuning.py [--per-class N] [--seeds N]

The pictures are garments of Fashion-MNIST in a folder for each class: grey, of another kind than the photographs that
`vision/objects` was trained on. Both ways get the same pictures, the same epochs and the same held-out test pictures.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

MODEL = "vision/objects"
TEST_PER_CLASS = 100


def write_pictures(folder: Path, per_class: int) -> None:
    """Garments as PNG: `train/CLASS/` with `per_class` each, `test/CLASS/` with TEST_PER_CLASS."""
    import numpy as np
    from PIL import Image

    from layerwise.data import load
    from layerwise_vision.fashion_mnist import FASHION_MNIST, LABELS

    splits = load(FASHION_MNIST).splits
    for name, count in (("train", per_class), ("test", TEST_PER_CLASS)):
        split = splits[name]
        for target, label in enumerate(LABELS):
            target_folder = folder / name / label.replace("/", "-")
            target_folder.mkdir(parents=True)
            for place in np.flatnonzero(split.targets == target)[:count]:
                Image.fromarray(split.inputs[place, ..., 0]).save(target_folder / f"{place}.png")


def measure(workspace: Any, folder: Path, *, from_version: bool, seed: int) -> tuple[float, float]:
    """The accuracy on the test pictures, and the seconds of the training with its start."""
    from layerwise import jobs
    from layerwise.evaluation import evaluate
    from layerwise.fine_tuning import IN_USE, find_start, usual_config

    spec = workspace.registry.snapshot().model(MODEL)
    variant = spec.variant()
    start = find_start(workspace.versions, spec, variant.name, IN_USE if from_version else None)
    tuned = usual_config(variant, find_start(workspace.versions, spec, variant.name, IN_USE))
    # From random weights the steps may be larger, as in the training of the shipped weights.
    config = tuned if from_version else replace(tuned, learning_rate=variant.config.learning_rate / 4)
    begin = time.perf_counter()
    run = jobs.start(
        workspace.runs, spec, config=type(config)(**{**asdict(config), "seed": seed}), data=folder, start_from=start
    )
    last = list(jobs.follow(run))[-1]
    seconds = time.perf_counter() - begin
    if last["event"] != "finished":
        raise SystemExit(f"{run.id} {last['event']}: {last.get('reason', '')}")
    return evaluate(workspace, f"{MODEL}@{run.id}")["metrics"]["accuracy"], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--per-class", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    from layerwise import open_workspace

    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder) / "home") as workspace:
        pictures = Path(folder) / "garments"
        write_pictures(pictures, arguments.per_class)
        ways = {"from the shipped weights": True, "from random weights": False}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for seed in range(arguments.seeds):
            for name, from_version in ways.items():
                found[name].append(measure(workspace, pictures, from_version=from_version, seed=seed))
        print(f"{arguments.per_class} pictures of each of 10 classes, medians of {arguments.seeds}:")
        for name, results in found.items():
            accuracy, seconds = (statistics.median(values) for values in zip(*results, strict=True))
            print(f"  {name}: {accuracy:.1%} of {10 * TEST_PER_CLASS} test pictures, {seconds:.0f} s")


if __name__ == "__main__":
    main()
