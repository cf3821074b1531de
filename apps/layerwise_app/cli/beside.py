"""Commands about models beside each other: the same question to all, and the same test for all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.errors import InputError
from layerwise_app.cli.answers import print_answer
from layerwise_app.cli.follow import STATUS, stopping
from layerwise_app.cli.models import questions
from layerwise_app.cli.output import Json, above_interval, print_json, print_table

if TYPE_CHECKING:
    from layerwise.beside import Reply
    from layerwise.comparing.leaderboards import Leaderboard
    from layerwise.leaderboard import Board
    from layerwise.tasks.fields import Field
    from layerwise.workspace import Workspace

_FRONT = "*"
"""Marks what a model costs where it is on the front."""
MODELS = Annotated[
    list[str], typer.Argument(help="Two models or more: domain/application[:variant][@version]. They take the same.")
]
CSV = Annotated[Path | None, typer.Option(help="Write a table with a row for each model.")]
PAIRS_CSV = Annotated[Path | None, typer.Option(help="Write a table with a row for every two models.")]
MARKDOWN = Annotated[Path | None, typer.Option(help="Write both tables as Markdown.")]
POLL_SECONDS = 0.2


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (beside, leaderboard, leaderboards):
        app.command()(command)


def beside(
    models: MODELS,
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="A file or a text; name=value for a table, and for what is optional."),
    ] = None,
    top: Annotated[int, typer.Option(help="How many labels to show.")] = 3,
    repeats: Annotated[int, typer.Option(min=0, help="How often each is asked again, for its time.")] = 5,
    json: Json = False,
) -> None:
    """Ask several models the same: their answers, how long they take, how large they are."""
    from layerwise import open_workspace
    from layerwise.beside import ask, check_same, described
    from layerwise.devices import quiet_import
    from layerwise_app.values import plain

    with open_workspace() as workspace:
        fields = _fields_of(workspace, check_same(workspace, models))
        asked = questions(fields, input_ or [])
        if len(asked) > 1:
            raise InputError("Models are asked one thing at a time", received=f"{len(asked)} inputs")
        quiet_import()
        replies: list[Reply] = []
        said: set[int] = set()
        for replies in ask(workspace, models, asked[0][1], repeats=repeats):
            if not json:
                _print_new(replies, said, top)
    if json:
        print_json(plain(described(replies)))
    else:
        _print_costs(replies)
    if all(reply.error for reply in replies):
        raise typer.Exit(1)


def _fields_of(workspace: Workspace, references: Sequence[Any]) -> list[Field]:
    """All inputs that any of the models takes."""
    specs = [workspace.registry.snapshot().model(reference.name) for reference in references]
    return list({field.name: field for spec in reversed(specs) for field in spec.task.inputs}.values())


def _print_new(replies: Sequence[Reply], said: set[int], top: int) -> None:
    """Print the answers that have become whole."""
    for place, reply in enumerate(replies):
        if place not in said and reply.state in ("timing", "done", "failed"):
            said.add(place)
            typer.secho(reply.asked, bold=True)
            if reply.error:
                typer.secho(f"  {reply.error}", fg="red")
            elif reply.answer is not None:
                print_answer(reply.answer, top)


def _print_costs(replies: Sequence[Reply]) -> None:
    from layerwise.beside import agreement, dissenting, in_short
    from layerwise.comparing.leaderboard_tables import count_text, milliseconds
    from layerwise.quota import in_bytes

    different = dissenting(replies)
    rows = []
    for place, reply in enumerate(replies):
        takes = reply.footprint
        rows.append(
            (
                reply.asked,
                "" if reply.error else f"{in_short(reply) or ''}{' (differs)' if place in different else ''}",
                "" if reply.error else milliseconds(reply.seconds),
                count_text(takes.num_parameters) if takes else "",
                in_bytes(takes.weights_bytes) if takes and takes.weights_bytes else "",
                takes.where if takes else "",
            )
        )
    print_table(("model", "says", "ms an answer", "parameters", "weights", "where"), rows)
    if len(groups := agreement(replies)) == 1 and len(next(iter(groups.values()))) > 1:
        typer.echo("All of them say the same.")


def leaderboard(
    models: MODELS,
    data: Annotated[
        str | None, typer.Option(help="A folder of your own data, the id of an upload, or the name of a data set.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which split to measure on.")] = "test",
    limit: Annotated[int | None, typer.Option(help="How many of its examples at most.")] = None,
    metric: Annotated[str | None, typer.Option(help="By which they are ranked; the main one of their task.")] = None,
    csv: CSV = None,
    pairs_csv: PAIRS_CSV = None,
    markdown: MARKDOWN = None,
    json: Json = False,
) -> None:
    """Measure models on the same examples: who is best, and whether that is more than chance. Ctrl-C stops."""
    from layerwise import open_workspace
    from layerwise.comparing import leaderboards

    with open_workspace() as workspace:
        found = leaderboards.start(workspace, models, data=data, split=split, limit=limit, metric=metric)
        _show_to_its_end(found, quiet=json)
    _show(found, csv, pairs_csv, markdown, json=json)
    raise typer.Exit(STATUS.get(found.state, 1))


def _show_to_its_end(found: Leaderboard, *, quiet: bool) -> None:
    """Say how far a leaderboard is. The first Ctrl-C asks it to stop, a second one only stops looking."""
    from rich.console import Console
    from rich.progress import Progress

    try:
        with stopping(found), Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
            task = bar.add_task("starting", total=None)
            while found.is_active:
                if (progress := found.progress) is not None:
                    model, done, total = progress
                    bar.update(task, description=f"measuring {model}", completed=done, total=total or None)
                time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        typer.echo(f"It goes on by itself: layerwise leaderboards {found.id[-4:]} shows it.", err=True)
        raise


def leaderboards(
    leaderboard: Annotated[str | None, typer.Argument(help="The id of one, or its beginning or end: show it.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; what has been measured is kept.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Measure what is missing.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it.")] = False,
    csv: CSV = None,
    pairs_csv: PAIRS_CSV = None,
    markdown: MARKDOWN = None,
    json: Json = False,
) -> None:
    """List the leaderboards that are kept, or show one."""
    from layerwise import jobs, open_workspace

    with open_workspace() as workspace:
        if leaderboard is None:
            _print_list(workspace, json=json)
            return
        found = workspace.leaderboards.get(leaderboard)
        if stop:
            jobs.stop(found)
            typer.echo(f"{found.id} stops.", err=json)
        elif delete:
            workspace.leaderboards.delete(found.id)
            typer.echo(f"{found.id} is deleted.", err=json)
        else:
            if resume:
                jobs.resume(found)
                _show_to_its_end(found, quiet=json)
            _show(found, csv, pairs_csv, markdown, json=json)


def _print_list(workspace: Workspace, *, json: bool) -> None:
    names, rows = ("leaderboard", "state", "data", "split", "models", "best"), []
    for found in workspace.leaderboards.list():
        board = found.board
        best = next((item["reference"] for item in board["models"] if "place" in item), None)
        values = (found.id, found.state, board["data"], board["split"], len(found.models), best)
        rows.append(dict(zip(names, values, strict=True)))
    if json:
        print_json(rows)
        return
    print_table(
        ("leaderboard\n  best", "state", "data", "split", "models"),
        [
            (f"{row['leaderboard']}\n  {row['best'] or 'none yet'}", *(row[name] for name in names[1:-1]))
            for row in rows
        ],
        empty="No leaderboard yet: layerwise leaderboard MODEL MODEL makes one.",
    )


def _show(found: Leaderboard, csv: Path | None, pairs_csv: Path | None, markdown: Path | None, *, json: bool) -> None:
    """Print a leaderboard, and write it where that is wanted."""
    from layerwise.comparing.leaderboard_tables import as_markdown, write_csv, write_pairs_csv

    board = found.board
    for path, write in ((csv, write_csv), (pairs_csv, write_pairs_csv)):
        if path is not None:
            with path.open("w", encoding="utf-8", newline="") as file:
                write(board, file)
    if markdown is not None:
        markdown.write_text(as_markdown(board), encoding="utf-8")
    if json:
        print_json({"id": found.id, "state": found.state, "reason": found.reason, **board})
        return
    typer.secho(f"{found.id}: {found.state} {found.reason}".strip(), bold=True)
    if board["count"]:
        typer.echo(f"{board['data']}, {board['split']}, {board['count']:,} examples")
    _print_models(board)
    _print_pairs(board)
    if found.is_resumable:
        typer.echo(f"To go on: layerwise leaderboards {found.id[-4:]} --resume")


def _print_models(board: Board) -> None:
    from layerwise.comparing.leaderboard_tables import count_text, milliseconds, short_name
    from layerwise.quota import in_bytes

    metric, rows = board["metric"], []
    for item in board["models"]:
        name = short_name(item["reference"])
        if "place" not in item:
            rows.append((name, item.get("error") or "not measured yet", "", "", ""))
            continue
        on_front = dict.fromkeys(item["fronts"], f" {_FRONT}")
        rows.append(
            (
                f"{item['place']} {name}",
                above_interval(item["metrics"][metric], *item["interval"].get(metric, (None, None))),
                milliseconds(item["seconds"]) + on_front.get("seconds", ""),
                count_text(item["num_parameters"]) + on_front.get("num_parameters", ""),
                in_bytes(item["weights_bytes"]) if item["weights_bytes"] else "",
            )
        )
    print_table(("model", f"{metric or 'metric'}\n95 % interval", "ms an\nanswer", "parameters", "weights"), rows)
    if any(item.get("fronts") for item in board["models"]):
        typer.echo(f"{_FRONT} no other model is both better and cheaper")


def _print_pairs(board: Board) -> None:
    from layerwise.comparing.leaderboard_tables import explained_tests, p_text

    if not board["pairs"]:
        return
    places = {item["reference"]: item.get("place") for item in board["models"]}
    print_table(
        ("pair", "difference\n95 % interval", "test", "p", "adjusted p", ""),
        [
            (
                f"{places[pair['one']]} against {places[pair['other']]}",
                above_interval(pair["difference"], pair["low"], pair["high"], "+"),
                pair["test"],
                p_text(pair["p"]),
                p_text(pair["adjusted_p"]),
                "beyond chance" if pair["is_beyond_chance"] else "may be chance",
            )
            for pair in board["pairs"]
        ],
    )
    typer.echo(explained_tests(board))
