"""`layerwise fetch`: published weights, which are too large to be shipped."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

import typer

from layerwise.datasets.download_bars import download_bars
from layerwise.errors import InputError
from layerwise_app.cli.output import Json, print_json, print_pairs


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
        with contextlib.nullcontext() if json else download_bars() as progress:
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
