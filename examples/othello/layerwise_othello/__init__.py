"""Othello: a game of one's own on the board page, and an agent that learns it by playing against itself."""

from layerwise import hookimpl
from layerwise_othello.model import OTHELLO
from layerwise_othello.task import Othello


@hookimpl
def layerwise_models():
    return [OTHELLO]


@hookimpl
def layerwise_tasks():
    return [Othello]
