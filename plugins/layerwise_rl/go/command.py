"""`layerwise gtp`: an agent that plays Go, for programs that speak the Go Text Protocol; and `layerwise match`."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Annotated

import typer


def gtp(
    name: Annotated[str, typer.Argument(help="An agent that plays Go: rl/go:9x9.")] = "rl/go",
    simulations: Annotated[
        int | None, typer.Option(min=1, max=20_000, help="Positions that it looks at before a move.")
    ] = None,
) -> None:
    """Play Go by the Go Text Protocol, on the standard input and output."""
    from layerwise import open_workspace
    from layerwise_rl.go.gtp import Engine

    with open_workspace() as workspace:
        engine = Engine(workspace.predictor, name, simulations)
        for answer in engine.answers(sys.stdin):
            sys.stdout.write(answer)
            sys.stdout.flush()


def match(
    one: Annotated[str, typer.Argument(help='An agent (rl/go:9x9), "random", or "gtp:" and the command of a program.')],
    other: Annotated[str, typer.Argument(help="Its opponent, likewise.")],
    to: Annotated[Path, typer.Option(help="A folder for the games. A match that was interrupted goes on there.")],
    games: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many games.")] = 100,
    simulations: Annotated[
        int | None, typer.Option(min=1, max=20_000, help="Positions that an agent looks at before a move.")
    ] = None,
    size: Annotated[int | None, typer.Option(min=2, max=19, help="Points along a side; an agent's own.")] = None,
    komi: Annotated[float | None, typer.Option(help="Points that White is given; an agent's own.")] = None,
    opening: Annotated[str, typer.Option(help="Points that each game begins with, after one another: 'C3 C4'.")] = "",
    drawn: Annotated[int, typer.Option(min=0, max=50, help="Moves that are drawn after them, for two games each.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Games at a time.")] = 1,
) -> None:
    """Let two players of Go play a match. In the command of a program {seed} stands for the number of the game."""
    from layerwise import open_workspace
    from layerwise.comparing.intervals import wilson
    from layerwise_rl.go.matches import Match
    from layerwise_rl.go.opponents import maker_of
    from layerwise_rl.go.task import Go

    with open_workspace() as workspace:
        names = (one, other)
        makers = [maker_of(name, workspace.predictor, simulations) for name in names]
        agents = [name for name in names if name != "random" and not name.startswith("gtp:")]
        task = workspace.predictor.version(agents[0]).task if agents else Go()
        assert isinstance(task, Go)
        played = Match(
            names=names,
            makers=(makers[0], makers[1]),
            size=task.size if size is None else size,
            komi=task.komi if komi is None else komi,
            folder=to,
            opening=tuple(opening.upper().split()),
            drawn=drawn,
        )
        total = 0.0
        by_color: tuple[list[float], list[float]] = ([], [])
        for count, (number, won) in enumerate(played.play(games, jobs), start=1):
            by_color[played.black(number)].append(won)
            total = sum(map(sum, by_color))
            typer.echo(f"game {number}: {('lost', 'drawn', 'won')[round(2 * won)]}; {total:g} of {count} won")
        low, high = wilson(round(total), games)
        colors = ", ".join(
            f"as {color} {sum(won):g} of {len(won)}"
            for color, won in zip(("Black", "White"), by_color, strict=True)
            if won
        )
        typer.echo(
            f"{one} against {other}: {total:g} of {games} won, {total / games:.1%} ({low:.1%} to {high:.1%}); {colors}"
        )
        for name, seconds in zip(names, played.seconds, strict=True):
            if seconds:
                typer.echo(f"{name}: {statistics.median(seconds):.3f} s a move, at most {max(seconds):.3f} s")
