"""A leaderboard as HTML: the models, the best first; every two of them; and what they reach over what they cost."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.comparing.leaderboard_tables import (
    cost_plots,
    count_text,
    explained_tests,
    milliseconds,
    p_text,
    short_name,
)
from layerwise.quota import in_bytes
from layerwise.tasks.metric_names import heading, words
from layerwise.tasks.metric_values import in_digits
from layerwise_app.web.figures import figure_html
from layerwise_app.web.markup import badge, empty, note, status, table
from layerwise_app.web.plots import plots_html
from layerwise_app.web.replies import number

if TYPE_CHECKING:
    from layerwise.comparing.leaderboards import Leaderboard
    from layerwise.leaderboard import Board

FILES = (("Models (CSV)", "models.csv"), ("Pairs (CSV)", "pairs.csv"), ("Markdown", "leaderboard.md"))
_FRONT = ' <span class="lw-badge" title="No other model is both better and cheaper">front</span>'


def status_html(found: Leaderboard, state: str) -> str:
    """What a leaderboard is doing, in words and as a bar."""
    ended = sum("place" in item or bool(item.get("error")) for item in found.board["models"])
    count, progress = len(found.models), found.progress
    facts, bar = [f"<b>{ended}</b> of {count} models"], ""
    if progress is not None and ended < count:
        model, done, total = progress
        facts.append(f"measuring {html.escape(short_name(model))}")
        if total:
            facts.append(f"<b>{done:,}</b> of {total:,} examples")
        share = ended + (done / total if total else 0)
        bar = f'<progress max="{count}" value="{share:.3f}" aria-label="Progress of the leaderboard"></progress>'
    reason = found.reason
    if reason:
        reason = status(reason) if state == "queued" else note("It has not come to its end.", reason)
    return (
        f'<div class="lw-progress lw-panel"><p class="lw-run"><strong>{html.escape(title_of(found.board))}</strong> '
        f"{badge(state)}</p>{bar}<p>{' &middot; '.join(facts)}</p></div>{reason}"
    )


def title_of(board: Board) -> str:
    """What a leaderboard is of: the data, the split and how many examples."""
    count = f", {board['count']:,} examples" if board["count"] else ""
    return f"{Path(board['data']).name}, {board['split']}{count}"


def board_html(board: Board) -> str:
    """The tables and the plots of a leaderboard."""
    ranked = [item for item in board["models"] if "place" in item]
    if not ranked:
        failed = [item for item in board["models"] if item.get("error")]
        return _models(board) if failed else empty("Nothing is measured yet.", "The first model is on its way.")
    plots = plots_html(cost_plots(board))
    charts = f'<div class="lw-panel lw-costs">{plots}</div>' if len(ranked) > 1 else ""
    return f"{_models(board)}{charts}{_pairs(board)}{_all_metrics(ranked)}"


def _models(board: Board) -> str:
    metric = board["metric"]
    title = html.escape(heading(metric))
    heads = ("", "Model", title, "Time of an answer", "Parameters", "Weights", "Ran on")
    rows = [_model(item, metric) for item in board["models"]]
    better = "more" if board["direction"] == "max" else "less"
    hint = f"Of {html.escape(words(metric))} {better} is better. In brackets the 95 % interval."
    return f'{table("Leaderboard", heads, rows)}<p class="lw-hint">{hint if metric else ""}</p>'


def _model(item: Mapping[str, Any], metric: str) -> tuple[str, ...]:
    name = html.escape(short_name(item["reference"]))
    if "place" not in item:
        error = item.get("error")
        said = f'<span class="lw-note">{html.escape(error)}</span>' if error else "not measured yet"
        return "", name, said, "", "", "", ""
    return (
        number(item["place"]),
        name,
        figure_html(item["metrics"][metric], *item["interval"].get(metric, (None, None))),
        f"{milliseconds(item['seconds'])} ms" + (_FRONT if "seconds" in item["fronts"] else ""),
        count_text(item["num_parameters"]) + (_FRONT if "num_parameters" in item["fronts"] else ""),
        in_bytes(item["weights_bytes"]) if item["weights_bytes"] else "",
        html.escape(item["where"]),
    )


def _pairs(board: Board) -> str:
    if not board["pairs"]:
        return ""
    places = {item["reference"]: item["place"] for item in board["models"] if "place" in item}
    heads = ("", "Difference", "Test", "p", "Adjusted", "")
    rows = [_pair(pair, places) for pair in board["pairs"]]
    hint = f'<p class="lw-hint">{html.escape(explained_tests(board))}</p>'
    return f"<h2>Is it more than chance?</h2>{table('Pairs', heads, rows)}{hint}"


def _pair(pair: Mapping[str, Any], places: Mapping[str, int]) -> tuple[str, ...]:
    one, other = (number(places[pair[name]]) for name in ("one", "other"))
    verdict, kind = ("beyond chance", "lw-beyond") if pair["is_beyond_chance"] else ("may be chance", "lw-chance")
    how = pair["test"]
    if how == "McNemar":
        how += (
            f" <small>({pair['only_one']:,} only the first has right, {pair['only_other']:,} only the second)</small>"
        )
    return (
        f"{one} against {other}",
        figure_html(pair["difference"], pair["low"], pair["high"], "+"),
        how,
        p_text(pair["p"]),
        p_text(pair["adjusted_p"]),
        f'<span class="{kind}">{verdict}</span>',
    )


def _all_metrics(ranked: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for item in ranked for name in item["metrics"]))
    if len(names) < 2:
        return ""
    rows = []
    for item in ranked:
        known = item["metrics"]
        rows.append((number(item["place"]), *(in_digits(known[name]) if name in known else "" for name in names)))
    heads = ("", *(html.escape(heading(name)) for name in names))
    return f'<details class="lw-report"><summary>All metrics</summary>{table("All metrics", heads, rows)}</details>'


def downloads_html(found: Leaderboard) -> str:
    """Links to a leaderboard as files."""
    address = f"./api/v1/leaderboards/{html.escape(found.id)}"
    links = [f'<a href="{address}/{name}" download>{text}</a>' for text, name in FILES]
    return f'<p class="lw-links">Download: {" ".join(links)} <a href="{address}">JSON</a></p>'
