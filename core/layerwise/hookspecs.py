"""The hooks: the one door through which models, tasks, data sets, pages and lessons come in.

Built-in plugins use the same door as everyone else's. A plugin is a module (or object) named by an entry
point of the group `layerwise.plugins`, with functions marked `@layerwise.hookimpl`. A module may state
`LAYERWISE_HOOKS = 1`, the version of these hooks that it was written for; one that names a version that is not
served is refused with a sentence instead of failing somewhere later.

Of each docstring docs/hooks.md is made (`layerwise.reference`): what a plugin does by the hook, when it is called, the
text, and an example, all of which together are one plugin that is tried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import keras
    import typer

    from layerwise.runs import Run
    from layerwise.specs import DatasetSpec, ModelSpec, Page
    from layerwise.tasks.base import Task
    from layerwise.teaching.lessons import Card, Lesson, Question, QuestionMaker, Tour

HOOKSPEC_VERSION = 1
"""Raised by one when a hook is added or changes its meaning."""
LAST_RELEASES: dict[int, str] = {}
"""Of each version of the hooks that is served no longer, the last minor release of Layerwise that did: {1: "0.6"}."""

PROJECT = "layerwise"
ENTRY_POINT_GROUP = "layerwise.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of the same name."""


@hookspec
def layerwise_models() -> Iterable[ModelSpec]:
    """Register models.

    Called when plugins are loaded.

    Returns a list of `ModelSpec`. Each gets a card on the first page, a tab, a train form, an HTTP endpoint and a name
    on the command line; the part of its name before the slash is the page on which it appears.

    A plugin whose models come and go reads them from a JSON file in the folder `registered` below the home
    (`layerwise.paths.home() / layerwise.paths.REGISTERED`): when one there changes, the hook is called again, also in a
    server that runs. The built-in plugin `hub` does so.

    Example:
        from layerwise import ModelCard, ModelSpec, hookimpl
        from layerwise.tasks import ImageClassification


        def build(config, task):
            from layerwise.networks import dense_network

            return dense_network((*task.size, task.channels), (32,), output_units=len(task.labels), scale=1 / 255)


        @hookimpl
        def layerwise_models():
            return [
                ModelSpec(
                    name="shapes/fill",
                    task=ImageClassification(labels=("empty", "full"), size=(16, 16), channels=1),
                    build=build,
                    data="fills",
                    card=ModelCard(title="Fill", summary="Whether a square is empty or full."),
                )
            ]
    """
    raise NotImplementedError


@hookspec
def layerwise_datasets() -> Iterable[DatasetSpec]:
    """Register data sets.

    Called when plugins are loaded.

    Returns a list of `DatasetSpec`. A model names its data set, which any plugin may have registered. A model whose
    data set nobody registers is refused together with its plugin.

    Example:
        from layerwise import DatasetSpec, Source, hookimpl


        def read(files):
            import numpy as np

            from layerwise.data import Split

            rng = np.random.default_rng(0)
            targets = rng.integers(0, 2, 240).astype(np.int32)
            pictures = np.zeros((240, 16, 16, 1), np.uint8)
            pictures[:, 3:13, 3:13] = 255
            pictures[targets == 0, 5:11, 5:11] = 0
            return {"train": Split(pictures[:200], targets[:200]), "test": Split(pictures[200:], targets[200:])}


        @hookimpl
        def layerwise_datasets():
            source = Source(name="generated", read=read, licence="CC0-1.0")
            return [DatasetSpec(name="fills", title="Empty and full squares", sources=(source,))]
    """
    raise NotImplementedError


@hookspec
def layerwise_tasks() -> Iterable[type[Task]]:
    """Register task types of its own.

    Called when plugins are loaded.

    Returns a list of task *types*, subclasses of `Task` with a `type_name` that no other has. Register one that other
    plugins may use too; a task of one model alone needs no registration. A model that is shown needs at least `inputs`,
    `outputs`, `encode` and `decode`, or a `runner`, which answers by itself.

    Example:
        from dataclasses import dataclass
        from typing import ClassVar

        from layerwise import hookimpl
        from layerwise.tasks import Field, Task


        @dataclass(frozen=True, kw_only=True)
        class ImageCaptioning(Task):  # a picture in, a sentence out
            type_name: ClassVar[str] = "image-captioning"
            max_words: int = 20

            @property
            def inputs(self):
                return (Field(name="image", kind="image", label="Picture"),)

            @property
            def outputs(self):
                return (Field(name="caption", kind="text", label="What it shows"),)


        @hookimpl
        def layerwise_tasks():
            return [ImageCaptioning]
    """
    raise NotImplementedError


