"""The command that writes a model in a format that runs without Layerwise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from layerwise.export import FORMATS, PRECISIONS
from layerwise.export import export as write
from layerwise_app.cli.models import NAME
from layerwise_app.cli.output import Json, figures, print_json, print_pairs

_FORMATS = "; ".join(f"{item.name}, {item.summary}" for item in FORMATS.values())


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(export)


def export(
    name: NAME,
    file_format: Annotated[str, typer.Option("--format", help=f"{_FORMATS}.")],
    to: Annotated[
        Path | None, typer.Option(help="PATH.zip, or a folder for it; by default the current folder.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help=f"Of the stored weights: {', '.join(PRECISIONS)}; less than float32 in litert only.")
    ] = "float32",
    json: Json = False,
) -> None:
    """Write a model as a file that runs without Layerwise, compared with Layerwise's answers first."""
    from rich.console import Console

    from layerwise import open_workspace

    with open_workspace() as workspace, Console(stderr=True).status("") as status:
        exported = write(
            workspace,
            name,
            file_format,
            to=to,
            precision=precision,
            progress=lambda doing: status.update(f"{doing} ..."),
        )
    metadata = exported.metadata
    if json:
        print_json({"path": str(exported.path), "metadata": metadata})
        return
    check = metadata["check"]
    compared = f"{check['examples']} examples ({check['origin']}), {check['runtime']}"
    pairs: list[tuple[str, Any]] = [
        ("model", f"{metadata['name']}:{metadata['variant']}@{metadata['version']}"),
        ("file", f"{exported.path} ({exported.path.stat().st_size / 1e6:.1f} MB)"),
        ("compared on", compared),
        ("largest difference", f"{check['largest_difference']:.2g}"),
    ]
    measured = check.get("measured")
    if measured:
        pairs += [
            (f"on {measured['split']}, exported", figures(measured["exported"])),
            (f"on {measured['split']}, Layerwise", figures(measured["layerwise"])),
        ]
    print_pairs(pairs)
