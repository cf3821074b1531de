"""A leaderboard: models measured on the same examples, ranked, every two of them tested for whether they differ by more
than chance, and what they reach set against what they cost.

    with open_workspace() as workspace:
        board = leaderboard(workspace, ["vision/fashion:conv", "vision/fashion:dense"], limit=1000)

`layerwise.comparing.leaderboards` does the same in a process of its own and keeps the result.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.beside import check_same
from layerwise.comparing.benchmark import Benchmark, examples_for, find_benchmark
from layerwise.comparing.comparison import contrast
from layerwise.comparing.significance import bootstrap_p, holm, mcnemar
from layerwise.datasets.feed import take
from layerwise.errors import LayerwiseError
from layerwise.evaluation import compute_outputs, digest, figures
from layerwise.hyperparameters.studies import direction_of
from layerwise.serving.footprint import footprint
from layerwise.serving.loading import Runners, explained
from layerwise.tasks.classification import Classification
from layerwise.tasks.labels import plain_label
from layerwise.versions import Reference, Version
from layerwise.workers.limits import is_isolating
from layerwise.workers.pool import Workers

if TYPE_CHECKING:
    import numpy as np

    from layerwise.evaluation import Progress
    from layerwise.runner import Runner
    from layerwise.snapshot import Snapshot
    from layerwise.splits import Split
    from layerwise.tasks.base import Task
    from layerwise.workspace import Workspace

RESAMPLES = 2000
"""Enough that the least p of a bootstrap is still below 0.05 when it is corrected for the pairs of eight models."""
TIMED, TIMING_SECONDS = 12, 3.0
"""Of how many answers the time is taken, and after how long of no more."""
LEVEL = 0.05
"""Pairs whose adjusted p is below it differ by more than chance."""
Board = dict[str, Any]
"""A leaderboard as plain values, see `leaderboard`."""


def measure(
    snapshot: Snapshot, runners: Runners, version: Version, benchmark: Benchmark, progress: Progress | None = None
) -> dict[str, Any]:
    """What a version reaches on a benchmark, and what it costs, as plain values.

    Returns:
        `reference`, `sha256` (of its weights), `split`, `count`, `examples` (a digest of what was right, the same for
        the same examples), `metrics`, `interval`, `resampled` (see `layerwise.evaluation.figures`), `hits` ("1" for an
        example that is answered right, "0" for others; None where answers are not right or wrong), `seconds` (of the
        answer to one example alone, without reading the raw input; the median), `num_parameters`,
        `weights_bytes`, `where`.

    Raises:
        LayerwiseError: It cannot be measured on this.
    """
    with explained(version.reference, "be evaluated"):
        split, examples = examples_for(snapshot, version, benchmark)
        loaded = runners.get(snapshot.model(version.name), version)
        try:
            outputs = compute_outputs(loaded.runner, examples, progress)
            seconds = time_of_answer(loaded.runner, examples)
            takes = footprint(loaded)
        finally:
            runners.release(loaded)
        return {
            "reference": version.reference,
            "sha256": version.record.get("sha256"),
            "split": split,
            "count": len(examples),
            **_figures(version, benchmark, split, outputs, examples),
            "seconds": seconds,
            "num_parameters": takes.num_parameters,
            "weights_bytes": takes.weights_bytes,
            "where": takes.where,
        }


def _figures(version: Version, benchmark: Benchmark, split: str, outputs: Any, examples: Split) -> dict[str, Any]:
    import numpy as np

    task, targets = version.task, np.asarray(examples.targets)
    metrics, interval, resampled = figures(task, outputs, targets, for_comparing=True, resamples=RESAMPLES)
    hits = task.hits(outputs, targets)
    return {
        "examples": digest(benchmark.name, split, _named(task, targets)),
        "metrics": metrics,
        "interval": interval,
        # Seven digits: half the size of what is kept.
        "resampled": {name: [float(f"{value:.7g}") for value in values] for name, values in resampled.items()},
        "hits": None if hits is None else "".join("1" if hit else "0" for hit in hits),
    }


def _named(task: Task, targets: np.ndarray) -> np.ndarray:
    """What was right, as it is the same for all models: class numbers as the names of their labels."""
    import numpy as np

    if isinstance(task, Classification) and targets.ndim == 1 and targets.dtype.kind in "iu":
        return np.array([plain_label(label) for label in task.labels])[targets].astype(object)
    return targets


def time_of_answer(runner: Runner, examples: Split) -> float:
    """The median time of the answer to one example alone, in seconds; the first, for which something may have to be
    compiled, is left out where there are others."""
    import numpy as np

    times: list[float] = []
    places = np.linspace(0, len(examples) - 1, TIMED).astype(int)
    end = time.perf_counter() + TIMING_SECONDS
    for place in places:
        batch = take(examples, np.array([place]))[0]
        begin = time.perf_counter()
        runner.outputs(batch)
        times.append(time.perf_counter() - begin)
        if time.perf_counter() > end:
            break
    return statistics.median(times[1:] or times)


def metric_of(tasks: Sequence[Task], asked: str | None = None) -> str:
    """The metric by which models are ranked: the one that was asked for, otherwise the main one of their task; empty
    for the first that all of them have."""
    if asked:
        return asked
    names = {task.metric_between or task.metric for task in tasks}
    return names.pop() if len(names) == 1 else ""


def assemble(
    benchmark: Benchmark, metric: str, measured: Sequence[Mapping[str, Any]], missing: Sequence[Mapping[str, Any]] = ()
) -> Board:
    """The leaderboard of what was measured.

    Args:
        metric: By which they are ranked; empty for the first that all have.
        measured: As from `measure`.
        missing: `reference` and `error` of each that could not be measured, or `reference` alone of each that was not
            measured yet.

    Returns:
        See `leaderboard`.
    """
    measured, others = _comparable(measured)
    name = metric or _common_metric(measured)
    lacking = [item for item in measured if name not in item["metrics"]]
    ranked = [item for item in measured if name in item["metrics"] and math.isfinite(item["metrics"][name])]
    direction = direction_of(name)
    ranked.sort(key=lambda item: item["metrics"][name], reverse=direction == "max")
    fronts = {cost: _front(ranked, name, direction, cost) for cost in ("seconds", "num_parameters")}
    known = [
        {**_row(item), "place": place, "fronts": [cost for cost, front in fronts.items() if item["reference"] in front]}
        for place, item in enumerate(ranked, 1)
    ]
    failed = [
        {"reference": item["reference"], "error": f"It has no metric {name!r}: {', '.join(item['metrics'])}."}
        for item in lacking
    ]
    return {
        "data": benchmark.name,
        "split": measured[0]["split"] if measured else benchmark.split,
        "count": measured[0]["count"] if measured else 0,
        "metric": name,
        "direction": direction,
        "models": [*known, *failed, *others, *missing],
        "pairs": _pairs(ranked, name),
    }


def _comparable(
    measured: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[dict[str, Any]]]:
    """Those that were measured on the same examples as the first, and what is said of the others."""
    if not measured:
        return [], []
    first = measured[0]
    same = [item for item in measured if item["examples"] == first["examples"]]
    error = f"It was measured on other examples than {first['reference']}, with which it cannot be compared."
    return same, [
        {"reference": item["reference"], "error": error} for item in measured if item["examples"] != first["examples"]
    ]


def _common_metric(measured: Sequence[Mapping[str, Any]]) -> str:
    names = list(measured[0]["metrics"]) if measured else []
    return next((name for name in names if all(name in item["metrics"] for item in measured)), "")


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("sha256", "split", "count", "examples", "resampled", "hits")
    return {name: value for name, value in item.items() if name not in left_out}


def _front(ranked: Sequence[Mapping[str, Any]], metric: str, direction: str, cost: str) -> set[str]:
    """The models to which no other is both better and cheaper."""
    known = [item for item in ranked if item[cost] is not None]
    sign = 1 if direction == "max" else -1
    points = [(item[cost], sign * item["metrics"][metric]) for item in known]
    return {item["reference"] for item, is_on in zip(known, pareto_front(points), strict=True) if is_on}


def pareto_front(points: Iterable[tuple[float, float]]) -> list[bool]:
    """Whether each point is on the Pareto front: no other is at least as good and as cheap, and better or cheaper.

    Args:
        points: A cost, of which less is better, and a quality, of which more is better.

    Example:
        >>> pareto_front([(1, 0.8), (2, 0.9), (3, 0.9), (2, 0.7)])
        [True, True, False, False]
    """
    known = list(points)
    return [
        not any(
            other_cost <= cost and other_quality >= quality and (other_cost, other_quality) != (cost, quality)
            for other_cost, other_quality in known
        )
        for cost, quality in known
    ]


def _pairs(ranked: Sequence[Mapping[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Every two of the models: how far they are apart, and the p of the test, adjusted for how many there are."""
    pairs = [_pair(one, other, metric) for one, other in itertools.combinations(ranked, 2)]
    for pair, adjusted in zip(pairs, holm([pair["p"] for pair in pairs]), strict=True):
        pair |= {"adjusted_p": adjusted, "is_beyond_chance": adjusted < LEVEL}
    return pairs


