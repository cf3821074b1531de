"""`layerwise gtp`: an agent that plays Go, for programs that speak the Go Text Protocol."""

from __future__ import annotations

import sys
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
