"""The hooks: the one door through which models, tasks, data sets, pages and lessons come in.

Built-in plugins use the same door as everyone else's. A plugin is a module (or object) named by an entry
point of the group `layerwise.plugins`, with functions marked `@layerwise.hookimpl`. A module may state
`LAYERWISE_HOOKS = 1`, the version of these hooks that it was written for; one that names a newer version
than `HOOKSPEC_VERSION` is refused with a sentence instead of failing somewhere later. docs/hooks.md has a
section for each hook, with an example that runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import keras
    import typer

    from layerwise.lessons import Card, Lesson, Question, QuestionMaker
    from layerwise.runs import Run
    from layerwise.specs import DatasetSpec, ModelSpec, Page
    from layerwise.tasks.base import Task

HOOKSPEC_VERSION = 1
"""Raised by one when a hook is added or changes its meaning."""

PROJECT = "layerwise"
ENTRY_POINT_GROUP = "layerwise.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of the same name."""


@hookspec
def layerwise_models() -> Iterable[ModelSpec]:
    """The models of this plugin.

    Called once when the registry is built, so it must be cheap: import Keras inside `build`, not here.

    Example:
        @hookimpl
        def layerwise_models():
            return [ModelSpec(name="vision/digits", task=..., build="my_plugin.digits:build", card=...)]
    """
    raise NotImplementedError


@hookspec
def layerwise_tasks() -> Iterable[type[Task]]:
    """Task types of this plugin's own, by their `type_name`. Called once when the registry is built.

    Example:
        @hookimpl
        def layerwise_tasks():
            return [ImageCaptioning]
    """
    raise NotImplementedError


@hookspec
def layerwise_datasets() -> Iterable[DatasetSpec]:
    """The data sets that this plugin's models are trained on. Called once when the registry is built.

    Example:
        @hookimpl
        def layerwise_datasets():
            return [DatasetSpec(name="digits", title="Digits", sources=(Source(...),))]
    """
    raise NotImplementedError


@hookspec
def layerwise_pages() -> Iterable[Page]:
    """Pages of the web app beyond those that the tasks draw, each with a `draw` of its own or with experiments. Called
    once when the registry is built; a page's `draw` is called each time the app is built from a new snapshot.

    Example:
        @hookimpl
        def layerwise_pages():
            return [Page(name="playground", title="Playground", draw="my_plugin.page:draw")]
    """
    raise NotImplementedError


@hookspec
def layerwise_lessons() -> Iterable[Lesson | Card | Question | QuestionMaker]:
    """Lessons with their experiments, flashcards, quiz questions, and makers of questions from the learner's own
    runs, in the order in which they are read. Called once when the registry is built.

    Example:
        @hookimpl
        def layerwise_lessons():
            return [Lesson(name="neuron", title="The artificial neuron", text="...")]
    """
    raise NotImplementedError


@hookspec
def layerwise_callbacks(run: Run) -> Sequence[keras.callbacks.Callback]:
    """Keras callbacks that follow a training run. Called in the process of the training, before its first
    step; one that fails is left out of the training.

    Example:
        @hookimpl
        def layerwise_callbacks(run):
            return [MyTracker(run.folder)]
    """
    raise NotImplementedError


@hookspec
def layerwise_commands(app: typer.Typer) -> Any:
    """Add commands to the command line; `app` is for those of this plugin alone. Called when `layerwise` is run
    with a command that is not built in, or is asked for the list of all. Names that are taken are refused.

    Example:
        @hookimpl
        def layerwise_commands(app):
            @app.command()
            def gtp(): ...
    """
    raise NotImplementedError