def _pair(one: Mapping[str, Any], other: Mapping[str, Any], metric: str) -> dict[str, Any]:
    found = contrast(other, one).get(metric)
    pair: dict[str, Any] = {
        "one": one["reference"],
        "other": other["reference"],
        "difference": one["metrics"][metric] - other["metrics"][metric],
        "low": found.low if found else None,
        "high": found.high if found else None,
    }
    if metric == "accuracy" and one["hits"] and other["hits"]:
        import numpy as np

        first, second = (np.array([hit == "1" for hit in item["hits"]]) for item in (one, other))
        said = mcnemar(first, second)
        return pair | {"test": "McNemar", "p": said.p, "only_one": said.only_one, "only_other": said.only_other}
    values = zip(one["resampled"].get(metric, ()), other["resampled"].get(metric, ()), strict=False)
    differences = [first - second for first, second in values]
    return pair | {"test": "bootstrap", "p": bootstrap_p(differences), "resamples": len(differences)}


def make_runners(workspace: Workspace) -> tuple[Runners, Workers | None]:
    """What loads the models that are measured, those of strangers in processes of their own, which the caller
    closes."""
    registered = workspace.registry.snapshot
    workers = Workers(workspace.home, registered) if is_isolating() else None
    return Runners(registered, workers), workers


