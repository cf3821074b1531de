"""Small networks and tasks for the tests of `layerwise.inspection`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sample_models import Grading, shelf, spec_of

from layerwise.config import TrainingConfig
from layerwise.inspection.subject import Subject
from layerwise.tasks.base import Task
from layerwise.tasks.classification import Classification
from layerwise.tasks.fields import Field
from layerwise.versions import Version

WORDS = ("", "a", "very", "good", "bad", "film")
LENGTH = 6


@dataclass(frozen=True, kw_only=True)
class Opinions(Classification):
    """A text of a few words in, ids padded with 0; good or bad out."""

    type_name = "opinions"
    labels: tuple[str, ...] = ("bad", "good")

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text"),)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        ids = [WORDS.index(word) for word in inputs["text"].split()]
        return np.array([ids + [0] * (LENGTH - len(ids))], "int32")

    def part_names(self, encoded: Any) -> list[str]:
        return [f"{WORDS[number]} " if number else "" for number in encoded[0]]


@dataclass(frozen=True, kw_only=True)
class Sounds(Grading):
    """A waveform of 64 samples in, a grade out."""

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="sound", kind="audio"),)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(inputs["sound"], "float32")[None]


def subject_of(model: Any, task: Task | None = None) -> Subject:
    """A network to look into, outside of any workspace."""
    task = task or Grading()
    spec = spec_of("sample/inspected", task=task)
    version = Version(
        name=spec.name,
        variant="default",
        id="shipped",
        folder=Path(),
        task=task,
        config=TrainingConfig(),
        record={},
    )
    return Subject(model.name, model, version, spec, shelf(spec))


def residual_network(size: int = 12) -> Any:
    """Convolutions with a shared layer, a skip connection and a network within the network."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    inner_input = keras.Input((None, None, 4))
    inner = layers.Conv2D(4, 3, padding="same", activation="tanh", name="deeper")(inner_input)
    block = keras.Model(inner_input, layers.BatchNormalization(name="norm")(inner), name="block")
    inputs = keras.Input((size, size, 1), name="picture")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    x = layers.RandomFlip(name="flip")(x)
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh", name="entry")(x)
    shared = layers.Conv2D(4, 1, name="shared")
    x = layers.Add(name="skip")([shared(x), shared(block(x))])
    x = layers.GlobalAveragePooling2D(name="average")(layers.Dropout(0.5, name="dropout")(x))
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="residual")


def opinion_network(*, mask: bool = True) -> Any:
    """An embedding, a mean over the words that are there, a dense layer."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(2)
    ids = keras.Input((LENGTH,), dtype="int32", name="ids")
    x = layers.Embedding(len(WORDS), 5, mask_zero=mask, name="embedding")(ids)
    x = layers.Dense(8, activation="tanh", name="hidden")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(ids, layers.Dense(2, name="logits")(x), name="opinions")
