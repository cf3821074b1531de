"""Reinforcement learning: agents that learn by trying."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_rl import control, games

    return [*control.models(), *games.models()]


@hookimpl
def layerwise_tasks():
    from layerwise_rl.games import AtariControl

    return [AtariControl]
