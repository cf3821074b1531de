"""Reinforcement learning: agents that learn by trying."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_rl.control import models

    return models()
