"""`layerwise check-plugin`: whether a plugin holds what every plugin must."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise_app.cli.output import Json, print_json

if TYPE_CHECKING:
    from layerwise.conformance.report import CheckResult

MARKS = {"passed": ("✓", "green"), "warned": ("!", "yellow"), "failed": ("✗", "red"), "skipped": ("-", None)}


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("check-plugin")(check_plugin)


def check_plugin(
    name: Annotated[str, typer.Argument(help="The plugin, as `layerwise plugins` shows it.")],
    model: Annotated[list[str] | None, typer.Option(help="Only this model. May be given several times.")] = None,
    all_variants: Annotated[bool, typer.Option("--all-variants", help="Every variant, not the first alone.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report here too, as Markdown.")] = None,
    json: Json = False,
) -> None:
    """Check a plugin: that it loads cheaply, computes the same on each backend, trains, stops and goes on, explains bad
    input, stays offline and in its folders. The exit status is 1 when it does not conform."""
    from layerwise.conformance import checking
    from layerwise.conformance.report import ReportStore
    from layerwise.paths import write_atomically
    from layerwise.registry import Registry

    registry, shown = Registry(), ""

    def show(result: CheckResult) -> None:
        nonlocal shown
        if json:
            return
        if result.subject != shown:
            shown = result.subject
            typer.secho(result.subject, bold=True)
        mark, colour = MARKS[result.status]
        typer.secho(f"  {mark} {result.check}", fg=colour, nl=not result.detail)
        if result.detail:
            typer.echo(f": {result.detail}")

    found = checking.check_plugin(registry, name, models=model or (), all_variants=all_variants, progress=show)
    ReportStore(home=registry.home).keep(found)
    if report is not None:
        write_atomically(report, found.as_markdown())
    if json:
        print_json({**found.as_json(), "conforms": found.conforms})
    else:
        typer.echo(f"{name} {'conforms' if found.conforms else 'does not conform'}: {found.summary}.")
    if not found.conforms:
        raise typer.Exit(1)
