"""`layerwise hub`: published models on the command line."""

from __future__ import annotations

import contextlib
import json as jsonlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.datasets.download_bars import download_bars

if TYPE_CHECKING:
    from layerwise_hub.library import Offer
    from layerwise_hub.manifest import Entry

hub = typer.Typer(
    help="Models that others have published with transformers, in the same demos as those that are trained here.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_SOURCE = Annotated[str, typer.Argument(help="The id of a repository at the hub, or a folder.")]
_TASK = Annotated[str | None, typer.Option("--task", help="What it is for, if its settings do not tell.")]
_REVISION = Annotated[str | None, typer.Option("--revision", help="A branch, tag or commit; by default main.")]
_NAME = Annotated[str, typer.Argument(help="As `layerwise hub list` names it.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@hub.command()
def add(
    source: _SOURCE,
    task: _TASK = None,
    revision: _REVISION = None,
    called: Annotated[str, typer.Option("--as", help="What a folder is called, if its own name says little.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before something is downloaded.")] = False,
    json: _JSON = False,
) -> None:
    """Add a published model: shows what it is, downloads it, and registers it. A server that runs shows it at once."""
    from layerwise_hub import library

    library.require_framework()
    offer = library.look(source, revision=revision, task=task)
    if not json:
        _pairs(_facts(offer))
    if not (offer.is_local or yes or json) and not typer.confirm("Download it?", default=True, err=True):
        raise typer.Exit(1)
    with contextlib.nullcontext(_silently) if json else download_bars() as progress:
        entry = library.add(offer, progress, called=called)
    if json:
        _print_json(_described(entry))
    else:
        typer.echo(f"{entry.name} answers now: layerwise predict {entry.name} …")


@hub.command("list")
def list_(
    curated: Annotated[bool, typer.Option("--curated", help="Small models to begin with, for each task.")] = False,
    json: _JSON = False,
) -> None:
    """List the published models that were added."""
    if curated:
        from layerwise_hub.curated import CURATED

        if json:
            _print_json([asdict(item) for item in CURATED])
            return
        for item in CURATED:
            typer.echo(f"{item.source}  {item.kind}, {item.licence}, {item.size} MB\n    {item.why}")
        return
    from layerwise.quota import in_bytes
    from layerwise_hub.manifest import Manifest

    entries = list(Manifest().entries().values())
    if json:
        _print_json([_described(entry) for entry in entries])
        return
    rows = [
        (entry.name, entry.kind, entry.licence, in_bytes(entry.size), entry.source, entry.revision[:12])
        for entry in entries
    ]
    if not rows:
        typer.echo("No published model was added yet. layerwise hub list --curated shows where to begin.")
        return
    _table(("model", "task", "licence", "size", "from", "commit"), rows)


@hub.command()
def show(source: _SOURCE, task: _TASK = None, revision: _REVISION = None, json: _JSON = False) -> None:
    """Show a published model, added or not: what it does, its size, its licence, its card. Nothing large is
    downloaded."""
    from layerwise_hub import library
    from layerwise_hub.manifest import Manifest

    entry = Manifest().entries().get(source)
    if entry is not None:
        if json:
            _print_json(_described(entry))
        else:
            _pairs(_known(entry))
        return
    offer = library.look(source, revision=revision, task=task)
    if json:
        _print_json({**dict(_facts(offer)), "bytes": offer.size})
    else:
        _pairs(_facts(offer))


@hub.command()
def remove(
    name: _NAME,
    files: Annotated[bool, typer.Option("--files", help="Delete what was downloaded, too.")] = False,
) -> None:
    """Take a published model away. What was downloaded stays for other programs, unless --files is given."""
    from layerwise.quota import in_bytes
    from layerwise_hub import library

    entry, freed = library.remove(name, files=files)
    if freed:
        typer.echo(f"{entry.name} is removed, and {in_bytes(freed)} are free.")
    elif entry.is_local or files:
        typer.echo(f"{entry.name} is removed. Its files stay in {entry.source}." if entry.is_local else "Removed.")
    else:
        typer.echo(f"{entry.name} is removed. {in_bytes(entry.size)} stay in the cache of the hub's own library.")


@hub.command()
def update(
    name: Annotated[str | None, typer.Argument(help="As `layerwise hub list` names it; none for all.")] = None,
) -> None:
    """Look again where models came from, and take what is there now."""
    from layerwise_hub import library
    from layerwise_hub.manifest import Manifest

    names = [name] if name is not None else list(Manifest().entries())
    for each in names:
        with download_bars() as progress:
            entry, is_changed = library.update(each, progress)
        at = f" at {entry.revision[:12]}" if entry.revision else ""
        typer.echo(f"{each} is now{at} what is published." if is_changed else f"{each} has not changed.")


def _facts(offer: Offer) -> list[tuple[str, str]]:
    from layerwise.quota import in_bytes

    repository = offer.repository
    return [
        ("model", repository.source),
        ("commit", repository.revision),
        ("task", offer.kind.name),
        ("architecture", offer.architecture),
        ("size", in_bytes(offer.size)),
        ("licence", offer.licence or "not told by its card"),
        ("terms", "have to be accepted at its page first" if offer.is_gated else ""),
        ("card", offer.about),
        ("as", offer.name),
    ]


def _known(entry: Entry) -> list[tuple[str, str]]:
    from layerwise.quota import in_bytes

    return [
        ("model", entry.name),
        ("from", entry.source),
        ("commit", entry.revision),
        ("task", entry.kind),
        ("architecture", entry.architecture),
        ("parameters", f"{entry.num_parameters:,}"),
        ("size", in_bytes(entry.size)),
        ("licence", entry.licence or "not told by its card"),
        ("added", entry.added),
        ("card", entry.about),
    ]


def _described(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "bytes": entry.size}


def _print_json(value: Any) -> None:
    typer.echo(jsonlib.dumps(value, indent=2, ensure_ascii=False))


def _pairs(pairs: Iterable[tuple[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        if value:
            table.add_row(Text(name, style="bold"), Text(value))
    Console().print(table)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, no_wrap=place == 0, overflow="ellipsis" if place else "ignore")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _silently(file: str, done: int, total: int) -> None:
    pass
