"""Runs beside each other: what they were asked for differently, what became of them, and whether the difference of
their figures is more than chance."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from layerwise.comparing.measurement import Measurement
from layerwise.errors import InputError
from layerwise.runs import Run, RunStore
from layerwise.spreadsheets import plain_cell

_ABOUT_THE_EVENT = ("time", "event")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something in which runs differ.

    Args:
        kind: "config", or "run" for what they were made of and with.
        name: The field of the config, "data", "git", "device", or a package.
        values: One for each run, None where it has none.
    """

    kind: str
    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How much more of a metric one version has than another, on the same examples.

    Args:
        difference: Of the two values.
        low, high: Its 95 % interval by a paired bootstrap: both versions on the same resampled examples.
    """

    difference: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval excludes zero: with other examples of the same kind the sign would, in 95 % of the
        cases, be the same. It says nothing about another seed of the training."""
        return not self.low <= 0 <= self.high


def find_runs(store: RunStore, identifiers: Iterable[str]) -> list[Run]:
    """The runs with these ids, each once.

    Raises:
        NotFoundError: There is no such run.
        InputError: They are fewer than two.
    """
    found = {run.id: run for run in map(store.get, identifiers)}
    if len(found) < 2:
        raise InputError("There is nothing to compare", expected="two runs or more", received=str(len(found)))
    return list(found.values())


def differences(runs: Sequence[Run]) -> list[Difference]:
    """All in which the runs differ, the fields of their configs first."""
    found = []
    for kind, parts in (("config", [run.config for run in runs]), ("run", [_origin(run) for run in runs])):
        for name in dict.fromkeys(name for part in parts for name in part):
            values = tuple(part.get(name) for part in parts)
            if any(value != values[0] for value in values):
                found.append(Difference(kind=kind, name=name, values=values))
    return found


def _origin(run: Run) -> dict[str, Any]:
    """What a run was made of, and with."""
    environment = run.request.get("environment") or {}
    started = next((event for event in run.events() if event["event"] == "started"), {})
    return {
        "model": run.name,
        "variant": run.variant,
        "data": run.data,
        "git": run.request.get("git"),
        "device": started.get("device"),
        **{name: environment.get(name) for name in ("backend", "python", "system", "cpu", "cores")},
        **environment.get("packages", {}),
    }


def contrast(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Contrast]:
    """For each metric how much more of it `other` has than `one`.

    Args:
        one, other: Results of `layerwise.comparing.measurement`. Nothing is said of versions that were measured on
            different examples, or of metrics that only one of them has.
    """
    if one["examples"] != other["examples"]:
        return {}
    from layerwise.comparing.intervals import percentile_interval

    found = {}
    for name in one["metrics"]:
        # A slow metric may have fewer resamples in one of them: those that both have are the same examples.
        pairs = zip(one["resampled"].get(name, ()), other["resampled"].get(name, ()), strict=False)
        interval = percentile_interval([second - first for first, second in pairs])
        if interval is not None:
            difference = other["metrics"][name] - one["metrics"][name]
            found[name] = Contrast(difference=difference, low=interval[0], high=interval[1])
    return found


def summary(run: Run) -> dict[str, Any]:
    """What became of a run, as plain values.

    Returns:
        run, model, variant, state, reason, created, data, epochs, seconds (of all epochs), last (the metrics of the
        last epoch), measured (of its version: split, count, metrics, interval), or None when that is not known.
    """
    history, result = run.history(), Measurement(run).result
    return {
        "run": run.id,
        "model": run.name,
        "variant": run.variant,
        "state": run.state,
        "reason": run.reason,
        "created": run.created,
        "data": run.data,
        "epochs": len(history),
        "seconds": round(sum(event.get("seconds", 0.0) for event in history), 3),
        "last": _row_of(history[-1]) if history else {},
        "measured": {name: result[name] for name in ("dataset", "split", "count", "metrics", "interval")}
        if result
        else None,
    }


def contrasts(runs: Sequence[Run]) -> dict[str, dict[str, Contrast]]:
    """For each run after the first how it differs from the first, by its id; those that are measured on the same
    examples as the first only."""
    first, *others = [Measurement(run).result for run in runs]
    found = {}
    for run, result in zip(runs[1:], others, strict=True):
        if first and result and (said := contrast(first, result)):
            found[run.id] = said
    return found


def described(runs: Sequence[Run]) -> dict[str, Any]:
    """The whole comparison as plain values: `runs` (a summary of each, with its history), `differences`, and
    `contrasts` (of each run with the first)."""
    return {
        "runs": [{**summary(run), "history": [_row_of(event) for event in run.history()]} for run in runs],
        "differences": [asdict(item) for item in differences(runs)],
        "contrasts": {
            identifier: {
                name: {**asdict(item), "is_beyond_chance": item.is_beyond_chance} for name, item in found.items()
            }
            for identifier, found in contrasts(runs).items()
        },
    }


def _row_of(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in _ABOUT_THE_EVENT}


def write_epochs(runs: Sequence[Run], file: TextIO) -> None:
    """Write a CSV table with a row for each run and epoch."""
    _write_csv([{"run": run.id, **_row_of(event)} for run in runs for event in run.history()], file)


def write_summary(runs: Sequence[Run], file: TextIO) -> None:
    """Write a CSV table with a row for each run: its config, its last metrics, and those measured on held-out data with
    the bounds of their 95 % intervals."""
    _write_csv([_summary_row(run) for run in runs], file)


def _summary_row(run: Run) -> dict[str, Any]:
    found = summary(run)
    last, measured = found.pop("last"), found.pop("measured")
    row = {**found, **{f"config_{name}": value for name, value in run.config.items()}}
    row |= {f"last_{name}": value for name, value in last.items()}
    if measured:
        row |= {"measured_split": measured["split"], "measured_count": measured["count"]}
        for name, value in measured["metrics"].items():
            low, high = measured["interval"].get(name, (None, None))
            row |= {f"measured_{name}": value, f"measured_{name}_low": low, f"measured_{name}_high": high}
    return row


def _write_csv(rows: Sequence[Mapping[str, Any]], file: TextIO) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(file, fieldnames=[plain_cell(name) for name in names] or ["run"])
    writer.writeheader()
    writer.writerows({plain_cell(name): plain_cell(_cell(value)) for name, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


WRITERS: dict[str, Callable[[Sequence[Run], TextIO], None]] = {"epochs": write_epochs, "summary": write_summary}
"""The tables that can be exported, by name."""