def find_versions(workspace: Workspace, models: Sequence[str | Reference]) -> list[Version]:
    """The versions of models that are to be measured beside each other.

    Raises:
        NotFoundError: There is no such model, variant or version, or one has no weights yet.
        InputError: As for `layerwise.beside.check_same`.
    """
    return [workspace.predictor.version(reference) for reference in check_same(workspace, models)]


def leaderboard(
    workspace: Workspace,
    models: Sequence[str | Reference],
    *,
    data: Path | str | None = None,
    split: str = "test",
    limit: int | None = None,
    metric: str | None = None,
    progress: Progress | None = None,
) -> Board:
    """Measure models on the same examples, and rank them. Here and now; nothing is kept.

    Args:
        models: Two or more that can be asked the same.
        data: As for `find_benchmark`.
        split, limit: As of a Benchmark.
        metric: By which they are ranked; None is the main one of their task.
        progress: Told how many examples of the model that is being measured are done, and of how many.

    Returns:
        `data`, `split`, `count`, `metric`, `direction` ("max" or "min": which of it is better); `models`, the best
        first, each as from `measure` with its `place` and the `fronts` ("seconds", "num_parameters") on which it is,
        or with an `error`; `pairs`, every two of them, each with `one`, `other`, `difference`, its 95 % interval `low`
        and `high` by a paired bootstrap, `test` ("McNemar", exact, for accuracies, otherwise "bootstrap"), `p`,
        `adjusted_p` (Holm's correction over all pairs) and `is_beyond_chance`.

    Raises:
        NotFoundError, InputError, DataError: As for `find_versions` and `find_benchmark`.
    """
    versions = find_versions(workspace, models)
    benchmark = find_benchmark(workspace, versions, data, split=split, limit=limit)
    snapshot, measured, failed = workspace.registry.snapshot(), [], []
    runners, workers = make_runners(workspace)
    try:
        for version in versions:
            try:
                measured.append(measure(snapshot, runners, version, benchmark, progress))
            except LayerwiseError as error:
                failed.append({"reference": version.reference, "error": str(error)})
    finally:
        if workers is not None:
            workers.close()
    return assemble(benchmark, metric_of([version.task for version in versions], metric), measured, failed)