@hookspec
def layerwise_pages() -> Iterable[Page]:
    """Register pages of the web app.

    Called when plugins are loaded.

    Returns a list of `Page`: a page of the web app beyond those that the tasks draw. `draw(predictor)` is called inside
    a Gradio Blocks each time the web app is built from a new snapshot; it is the only place where a plugin needs
    Gradio. A page with `experiments` in place of `draw` needs none: they are those of lessons (see below), and the web
    app draws them.

    Example:
        from layerwise import Page, hookimpl


        def draw(predictor):
            import gradio as gr

            text = gr.Textbox(label="Text")
            length = gr.Number(label="Letters")
            text.change(len, text, length)


        @hookimpl
        def layerwise_pages():
            return [Page(name="letters", title="Letters", draw=draw)]
    """
    raise NotImplementedError


@hookspec
def layerwise_lessons() -> Iterable[Lesson | Card | Question | QuestionMaker | Tour]:
    r"""Register lessons, flashcards, quiz questions and tours.

    Called when plugins are loaded.

    Returns a list of `Lesson` (with its `Experiment`s), `Card` (a flashcard), `Question` (of a quiz),
    `QuestionMaker` (makes questions from the learner's own runs) and `Tour` (leads through lessons, pages, demos and
    trainings, its `Stage`s), in the order in which they are read. An experiment is a function from settings, which
    become sliders and other controls, to what is shown (`layerwise.plots`); it needs no Gradio. It runs at each move of
    a control. One that takes longer is given a `button` that starts it, and may be a generator, each of whose lists
    replaces the one before. Texts are Markdown with formulas in LaTeX between dollar signs. The `plots` of a question
    show what it is about, or name a function that computes them when it is asked. The function of a question maker is
    given the finished runs, the newest first, and should ask only what their histories decide clearly.

    Example:
        from dataclasses import dataclass

        from layerwise import Card, Experiment, Lesson, Question, Settings, Stage, Tour, hookimpl, setting


        @dataclass(frozen=True, kw_only=True)
        class Square(Settings):
            side: int = setting(4, "Pixels along each side", minimum=1, maximum=16, unit="pixels")
            is_full: bool = setting(False, "Whether it is filled")


        def show_square(settings):
            import numpy as np

            from layerwise.plots import Formula, Heatmap

            picture = np.ones((settings.side, settings.side))
            if not settings.is_full:
                picture[1:-1, 1:-1] = 0
            count = rf"{settings.side} \cdot {settings.side} = {picture.size}"
            return [Heatmap(values=picture, is_labelled=settings.side < 9), Formula(label="numbers", latex=count)]


        @hookimpl
        def layerwise_lessons():
            square = Experiment(name="square", title="A square in numbers", show=show_square, settings=Square)
            return [
                Lesson(
                    name="fill",
                    title="What a network sees",
                    text="A picture is a **grid of numbers**, $n \\cdot n$ of them.",
                    experiments=(square,),
                ),
                Card(name="grey", front="What is the grey value of white?", back="255", lesson="fill"),
                Question(
                    name="size",
                    text="How many numbers has a grey picture of 16 x 16 pixels?",
                    choices=("16", "256", "768"),
                    answer=1,
                    explanation="One for each pixel, and 16 x 16 = 256.",
                    lesson="fill",
                ),
                Tour(
                    name="squares",
                    title="All about squares",
                    summary="From numbers to a network that tells squares apart.",
                    stages=(
                        Stage(title="Numbers", text="Turn the side and count.", lesson="fill"),
                        Stage(title="An answer", text="Give it a square of yours.", model="shapes/fill"),
                        Stage(title="Your own", text="Start it, watch the loss.", minutes=2, train="shapes/fill"),
                    ),
                ),
            ]
    """
    raise NotImplementedError


@hookspec
def layerwise_callbacks(run: Run) -> Sequence[keras.callbacks.Callback]:
    r"""Follow a training with Keras callbacks.

    Called when a training begins, in its process, before its first step.

    `run` is its folder, seen through `layerwise.runs.Run`: `run.name`, `run.config`, `run.folder`. Returns a list of
    `keras.callbacks.Callback`, which follow the training beside those of the core. One that fails is left out. The
    built-in plugin `tracking` uses it to tell MLflow of each run.

    Example:
        from layerwise import hookimpl


        @hookimpl
        def layerwise_callbacks(run):
            import keras

            def note(epoch, logs):
                with (run.folder / "losses.txt").open("a") as file:
                    file.write(f"{epoch} {logs['loss']:.4f}\n")

            return [keras.callbacks.LambdaCallback(on_epoch_end=note)]
    """
    raise NotImplementedError


@hookspec
def layerwise_commands(app: typer.Typer) -> Any:
    """Add commands to the command line.

    Called when `layerwise` is run with a command that is not built in, or asked for the list of all.

    `app` is a `typer.Typer` for the commands of this plugin alone; it returns nothing. A name that a built-in command
    or an earlier plugin has is refused.

    Example:
        from pathlib import Path

        from layerwise import hookimpl


        @hookimpl
        def layerwise_commands(app):
            @app.command(help="Say how many pictures a folder has.")
            def count_pictures(folder: Path):
                print(len(list(folder.glob("*.png"))))
    """
    raise NotImplementedError
