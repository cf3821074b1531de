"""`layerwise fetch`: published weights, which are too large to be shipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.errors import InputError
from layerwise_app.cli.output import Json, print_json, print_pairs

if TYPE_CHECKING:
    from layerwise.fetching import Progress


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(fetch)


def fetch(
    name: Annotated[str, typer.Argument(help="The model: domain/application[:variant].")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="SOURCE", help="Where they are, if not in the usual place.")
    ] = None,
    json: Json = False,
) -> None:
    """Get the published weights of a model. They answer unless a run was promoted."""
    from layerwise import fetching, open_workspace
    from layerwise.quota import in_bytes
    from layerwise.versions import parse_reference

    reference = parse_reference(name)
    if reference.version is not None:
        raise InputError(
            "A version cannot be fetched by its id", received=name, remedy="name the model and the variant only"
        )
    with open_workspace() as workspace:
        spec = workspace.registry.snapshot().model(reference.name)
        with contextlib.nullcontext() if json else _bar() as progress:
            version = fetching.fetch(workspace.versions, spec, reference.variant, source, progress)
        in_use = workspace.versions.current(spec, version.variant)
    record = version.record
    if json:
        found = {key: record[key] for key in ("name", "variant", "source", "licence", "num_parameters", "bytes")}
        print_json({**found, "version": version.id, "folder": str(version.folder), "in_use": in_use.id})
        return
    pairs: list[tuple[str, Any]] = [
        ("model", version.reference),
        ("from", record["source"]),
        ("licence", record["licence"]),
        ("parameters", f"{version.num_parameters:,}"),
        ("folder", f"{version.folder} ({in_bytes(record['bytes'])})"),
    ]
    print_pairs(pairs)
    if in_use.id != version.id:
        typer.echo(f"In use is still {in_use.reference}.")


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    """What shows how much of each file is here. It is drawn from the first news on: what is imported before that holds
    back what is written."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TimeRemainingColumn())
    bars = Bars(*columns, console=Console(stderr=True), transient=True)
    tasks: dict[str, Any] = {}

    def show(file: str, done: int, total: int) -> None:
        if file not in tasks:
            bars.start()
            tasks[file] = bars.add_task(file, total=total or None)
        bars.update(tasks[file], completed=done, total=total or None)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
