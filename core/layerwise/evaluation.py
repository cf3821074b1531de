"""Evaluation: a version's metrics on a split that it was not trained on, with their confidence intervals."""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.comparing.intervals import percentile_interval, resample, wilson
from layerwise.data import load
from layerwise.datasets.batches import map_arrays
from layerwise.datasets.feed import take
from layerwise.errors import DataError
from layerwise.runner import Runner, make_runner
from layerwise.serving.in_use import find_version
from layerwise.serving.loading import explained
from layerwise.splits import Split, hold_out
from layerwise.versions import parse_reference

if TYPE_CHECKING:
    import numpy as np

    from layerwise.plots import Plot
    from layerwise.registry import Snapshot
    from layerwise.tasks.base import Task
    from layerwise.versions import Reference, Version
    from layerwise.workspace import Workspace

BATCH_SIZE = 256
BOOTSTRAP_SECONDS = 20.0
"""Resampling ends after this time, with fewer resamples, for metrics that are slow."""

Progress = Callable[[int, int], None]
"""Called with how many examples are done, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a version gives for examples that it was not trained on.

    Args:
        dataset, source, split: Where the examples are from, as for `find_split`.
        inputs: What it was given, [examples, ...].
        outputs: What it gave, an array [examples, ...] or a dict of them.
        targets: What was right, [examples, ...].
    """

    dataset: str
    source: str
    split: str
    inputs: Any
    outputs: Any
    targets: np.ndarray


