"""`layerwise compare`: runs beside each other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.tasks.metric_values import with_interval
from layerwise_app.cli.output import Json, above_interval, figures, print_json, print_table

if TYPE_CHECKING:
    from layerwise.comparing.comparison import Contrast
    from layerwise.registry import Snapshot
    from layerwise.runs import Run


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(compare)


def compare(
    runs: Annotated[list[str], typer.Argument(help="The ids of two runs or more, or their beginnings or ends.")],
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure their versions on the test split, unless that was done before.")
    ] = False,
    csv: Annotated[Path | None, typer.Option(help="Write a table with a row for each run and epoch.")] = None,
    summary_csv: Annotated[Path | None, typer.Option(help="Write a table with a row for each run.")] = None,
    json: Json = False,
) -> None:
    """Compare runs: what differs in their configs, what they reached, and whether that is more than chance."""
    from layerwise import open_workspace
    from layerwise.comparing import comparison

    with open_workspace() as workspace:
        found = comparison.find_runs(workspace.runs, runs)
        if evaluate:
            _measure(found, workspace.registry.snapshot(), quiet=json)
    for path, kind in ((csv, "epochs"), (summary_csv, "summary")):
        if path is not None:
            with path.open("w", encoding="utf-8", newline="") as file:
                comparison.WRITERS[kind](found, file)
    if json:
        print_json(comparison.described(found))
    else:
        _print(found)


def _measure(runs: Sequence[Run], snapshot: Snapshot, *, quiet: bool) -> None:
    """Measure the versions of the runs that have one."""
    from layerwise.comparing.measurement import Measurement

    for run in runs:
        if run.version_folder is not None:
            with contextlib.nullcontext(lambda *_: None) if quiet else _bar(f"evaluating {run.id}") as progress:
                Measurement(run).measure(snapshot, progress)


@contextlib.contextmanager
def _bar(text: str) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(runs: Sequence[Run]) -> None:
    from layerwise.comparing import comparison
    from layerwise.job_folders.events import metrics_of

    found = [comparison.summary(run) for run in runs]
    typer.secho("Runs", bold=True)
    print_table(
        ("run\n  model", "state", "epochs", "last epoch"),
        [
            (
                f"{number} {item['run']}\n  {item['model']}:{item['variant']}",
                item["state"],
                item["epochs"],
                figures(metrics_of(item["last"])) or item["reason"],
            )
            for number, item in enumerate(found, 1)
        ],
    )
    typer.secho("What differs", bold=True)
    print_table(
        ("", *(str(number) for number in range(1, len(runs) + 1))),
        [(item.name, *map(_value, item.values)) for item in comparison.differences(runs)],
        empty="Nothing: they were asked for the same.",
    )
    _print_measured(runs, found)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "-" if value is None else str(value)


def _print_measured(runs: Sequence[Run], found: Sequence[dict[str, Any]]) -> None:
    from layerwise.comparing.comparison import contrasts

    measured = [item["measured"] for item in found]
    if not any(measured):
        typer.echo("Not measured on held-out examples yet: --evaluate does that.")
        return
    typer.secho("Measured on held-out examples, with 95 % intervals", bold=True)
    said = contrasts(runs)
    names = dict.fromkeys(name for item in measured if item for name in item["metrics"])
    print_table(
        ("metric", *(str(number) for number in range(1, len(runs) + 1))),
        [
            ("", *(f"{item['split']}, {item['count']:,} examples" if item else "not measured" for item in measured)),
            *((name, *(_measured(item, name) for item in measured)) for name in names),
        ],
    )
    if said:
        typer.secho("Difference to run 1, on the same examples", bold=True)
        numbers = {run.id: number for number, run in enumerate(runs, 1)}
        print_table(
            ("metric", *(str(numbers[identifier]) for identifier in said)),
            [(name, *(_contrast(part.get(name)) for part in said.values())) for name in names],
        )


def _measured(item: dict[str, Any] | None, name: str) -> str:
    if not item or name not in item["metrics"]:
        return "-"
    return above_interval(item["metrics"][name], *item["interval"].get(name, (None, None)))


def _contrast(contrast: Contrast | None) -> str:
    if contrast is None:
        return "-"
    verdict = "beyond chance" if contrast.is_beyond_chance else "may be chance"
    return f"{with_interval(contrast.difference, contrast.low, contrast.high, '+')}, {verdict}"
