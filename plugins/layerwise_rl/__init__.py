"""Reinforcement learning: agents that learn by trying."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_rl import control, games
    from layerwise_rl.go.model import GO

    return [*control.models(), *games.models(), GO]


@hookimpl
def layerwise_tasks():
    from layerwise_rl.games import AtariControl
    from layerwise_rl.go.task import Go

    return [AtariControl, Go]


@hookimpl
def layerwise_commands(app):
    from layerwise_rl.go.command import gtp, match

    app.command()(gtp)
    app.command()(match)