def evaluate(
    workspace: Workspace,
    reference: str | Reference,
    *,
    split: str = "test",
    data: Path | str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a version on a split of the data that it was trained for, or on a folder of one's own.

    Args:
        reference: The model, variant and version, as for the predictor.
        split: The name of the split. "validation" is the part of the training data that was held out when this
            version was trained, unless the data set has a split of that name.
        data: A folder or file as the task's `folder_format` says, a zip archive of one, or the id of an upload. One
            without splits is evaluated as a whole, which `split` "all" in the result says.
        progress: Told how far it is, after each batch.

    Returns:
        `name`, `variant`, `version` (its id), `dataset` (its name, or the folder), `source`, `split`, `count`,
        `metrics`, `interval` (`{metric: [low, high]}`, 95 %: Wilson for accuracies, bootstrap over the examples
        for others; none for a metric that this biases) and `seconds`.

    Raises:
        NotFoundError: There is no such model, variant or version.
        DataError: The data cannot be had, or have no such split.
        LayerwiseError: The weights cannot be used, or the model has no outputs to measure.
    """
    wanted = parse_reference(reference)
    snapshot = workspace.registry.snapshot()
    version = find_version(workspace.versions, snapshot.model(wanted.name), wanted.variant, wanted.version)
    data = workspace.uploads.locate(data) if data is not None else None
    return evaluate_version(snapshot, version, split=split, data=data, progress=progress)


def evaluate_version(
    snapshot: Snapshot,
    version: Version,
    *,
    split: str | Sequence[str] = "test",
    data: Path | str | None = None,
    progress: Progress | None = None,
    for_comparing: bool = False,
) -> dict[str, Any]:
    """`evaluate` for a version that was found already, in use or not.

    Args:
        split: The name of the split, or several: the first of them that the data have.
        for_comparing: Whether the result shall also hold `examples`, a digest that is the same for the same examples,
            and `resampled`: for each metric its values in resamples, the same ones for all models.
    """
    begin = time.perf_counter()
    found = answers_of(snapshot, version, split=split, data=data, progress=progress)
    with explained(version.reference, "be evaluated"):
        metrics, interval, resampled = figures(version.task, found.outputs, found.targets, for_comparing=for_comparing)
    more: dict[str, Any] = {}
    if for_comparing:
        more = {"examples": digest(found.dataset, found.split, found.targets), "resampled": resampled}
    return {
        "name": version.name,
        "variant": version.variant,
        "version": version.id,
        "dataset": found.dataset,
        "source": found.source,
        "split": found.split,
        "count": len(found.targets),
        "metrics": metrics,
        "interval": interval,
        **more,
        "seconds": round(time.perf_counter() - begin, 3),
    }


def answers_of(
    snapshot: Snapshot,
    version: Version,
    *,
    split: str | Sequence[str] = "test",
    data: Path | str | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Answers:
    """What a version gives for the examples of `evaluate_version`.

    Args:
        limit: How many of them at most, evenly chosen.

    Raises:
        LayerwiseError: As for `evaluate`.
    """
    with explained(version.reference, "be evaluated"):
        dataset, source, found_split, examples = find_split(snapshot, version, split, data)
        examples = version.task.to_measure_on(examples)
        if limit is not None and limit < len(examples):
            examples = examples.select(_evenly(len(examples), limit))
        with contextlib.closing(make_runner(snapshot.model(version.name), version, lambda: snapshot)) as runner:
            outputs = compute_outputs(runner, examples, progress)
    return Answers(
        dataset=dataset,
        source=source,
        split=found_split,
        inputs=examples.inputs,
        outputs=outputs,
        targets=_as_array(examples.targets),
    )


def _evenly(count: int, limit: int) -> np.ndarray:
    import numpy as np

    return np.linspace(0, count - 1, limit).round().astype(np.int64)


def figures(
    task: Task, outputs: Any, targets: np.ndarray, *, for_comparing: bool = False, resamples: int = 1000
) -> tuple[dict[str, float], dict[str, list[float]], dict[str, list[float]]]:
    """The metrics of a model's outputs.

    Args:
        outputs, targets: As for `Task.evaluate`.
        for_comparing: Whether they are resampled also where no interval needs it.
        resamples: How often, as long as there is time.

    Returns:
        The metrics; the 95 % interval of each that has one; its values in resamples (`resampled_metrics`).
    """
    metrics = {name: float(value) for name, value in task.evaluate(outputs, targets).items()}
    shares = {name for name, value in metrics.items() if is_share(name, value, len(targets))}
    is_needed = for_comparing or shares != metrics.keys()
    resampled = resampled_metrics(task, outputs, targets, resamples) if is_needed else {}
    return metrics, _intervals(metrics, len(targets), shares, resampled), resampled


def report_of(
    snapshot: Snapshot, version: Version, *, split: str = "test", data: Path | str | None = None
) -> Sequence[Plot]:
    """What the version's task shows beside its metrics (`Task.report`), on the examples of `evaluate_version`.

    Raises:
        LayerwiseError: As for `evaluate`.
    """
    found = answers_of(snapshot, version, split=split, data=data)
    with explained(version.reference, "be evaluated"):
        return version.task.report(found.outputs, found.targets, found.inputs)


def find_split(
    snapshot: Snapshot, version: Version, split: str | Sequence[str], data: Path | str | None
) -> tuple[str, str, str, Split]:
    """The data set's name, its source's name, the split's name and its examples.

    Args:
        split: The name of the split, or several: the first of them that the data have.

    Raises:
        DataError: There is no such split.
    """
    wanted = (split,) if isinstance(split, str) else split
    record = version.record.get("data") or {}
    own = data if data is not None else record.get("folder")
    name = record.get("dataset") or snapshot.model(version.name).data
    if own is not None:
        splits = dict(version.task.read_to_measure(Path(own)))
        dataset, source = str(own), "folder"
    elif name is None and (made := version.task.own_splits()):
        splits, dataset, source = dict(made), version.task.type_name, "made"
    else:
        if name is None:
            raise DataError(f"{version.name} has no data set to be evaluated on", remedy="name a folder: --data FOLDER")
        loaded = load(snapshot.dataset(name), snapshot)
        splits, dataset, source = dict(loaded.splits), name, loaded.source.name
    is_strange = data is not None and (record.get("folder") is None or not _is_same(data, record["folder"]))
    if is_strange:
        # Nothing in it was trained on, so there is nothing to hold out.
        if set(splits) == {"train"} and "test" in wanted:
            return dataset, source, "all", splits["train"]
    elif "validation" not in splits and "train" in splits:
        train, held_out = hold_out(splits["train"], record.get("validation_fraction", 0.0), record.get("seed", 0))
        splits |= {"train": train} | ({"validation": held_out} if held_out is not None else {})
    found = next((name for name in wanted if name in splits), None)
    if found is None:
        raise DataError(
            f"{dataset} has no split {' or '.join(map(repr, wanted))}",
            expected=", ".join(splits),
            remedy="choose one with --split; figures on train say nothing about new examples",
        )
    return dataset, source, found, splits[found]


def _is_same(one: Path | str, other: Path | str) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def compute_outputs(runner: Runner, examples: Split, progress: Progress | None = None) -> Any:
    """What the model gives for each example: an array [examples, ...], or a dict of them.

    Raises:
        DataError: There is no example.
    """
    import numpy as np

    count = len(examples)
    if count == 0:
        raise DataError("There is not a single example to evaluate on")
    parts = []
    for start in range(0, count, BATCH_SIZE):
        stop = min(start + BATCH_SIZE, count)
        parts.append(runner.outputs(take(examples, np.arange(start, stop))[0]))
        if progress is not None:
            progress(stop, count)
    if isinstance(parts[0], Mapping):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(parts)


def resampled_metrics(task: Task, outputs: Any, targets: np.ndarray, resamples: int = 1000) -> dict[str, list[float]]:
    """The metrics in samples that are drawn from the examples (`layerwise.comparing.intervals.resample`)."""

    def statistics(positions: np.ndarray) -> Mapping[str, float]:
        return task.evaluate(map_arrays(lambda array: array[positions], outputs), targets[positions])

    return resample(statistics, len(targets), resamples=resamples, seconds=BOOTSTRAP_SECONDS)


def _intervals(
    metrics: Mapping[str, float], count: int, shares: Set[str], resampled: Mapping[str, Sequence[float]]
) -> dict[str, list[float]]:
    """The 95 % interval of each metric that has one."""
    found = {
        name: wilson(round(value * count), count)
        if name in shares
        else percentile_interval(resampled.get(name, ()), around=value)
        for name, value in metrics.items()
    }
    return {name: list(interval) for name, interval in found.items() if interval is not None}


def digest(dataset: str, split: str, targets: np.ndarray) -> str:
    """What tells the examples of one evaluation from those of another."""
    # The bytes of an array of objects are addresses.
    content = repr(targets.tolist()).encode() if targets.dtype.hasobject else targets.tobytes()
    return hashlib.sha256(f"{dataset}\n{split}\n{targets.dtype}{targets.shape}\n".encode() + content).hexdigest()[:16]


def is_share(name: str, value: float, count: int) -> bool:
    """Whether a metric is a share of the examples: called an accuracy, and a whole number of them. A balanced
    accuracy is a mean of shares of classes, even where it happens to be such a number."""
    if not name.endswith("accuracy") or name.startswith("balanced") or not 0 <= value <= 1:
        return False
    return math.isclose(value * count, round(value * count), abs_tol=1e-6 * count)


def _as_array(values: Any) -> np.ndarray:
    import numpy as np

    return np.asarray(values)
