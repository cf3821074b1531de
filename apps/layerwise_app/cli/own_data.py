"""`layerwise check`, `sample` and `uploads`: data of the user's own, looked at before they are trained on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise_app.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from layerwise.own_data import DataReport
    from layerwise.tasks.base import Task
    from layerwise.workspace import Workspace

SHOWN_CLASSES = 50


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (check, sample, uploads):
        app.command()(command)


def check(
    name: Annotated[str, typer.Argument(help="The model: domain/application[:variant].")],
    data: Annotated[
        str | None, typer.Argument(help="A folder, a zip archive, a table, or the id of an upload. None: the format.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what a model would see in data of your own, and what is wrong with them."""
    from layerwise import open_workspace, own_data

    with open_workspace() as workspace:
        task = _task_named(workspace, name)
        if data is None:
            typer.echo(own_data.format_of(task))
            return
        report = own_data.check(task, workspace.uploads.locate(data))
    if json:
        print_json(report.as_json())
    else:
        print_report(report)


def sample(
    name: Annotated[str, typer.Argument(help="The model: domain/application[:variant].")],
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
) -> None:
    """Write a small example of the data that a model can be trained on, to look at and to copy from."""
    from layerwise import open_workspace
    from layerwise.datasets.sample_data import write_sample

    with open_workspace() as workspace:
        write_sample(_task_named(workspace, name), folder)
    typer.echo(f"An example is in {folder}. What can be done with it:")
    for words in (("check", name, str(folder)), ("train", name, "--data", str(folder))):
        typer.echo(f"  {shlex.join(('layerwise', *words))}")


def _task_named(workspace: Workspace, name: str) -> Task:
    """The task of a model, or of its variant."""
    from layerwise.versions import parse_reference

    reference = parse_reference(name)
    spec = workspace.registry.snapshot().model(reference.name)
    return spec.task_of(spec.variant(reference.variant))


def look_at(workspace: Workspace, task: Task, data: Path, *, json: bool) -> Path:
    """Where data are that a model is to be trained on, after their report was printed.

    Args:
        task: That of the model.
        data: A path, a zip archive, which becomes an upload, or the id of one.
        json: Print nothing.

    Raises:
        DataError: They cannot be trained on.
    """
    from layerwise import own_data

    located = workspace.uploads.locate(data)
    if located.exists():  # who starts the run says what is not there
        report = own_data.check(task, located)
        if not json:
            print_report(report)
    return located


def print_report(report: DataReport) -> None:
    """Print what was seen."""
    from layerwise.own_data import in_numbers

    typer.echo(f"{report.summary}\n{report.path}")
    if report.classes:
        rows = [(label, *(counts.get(split, 0) for split in report.splits)) for label, counts in report.classes.items()]
        print_table(("class", *report.splits), rows[:SHOWN_CLASSES])
        if len(rows) > SHOWN_CLASSES:
            typer.echo(f"and {len(rows) - SHOWN_CLASSES:,} more classes")
    if report.columns:
        rows = [(column.name, column.kind, column.missing, column.summary) for column in report.columns]
        print_table(("column", "kind", "missing", "values"), rows)
    if report.sizes:
        print_table(("size", "smallest to largest"), [(name, in_numbers(size)) for name, size in report.sizes.items()])
    if report.unreadable:
        print_table(("cannot be read", "reason"), [(item.name, item.reason) for item in report.unreadable])
    for warning in report.warnings:
        typer.secho(f"Note: {warning}", fg="yellow", err=True)


def uploads(
    add: Annotated[list[Path] | None, typer.Option(help="Take a zip archive or tables; once for each file.")] = None,
    delete: Annotated[str | None, typer.Option(help="Delete the upload with this id.")] = None,
    json: Json = False,
) -> None:
    """List the data that were brought, on the page or with --data ARCHIVE.zip."""
    from layerwise import open_workspace
    from layerwise.quota import in_bytes

    with open_workspace() as workspace:
        if add:
            workspace.uploads.add(add)
        if delete is not None:
            workspace.uploads.delete(delete)
        found = workspace.uploads.list()
    if json:
        print_json([upload.as_json() for upload in found])
        return
    rows = [
        (upload.id, in_bytes(upload.num_bytes), upload.created[:10], ", ".join(upload.files), str(upload.folder))
        for upload in found
    ]
    print_table(("upload", "size", "came", "files", "folder"), rows, empty="Nothing was brought yet.")
