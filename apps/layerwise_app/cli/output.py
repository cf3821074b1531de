"""How answers are printed: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from layerwise.tasks.metric_values import in_digits, interval_text

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def print_json(value: Any) -> None:
    """Print `value` as JSON."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "nothing") -> None:
    """Print rows below their column names, or `empty` when there are none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # With less between columns the longest names of models have room for their figures in 80 columns.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for position, column in enumerate(columns):
        # The first is the name by which a reader asks for more: it is needed whole.
        table.add_column(column, no_wrap=position == 0, overflow="ellipsis" if position else "ignore")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console().print(table if table.row_count else empty)


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names with their values, one a line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        table.add_row(Text(name, style="bold"), Text(str(value)))
    Console().print(table)


def above_interval(value: float, low: float | None, high: float | None, sign: str = "") -> str:
    """A value as a cell, and below it its interval: beside it there is no room in 80 columns."""
    return f"{in_digits(value, sign)}\n{interval_text(low, high, sign, value)}".rstrip()


def figures(metrics: dict[str, Any], *, only: int | None = None) -> str:
    """Metrics in one line: "accuracy 0.943, macro_f1 0.942"."""
    numbers = [(name, value) for name, value in metrics.items() if isinstance(value, float)]
    return ", ".join(f"{name} {value:.4g}" for name, value in numbers[:only])
