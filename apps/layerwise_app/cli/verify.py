"""`layerwise verify`: whether what is shipped still gives the figures in its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.tasks.metric_values import in_digits
from layerwise_app.cli.follow import STATUS
from layerwise_app.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from layerwise.verification import Progress, Verdict


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(verify)


def verify(
    models: Annotated[
        list[str] | None, typer.Argument(help="Those to look at: domain/application[:variant]. None means all.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure the main figure alone, on a sample of the examples.")
    ] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="Measure what takes more than a minute of a processor, too.")
    ] = False,
    download: Annotated[bool, typer.Option("--download", help="Download data that are not on this machine.")] = False,
    json: Json = False,
) -> None:
    """Measure the weights that are shipped once more: are the figures in their records right, wrong or stale? The exit
    status is 1 when one is not right. Ctrl-C stops; what was found is shown."""
    from layerwise import open_workspace, verification
    from layerwise.devices import quiet_import

    found: list[Verdict] = []
    with open_workspace() as workspace:
        snapshot = workspace.registry.snapshot()
        wanted = verification.shipped_models(snapshot, models or ())
        scope = verification.Scope(quick=quick, costly=all_, download=download)
        is_interrupted = False
        try:
            with _bar(len(wanted), quiet=json) as (progress, done):
                quiet_import()
                for verdict in verification.verify(snapshot, workspace.versions, wanted, scope, progress):
                    found.append(verdict)
                    done(verdict)
        except KeyboardInterrupt:
            is_interrupted = True
    if json:
        print_json({"models": [asdict(verdict) for verdict in found], "asked": len(wanted)})
    else:
        _print(found, len(wanted))
    if is_interrupted:
        raise typer.Exit(STATUS["stopped"])
    raise typer.Exit(int(any(verdict.state in verification.BAD for verdict in found)))


@contextmanager
def _bar(count: int, *, quiet: bool) -> Iterator[tuple[Progress, Callable[[Verdict], None]]]:
    """A bar for all models and one for the present one: what tells them how far it is, and that a model is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        total, one = bar.add_task("verifying", total=count), bar.add_task("", total=None)

        def progress(model: str, done: int, of: int) -> None:
            bar.update(one, description=model, completed=done, total=of)

        def advance(verdict: Verdict) -> None:
            bar.advance(total)
            bar.update(one, description="", completed=0, total=None)

        yield progress, advance


def _print(found: Sequence[Verdict], asked: int) -> None:
    rows = [
        (
            verdict.reference,
            "" if verdict.recorded is None else in_digits(verdict.recorded),
            "" if verdict.measured is None else in_digits(verdict.measured),
            verdict.state,
            f"{verdict.cpu_seconds:.1f}",
        )
        for verdict in found
    ]
    print_table(("model", "record", "now", "state", "CPU s"), rows)
    for verdict in found:
        if verdict.reason:
            typer.secho(f"{verdict.reference}: {verdict.state}", bold=True)
            typer.echo(f"  {verdict.reason}")
    states = Counter(verdict.state for verdict in found)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    seconds = sum(verdict.cpu_seconds for verdict in found)
    typer.echo(f"{counts or 'Nothing was looked at'}; {seconds:.0f} s of a processor.")
    if len(found) < asked:
        typer.echo(f"Stopped after {len(found)} of {asked}.")
