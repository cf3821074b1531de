"""Answers on the command line: printed for people, their pictures and files kept in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from layerwise.tasks.annotations import AnnotatedPicture
from layerwise_app.cli.output import print_table
from layerwise_app.values import files_of, is_picture

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer

_HINT = "keep it with --output FOLDER"


def print_answer(answer: Answer, top: int) -> None:
    """Print an answer.

    Args:
        top: How many labels are shown of probabilities.
    """
    for name, value in answer.items():
        if isinstance(value, AnnotatedPicture):
            _print_found(value)
        elif isinstance(value, Mapping) and "content" not in value:
            _print_mapping(value, top)
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            _print_rows(name, value)
        elif value != "":
            typer.echo(f"  {name}: {_in_words(value)}")


def _print_found(value: AnnotatedPicture) -> None:
    typer.echo(f"  {value.as_text()}")
    rows = [(item.label, f"{item.score:.3f}", *(f"{side:.0f}" for side in item.box)) for item in value.found]
    if rows:
        print_table(("what", "score", "left", "top", "right", "bottom"), rows)


def _print_mapping(value: Mapping[str, Any], top: int) -> None:
    for label, number in list(value.items())[:top]:
        is_share = isinstance(number, float) and 0 <= number <= 1
        bar = "█" * round(30 * number) if is_share else ""
        typer.echo(f"  {number:8.4f}  {label}  {bar}".rstrip() if is_share else f"  {label}: {number}")


def _print_rows(name: str, rows: list[Mapping[str, Any]]) -> None:
    if any(is_picture(cell) for cell in rows[0].values()):
        typer.echo(f"  {name}: {len(rows)} pictures; {_HINT}")
        return
    typer.echo(f"  {name}:")
    print_table(list(rows[0]), [[_cell(cell) for cell in row.values()] for row in rows])


def _cell(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def _in_words(value: Any) -> str:
    if is_picture(value):
        return f"a picture of {value.width} x {value.height} pixels; {_HINT}"
    if isinstance(value, Mapping):
        return f"{value['name']}, {len(value['content']):,} bytes; {_HINT}"
    if isinstance(value, list) and value and not isinstance(value[0], str | int | float | list):
        return f"{len(value)} drawn on the page (layerwise serve)"
    return "none" if value == [] else str(value)


def keep_files(answer: Answer, folder: Path, asked: str) -> list[Path]:
    """Write the pictures and files of an answer, and return where they are.

    Args:
        folder: Made if need be.
        asked: What was asked, the beginning of the names: a file's name without its ending.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in files_of(answer):
        path = folder / f"{Path(asked).stem}-{name}"
        path.write_bytes(content)
        paths.append(path)
    return paths
