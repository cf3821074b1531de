"""`layerwise plugins`: what was loaded, what was not and why; and switching one on or off."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise_app.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from layerwise.plugins import PluginReport


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(plugins)


def plugins(
    enable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch a plugin on; ends a quarantine.")] = None,
    disable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch a plugin off.")] = None,
    json: Json = False,
) -> None:
    """List the plugins: what they registered, or why they were not loaded."""
    from layerwise.registry import Registry

    registry = Registry()
    for name, enabled in ((enable, True), (disable, False)):
        if name is not None:
            registry.set_enabled(name, enabled)
    reports = registry.snapshot().plugins
    if json:
        print_json([asdict(report) for report in reports])
        return
    print_table(
        ("plugin", "from", "status", "models, or why not"),
        [
            (report.name, _origin(report), report.status, report.reason or ", ".join(report.models))
            for report in reports
        ],
        empty="No plugin is installed.",
    )
    for report in reports:
        if report.traceback:
            typer.secho(f"{report.name}, for its author:", bold=True)
            typer.echo(report.traceback)


def _origin(report: PluginReport) -> str:
    return "built in" if report.built_in else f"{report.distribution} {report.version}"
