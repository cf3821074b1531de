"""A leaderboard for readers: as CSV, as Markdown, and as plots of what models reach over what they cost."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from layerwise.plots import Line, LinePlot
from layerwise.quota import in_bytes
from layerwise.tasks.metric_names import heading, words
from layerwise.tasks.metric_values import in_digits, interval_text
from layerwise.versions import GIVEN, parse_reference

if TYPE_CHECKING:
    from layerwise.leaderboard import Board

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that programs for tables take for something to compute."""
COSTS = {
    "seconds": ("the time of an answer", "milliseconds", 1e3),
    "num_parameters": ("parameters", "million parameters", 1e-6),
}
"""What models cost: how it is called, in which unit it is drawn, and how many of that are one."""


def short_name(reference: str) -> str:
    """A version as a reader needs it: its id only where a run made it.

    Example:
        >>> short_name("vision/fashion:conv@shipped"), short_name("vision/fashion:conv@20261129-1")
        ('vision/fashion:conv', 'vision/fashion:conv@20261129-1')
    """
    parsed = parse_reference(reference)
    return f"{parsed.name}:{parsed.variant}" if parsed.version in (*GIVEN, "code") else reference


def safe_cell(value: Any) -> Any:
    """A cell of a CSV table that no program takes for a formula: texts that look like one get an apostrophe before
    them, numbers stay what they are.

    Example:
        >>> safe_cell("=1+1"), safe_cell(-2.5)
        ("'=1+1", -2.5)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def write_csv(board: Board, file: TextIO) -> None:
    """Write a row for each model: its place, its metrics with the bounds of their 95 % intervals, and what it costs."""
    rows = [_csv_row(board, item) for item in board["models"]]
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(file, fieldnames=list(names) or ["model"])
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)


def _csv_row(board: Board, item: Mapping[str, Any]) -> dict[str, Any]:
    row = {"place": item.get("place"), "model": item["reference"]}
    row |= {"data": board["data"], "split": board["split"], "count": board["count"]}
    for name, value in item.get("metrics", {}).items():
        low, high = item["interval"].get(name, (None, None))
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    for name in ("seconds", "num_parameters", "weights_bytes", "where"):
        row[name] = item.get(name)
    row["on_front_of"] = " ".join(item.get("fronts", ()))
    return {**row, "error": item.get("error")}


def write_pairs_csv(board: Board, file: TextIO) -> None:
    """Write a row for every two models that were tested against each other."""
    names = ("one", "other", "difference", "low", "high", "test", "only_one", "only_other", "resamples")
    names = (*names, "p", "adjusted_p", "is_beyond_chance")
    writer = csv.DictWriter(file, fieldnames=names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in pair.items()} for pair in board["pairs"])


def as_markdown(board: Board) -> str:
    """The leaderboard as tables in Markdown, with what the figures are."""
    title = f"# Leaderboard: {_cell(board['data'])}, {_cell(board['split'])}, {board['count']:,} examples"
    models = [_row("", "model", board["metric"], "95 %", "ms an answer", "parameters", "weights"), _rule(7)]
    models += [_model_row(board, item) for item in board["models"]]
    if not board["pairs"]:
        return "\n".join([title, "", *models, ""])
    pairs = [_row("", "against", "difference", "95 %", "test", "p, adjusted", ""), _rule(7)]
    pairs += [_pair_row(pair) for pair in board["pairs"]]
    return "\n".join([title, "", *models, "", f"{explained_tests(board)}", "", *pairs, ""])


def explained_tests(board: Board) -> str:
    """How the pairs of a leaderboard were tested, in a sentence or two."""
    kinds = {pair["test"] for pair in board["pairs"]}
    names = {"McNemar": "McNemar's exact test", "bootstrap": "a paired bootstrap"}
    tests = " and ".join(names[kind] for kind in sorted(kinds))
    count = len(board["pairs"])
    return (
        f"Pairs are tested on the same examples by {tests}, p values adjusted for {count} "
        f"{'pair' if count == 1 else 'pairs'} (Holm). Intervals are 95 %, those of differences by a paired bootstrap."
        " This speaks of other examples of the same kind, not of another seed of the training."
    )


def _model_row(board: Board, item: Mapping[str, Any]) -> str:
    name = _cell(short_name(item["reference"]))
    if "place" not in item:
        return _row("", name, _cell(item.get("error") or "not measured yet"), "", "", "", "")
    metric = board["metric"]
    return _row(
        str(item["place"]),
        name,
        in_digits(value := item["metrics"][metric]),
        interval_text(*item["interval"].get(metric, (None, None)), like=value),
        milliseconds(item["seconds"]) + (" (front)" if "seconds" in item["fronts"] else ""),
        count_text(item["num_parameters"]) + (" (front)" if "num_parameters" in item["fronts"] else ""),
        in_bytes(item["weights_bytes"]) if item["weights_bytes"] else "",
    )


def _pair_row(pair: Mapping[str, Any]) -> str:
    return _row(
        _cell(short_name(pair["one"])),
        _cell(short_name(pair["other"])),
        in_digits(pair["difference"], "+"),
        interval_text(pair["low"], pair["high"], "+", pair["difference"]),
        pair["test"],
        p_text(pair["adjusted_p"]),
        "beyond chance" if pair["is_beyond_chance"] else "may be chance",
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(count: int) -> str:
    return _row(*["---"] * count)


def _cell(text: str) -> str:
    """A text as a cell of a table in Markdown: it ends neither the cell nor the line, and is no HTML."""
    return " ".join(str(text).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def p_text(p: float) -> str:
    """A p value as people read it.

    Example:
        >>> p_text(0.00001), p_text(0.0213)
        ('< 0.0001', '0.0213')
    """
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def milliseconds(seconds: float | None) -> str:
    """A time in milliseconds with three digits, "" for none.

    Example:
        >>> milliseconds(0.0012345), milliseconds(2.5)
        ('1.23', '2,500')
    """
    return "" if seconds is None else f"{float(f'{1000 * seconds:.3g}'):,g}"


def count_text(count: int | None) -> str:
    """A number with commas, "" for none."""
    return "" if count is None else f"{count:,}"


def cost_plots(board: Board) -> list[LinePlot]:
    """What the models reach over the time of an answer, and over their parameters: a dot for each, and a line through
    those on the front, to which none is both better and cheaper."""
    return [plot for cost in COSTS if (plot := _cost_plot(board, cost)) is not None]


def _cost_plot(board: Board, cost: str) -> LinePlot | None:
    metric, (name, unit, scale) = board["metric"], COSTS[cost]
    shown = [item for item in board["models"] if "place" in item and item[cost]]
    if len(shown) < 2:
        return None
    dots = [
        Line(
            label=short_name(item["reference"]) + (" (front)" if cost in item["fronts"] else ""),
            x=[scale * item[cost]],
            y=[item["metrics"][metric]],
            kind="dots",
            color=item["place"] - 1,
        )
        for item in shown
    ]
    front = sorted((item for item in shown if cost in item["fronts"]), key=lambda item: item[cost])
    line = Line(
        label="the front: none is better and cheaper",
        x=[scale * item[cost] for item in front],
        y=[item["metrics"][metric] for item in front],
        kind="dashed",
        color=len(shown),
    )
    costs = [scale * item[cost] for item in shown]
    better = "more" if board["direction"] == "max" else "less"
    return LinePlot(
        title=f"{heading(metric)} over {name}",
        lines=[line, *dots],
        x_label=unit,
        y_label=f"{words(metric)}, {better} is better",
        x_range=_round_range(min(costs) / 1.2, max(costs) * 1.2),
        x_log=True,
    )


def _round_range(low: float, high: float) -> tuple[float, float]:
    """A range around another one, both of whose ends are 1, 2 or 5 times a power of ten."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    steps = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return max(step for step in steps if step <= low), min(step for step in steps if step >= high)
