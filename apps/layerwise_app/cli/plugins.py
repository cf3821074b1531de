"""`layerwise plugins`: what was loaded, what was not and why; and switching one on or off."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.errors import InputError
from layerwise_app.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from layerwise.plugins.loading import PluginReport


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(plugins)


def plugins(
    enable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch a plugin on; ends a quarantine.")] = None,
    disable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch a plugin off.")] = None,
    python: Annotated[
        str | None,
        typer.Option(metavar="NAME=PATH", help="Run a plugin by a Python of its own; NAME= by this one again."),
    ] = None,
    json: Json = False,
) -> None:
    """List the plugins: what they registered, or why they were not loaded."""
    from layerwise.registry import Registry

    registry = Registry()
    for name, enabled in ((enable, True), (disable, False)):
        if name is not None:
            registry.set_enabled(name, enabled)
    if python is not None:
        name, sign, path = python.partition("=")
        if not (name and sign):
            raise InputError("--python cannot be read", expected="NAME=PATH, or NAME=", received=repr(python))
        registry.set_python(name, Path(path) if path else None)
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
        if report.traceback or report.deprecated:
            typer.secho(f"{report.name}, for its author:", bold=True)
            typer.echo("\n".join(filter(None, (report.traceback, *report.deprecated))))


def _origin(report: PluginReport) -> str:
    return "built in" if report.built_in else report.source
