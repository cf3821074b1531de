"""Verification: whether the weights that are shipped still give the figures that their records hold.

A record says under "measured" what `layerwise evaluate` gave, and under "of" in it what that was measured on, as
digests: the weights, the task and the config (`setup`), the files of the data, the examples themselves. A figure is

    right          when it was measured once more and is the same, within a tolerance
    wrong          when it is another one, or the weights cannot be used
    stale          when it is of other weights, another setup or other data than those that are there now, or when the
                   command in the record would train with another config
    no data        when the data are not on this machine
    not measured   when the record holds none, or when measuring it takes long and was not asked for
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from layerwise import weights
from layerwise.comparing.intervals import wilson
from layerwise.context import train_command
from layerwise.data import without_downloads
from layerwise.errors import LayerwiseError, MissingDataError, NotFoundError
from layerwise.evaluation import answers_of, digest, figures, is_share, resampled_metrics
from layerwise.hardware.environment import cpu_seconds
from layerwise.specs import ForeignSpec
from layerwise.versions import SHIPPED, parse_reference

if TYPE_CHECKING:
    from layerwise.evaluation import Answers
    from layerwise.registry import Snapshot
    from layerwise.specs import ModelSpec, Variant
    from layerwise.tasks.base import Task
    from layerwise.versions import Version, VersionStore

logger = logging.getLogger(__name__)

RIGHT, WRONG, STALE, NO_DATA, NOT_MEASURED = "right", "wrong", "stale", "no data", "not measured"
BAD = (WRONG, STALE)
"""The states for which somebody has to do something."""
TOLERANCE = 0.001
"""By how much a metric may be another one, as a share of it, or as a number where it is less than 1. Other processors
round otherwise, so one example may be answered otherwise, too, where that makes more."""
COSTLY_SECONDS = 60.0
"""What takes longer, in seconds of a processor by the record, is measured only for those who ask for it."""
SAMPLE = 200
"""How many examples are a sample."""
SAMPLE_CONFIDENCE = 0.999
"""The recorded figure must lie within this interval of what the sample gives: where thirty models are right, one is
called wrong in three of a hundred cases."""
SAMPLE_RESAMPLES = 200

Progress = Callable[[str, int, int], None]
"""Called with the model, how many of its examples are done, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the figure of a shipped version.

    Args:
        name, variant: Whose it is.
        state: One of those above.
        reason: Why, for a reader; empty where the state says it all.
        metric: The name of the main metric.
        recorded, measured: Its value in the record, and as measured now.
        examples: On how many examples that was.
        cpu_seconds: What it took of a processor.
        of: What was measured now, as in records.
    """

    name: str
    variant: str
    state: str
    reason: str = ""
    metric: str = ""
    recorded: float | None = None
    measured: float | None = None
    examples: int = 0
    cpu_seconds: float = 0.0
    of: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The name under which the model can be asked for."""
        return f"{self.name}:{self.variant}"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How much is measured.

    Args:
        quick: Only the main metric, on a sample of the examples.
        costly: What takes long, too.
        download: Data that are not here, too.
    """

    quick: bool = False
    costly: bool = False
    download: bool = False


EVERYTHING_CHEAP = Scope()


def shipped_models(snapshot: Snapshot, references: Sequence[str] = ()) -> list[tuple[ModelSpec, Variant]]:
    """The variants whose weights are shipped, in the order of the registry.

    Args:
        references: Models, `name[:variant]`; none for all.

    Raises:
        NotFoundError: There is no such model, or it comes without weights.
    """
    if not references:
        return [(spec, item) for spec in snapshot.models.values() for item in spec.variants if item.weights is not None]
    found: dict[tuple[str, str], tuple[ModelSpec, Variant]] = {}
    for reference in map(parse_reference, references):
        spec = snapshot.model(reference.name)
        variants = spec.variants if reference.variant is None else (spec.variant(reference.variant),)
        with_weights = [item for item in variants if item.weights is not None]
        if not with_weights or reference.version not in (None, SHIPPED):
            raise NotFoundError(
                f"{reference} is nothing that is shipped",
                expected="a model that comes with weights, without the id of a version",
                remedy="layerwise verify without a name lists them all; layerwise evaluate measures any version",
            )
        found |= {(spec.name, item.name): (spec, item) for item in with_weights}
    return list(found.values())


def verify(
    snapshot: Snapshot,
    versions: VersionStore,
    models: Sequence[tuple[ModelSpec, Variant]],
    scope: Scope = EVERYTHING_CHEAP,
    progress: Progress | None = None,
) -> Iterator[Verdict]:
    """The verdict on each of some shipped models, as they come. What goes wrong with one ends none of the others."""
    for spec, variant in models:
        begin = cpu_seconds()
        try:
            found = verdict_on(snapshot, versions.get(spec, variant.name, SHIPPED), scope, progress)
        except (Exception, SystemExit) as error:  # a model is a plugin's code
            if not isinstance(error, LayerwiseError):
                logger.exception("%s:%s could not be verified", spec.name, variant.name)
            reason = str(error) if isinstance(error, LayerwiseError) else f"An unexpected {error!r}"
            found = Verdict(name=spec.name, variant=variant.name, state=WRONG, reason=reason)
        yield replace(found, cpu_seconds=round(cpu_seconds() - begin, 2))


def confirmed(snapshot: Snapshot, version: Version) -> dict[str, Any]:
    """What the record of a version holds under "measured", with what that is of and what measuring takes: all that
    makes it possible to verify it.

    Raises:
        MissingDataError: It cannot be measured here.
        LayerwiseError: Its figures are not right.
    """
    measured = {name: value for name, value in version.record["measured"].items() if name != "of"}
    version, begin = replace(version, record={**version.record, "measured": measured}), cpu_seconds()
    verdict = verdict_on(snapshot, version, Scope(costly=True, download=True))
    if verdict.state == NO_DATA:
        raise MissingDataError(verdict.reason)
    if verdict.state != RIGHT:
        raise LayerwiseError(f"What the record of {version.reference} says is {verdict.state}", received=verdict.reason)
    return measured | {"of": dict(verdict.of), "cpu_seconds": round(cpu_seconds() - begin, 2)}


def verdict_on(
    snapshot: Snapshot, version: Version, scope: Scope = EVERYTHING_CHEAP, progress: Progress | None = None
) -> Verdict:
    """The verdict on one version, whose processor time is not said.

    Raises:
        LayerwiseError: Its weights cannot be used.
    """
    spec = snapshot.model(version.name)
    weights.read_arrays(version.folder)
    verdict = Verdict(name=version.name, variant=version.variant, state=NOT_MEASURED)
    measured = version.record.get("measured")
    if not measured:
        return replace(verdict, reason="Its record holds no figure; its card says how it was measured.")
    metric, recorded = next(iter(measured["metrics"].items()))
    verdict = replace(verdict, metric=metric, recorded=recorded)
    if reason := outdated(snapshot, spec, version):
        return replace(verdict, state=STALE, reason=reason)
    if isinstance(spec, ForeignSpec):
        return replace(verdict, reason=f"Its plugin has a Python of its own: {spec.python} -m layerwise_app.cli verify")
    if not scope.costly and cost(version) > COSTLY_SECONDS:
        command = f"layerwise verify {verdict.reference} --all"
        return replace(verdict, reason=f"It takes about {cost(version):.0f} s of a processor: {command}")
    try:
        with contextlib.nullcontext() if scope.download else without_downloads():
            answers = answers_of(
                snapshot,
                version,
                split=measured["split"],
                limit=SAMPLE if scope.quick else None,
                progress=None if progress is None else lambda done, total: progress(verdict.reference, done, total),
            )
    except MissingDataError as error:
        return replace(verdict, state=NO_DATA, reason=str(error))
    if scope.quick and len(answers.targets) == SAMPLE < measured["count"]:
        return _judged_by_sample(version.task, answers, verdict)
    return _judged(snapshot, version, answers, verdict)


def cost(version: Version) -> float:
    """What measuring takes of a processor by the record, in seconds; where it only says for how long it went on, that,
    which is more."""
    measured = version.record["measured"]
    return measured.get("cpu_seconds", measured["seconds"])


def outdated(snapshot: Snapshot, spec: ModelSpec, version: Version) -> str:
    """Why the figure in the record of a version is of something else than what is there now, without measuring; empty
    where it is not."""
    record = version.record
    measured, data = record["measured"], record.get("data") or {}
    if data.get("dataset") is not None and data["dataset"] != spec.data:
        return f"It was trained and measured on the data set {data['dataset']}; the model's is {spec.data} now."
    variant = spec.variant(version.variant)
    # Where a variant leaves the precision to the machine, the record holds what that has chosen.
    config = replace(version.config, precision=variant.config.precision)
    command = str(record.get("command", ""))
    words = shlex.split(command)
    own_data = words[words.index("--data") + 1] if "--data" in words else None
    now = train_command(spec, variant.name, config, own_data, start_from=record.get("start_from"))
    if words[:2] == ["layerwise", "train"] and command != now:
        return f"The command in its record trains with another config today; what trained it is: {now}"
    then, now_of = measured.get("of", {}), measured_on(snapshot, version, measured["source"])
    names = {"weights": "other weights", "setup": "another task or config", "files": "other files of its data set"}
    changed = [words for name, words in names.items() if name in then and then[name] != now_of.get(name, then[name])]
    return f"It was measured with {' and '.join(changed)} than are there now." if changed else ""


def measured_on(snapshot: Snapshot, version: Version, source: str) -> dict[str, str]:
    """What a measurement of a version is of, as digests: `weights`, `setup` and, of data that have files, `files`.

    Args:
        source: The name of the source of the data. One that is not there any more has no files.
    """
    record = version.record
    found = {"weights": record["sha256"], "setup": _digest([record["task"], record["config"]])}
    name = (record.get("data") or {}).get("dataset")
    sources = snapshot.dataset(name).sources if name is not None else ()
    files = next((item.files for item in sources if item.name == source), ())
    return found | ({"files": _digest([[file.name, file.sha256] for file in files])} if files else {})


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _judged(snapshot: Snapshot, version: Version, answers: Answers, verdict: Verdict) -> Verdict:
    """The verdict by what the version answers to all examples."""
    task, measured, count = version.task, version.record["measured"], len(answers.targets)
    metrics = _metrics(task, answers)
    examples = digest(answers.dataset, answers.split, answers.targets)
    of = {**measured_on(snapshot, version, measured["source"]), "examples": examples}
    verdict = replace(verdict, measured=metrics.get(verdict.metric), examples=count, of=of)
    then = measured.get("of", {}).get("examples", examples)
    if count != measured["count"] or examples != then:
        what = f"{measured['count']:,} other examples than the {count:,} that its data set gives now"
        return replace(verdict, state=STALE, reason=f"It was measured on {what}.")
    reason = _of_played(task, answers, measured, metrics) if task.own_splits() else _of_all(measured, metrics)
    return replace(verdict, state=WRONG if reason else RIGHT, reason=reason)


def _metrics(task: Task, answers: Answers) -> dict[str, float]:
    return {name: float(value) for name, value in task.evaluate(answers.outputs, answers.targets).items()}


def _of_all(measured: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """Why the figures of all examples are not those of the record; empty when they are."""
    count, wrong = measured["count"], []
    for name, recorded in measured["metrics"].items():
        value = metrics.get(name, math.nan)
        if not abs(value - recorded) <= tolerance(recorded, count):
            wrong.append(f"{name} is {value:.6g} and not {recorded:.6g}")
        low, high = measured["interval"].get(name, (None, None))
        if low is None or high is None:
            continue
        shares = wilson(round(recorded * count), count) if is_share(name, recorded, count) else (low, high)
        if not low <= recorded <= high or not all(map(math.isclose, shares, (low, high))):
            wrong.append(f"{name} has the interval {low:.6g} to {high:.6g}, which does not belong to it")
    return f"{'; '.join(wrong)}." if wrong else ""


def tolerance(recorded: float, count: int) -> float:
    """How far a metric of `count` examples may be from the recorded one.

    Example:
        >>> print(f"{tolerance(0.9383, 10_000):.4f} {tolerance(0.9625, 240):.4f} {tolerance(52.75, 4534):.4f}")
        0.0010 0.0042 0.0527
    """
    return max(TOLERANCE * max(1.0, abs(recorded)), 1 / count)


def _of_played(task: Task, answers: Answers, measured: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """Why the figures of episodes are not those of the record; empty when they are. An episode goes another way from
    the first number on that is rounded otherwise, so that the two are samples, whose intervals must meet."""
    _, intervals, _ = figures(task, answers.outputs, answers.targets)
    wrong = []
    for name, recorded in measured["metrics"].items():
        value = metrics.get(name, math.nan)
        low, high = intervals.get(name, (value, value))
        least, most = measured["interval"].get(name, (recorded, recorded))
        if not (low <= most and least <= high) and not abs(value - recorded) <= tolerance(recorded, measured["count"]):
            wrong.append(f"{name} is {value:.6g} ({low:.6g} to {high:.6g}) and not {recorded:.6g}")
    return f"{'; '.join(wrong)}." if wrong else ""


def _judged_by_sample(task: Task, answers: Answers, verdict: Verdict) -> Verdict:
    """The verdict by what the version answers to a sample of the examples: whether the recorded figure lies within
    the interval of what it gives."""
    metric, recorded, count = verdict.metric, verdict.recorded or 0.0, len(answers.targets)
    value = _metrics(task, answers).get(metric, math.nan)
    verdict = replace(verdict, measured=value, examples=count)
    if is_share(metric, value, count):
        low, high = wilson(round(value * count), count, confidence=SAMPLE_CONFIDENCE)
    else:
        import numpy as np

        drawn = resampled_metrics(task, answers.outputs, answers.targets, SAMPLE_RESAMPLES).get(metric, [math.nan])
        half = NormalDist().inv_cdf(0.5 + SAMPLE_CONFIDENCE / 2) * float(np.nanstd(drawn)) + tolerance(recorded, count)
        low, high = value - half, value + half
    if low <= recorded <= high:
        return replace(verdict, state=RIGHT)
    reason = (
        f"{metric} is {value:.6g} on {count} examples, whose {SAMPLE_CONFIDENCE:.1%} interval, "
        f"{low:.6g} to {high:.6g}, does not hold {recorded:.6g}."
    )
    return replace(verdict, state=WRONG, reason=reason)
