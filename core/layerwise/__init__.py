"""Layerwise: a showcase of deep learning to open, look inside, retrain and extend.

This facade is what a plugin needs. Importing it imports neither Keras nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import deprecations, errors, tasks
from layerwise.config import Settings, TrainingConfig, setting
from layerwise.errors import LayerwiseError
from layerwise.hookspecs import hookimpl
from layerwise.specs import DatasetSpec, Example, File, ModelCard, ModelSpec, Page, PublishedWeights, Source, Variant
from layerwise.teaching.lessons import Card, Experiment, Lesson, Question, QuestionMaker, Stage, Tour

if TYPE_CHECKING:
    from layerwise.workspace import Workspace

__version__ = "0.1.0"

__all__ = [
    "Card",
    "DatasetSpec",
    "Example",
    "Experiment",
    "File",
    "LayerwiseError",
    "Lesson",
    "ModelCard",
    "ModelSpec",
    "Page",
    "PublishedWeights",
    "Question",
    "QuestionMaker",
    "Settings",
    "Source",
    "Stage",
    "Tour",
    "TrainingConfig",
    "Variant",
    "__version__",
    "errors",
    "hookimpl",
    "open_workspace",
    "setting",
    "tasks",
]


def open_workspace(home: Path | str | None = None) -> Workspace:
    """Open the models, the runs and the predictor below `home`: `layerwise.workspace.open_workspace`.

    Example:
        >>> layerwise.open_workspace().predictor.predict("vision/fashion", "shoe.png")  # doctest: +SKIP
    """
    # Imported here, so that a plugin that only describes its models does not pay for it.
    from layerwise import workspace

    return workspace.open_workspace(home)


deprecations.keep_former_arguments(globals())
if not TYPE_CHECKING:  # a type checker would take every name for one that is there
    __getattr__ = deprecations.former_names(__name__)
