"""The command that writes a plugin of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from layerwise.scaffold import DEFAULT_TASK, NewPlugin, create, tasks


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(new_plugin)


def new_plugin(
    name: Annotated[str, typer.Argument(help="What users will type: words and hyphens, such as bird-songs.")],
    task: Annotated[str, typer.Option(help=f"What its model does: {', '.join(tasks())}.")] = DEFAULT_TASK,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where it goes; by default a new folder NAME.")
    ] = None,
) -> None:
    """Write a plugin that works at once: a network, generated data, settings, a card, tests, a README."""
    from layerwise.registry import Registry

    plugin = NewPlugin(name=name, task=task)
    folder = create(plugin, to or Path(name), Registry().snapshot())
    typer.echo(f"{folder} is a plugin with the model {plugin.model}. Next:")
    for command in (f"cd {shlex.quote(str(to or name))}", *plugin.commands):
        typer.echo(f"  {command}")
