"""Layerwise: a showcase of deep learning to open, look inside, retrain and extend.

This facade is what a plugin needs. Importing it imports neither Keras nor TensorFlow.
"""

from layerwise import errors, tasks
from layerwise.config import TrainingConfig, setting
from layerwise.errors import LayerwiseError
from layerwise.hookspecs import hookimpl
from layerwise.specs import (
    Card,
    DatasetSpec,
    Example,
    File,
    Lesson,
    ModelCard,
    ModelSpec,
    Page,
    Question,
    Source,
    Variant,
)

__version__ = "0.1.0"

__all__ = [
    "Card",
    "DatasetSpec",
    "Example",
    "File",
    "LayerwiseError",
    "Lesson",
    "ModelCard",
    "ModelSpec",
    "Page",
    "Question",
    "Source",
    "TrainingConfig",
    "Variant",
    "__version__",
    "errors",
    "hookimpl",
    "setting",
    "tasks",
]
