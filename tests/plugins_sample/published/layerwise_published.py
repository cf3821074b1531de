"""A third-party plugin whose weights are published elsewhere and in a format of their own: a folder with a table and a
number. A file "wait" in it stands for a slow line: nothing more comes as long as it is there, and a file "waiting" says
that somebody asked.

Used wherever a test needs weights that are fetched.
"""

import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwise import ModelCard, ModelSpec, PublishedWeights, Variant, hookimpl
from layerwise.errors import DataError
from layerwise.runner import Runner
from layerwise.tasks import Conversation
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field
from layerwise.text.text_file import TextFile
from layerwise.weights import read_arrays

SHELF = Path(__file__).with_name("shelf")
SIZE = 3 * 2**20
NO_WORDS = TextFile("words.txt", "word\n")


@dataclass(frozen=True, kw_only=True)
class Mood(Task):
    """A text in, whether it is for or against something out."""

    type_name = "mood"
    labels: tuple[str, ...] = ("against", "for")
    words: TextFile = NO_WORDS

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text"),)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="mood", kind="label-probabilities"),)

    def encode(self, inputs: Mapping[str, Any]):
        import numpy as np

        said = inputs["text"].lower().split()
        return np.array([[said.count(word) for word in self.words.content.split()]], np.float32)

    def decode(self, outputs):
        import numpy as np

        shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        ranked = [sorted(zip(map(float, row), self.labels, strict=True), reverse=True) for row in shares]
        return [{"mood": {label: share for share, label in row}} for row in ranked]


def build(config, task):
    import keras

    inputs = keras.Input((len(task.words.content.split()),))
    return keras.Model(inputs, keras.layers.Dense(len(task.labels), use_bias=False)(inputs))


def build_number(config, task):
    import keras

    inputs = keras.Input((1,))
    return keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))


def read_scores(source, task, config, progress):
    import numpy as np

    from layerwise.fetching import Fetched

    _, *rows = csv.reader(received(source, "scores.csv", progress).splitlines())
    words = "".join(f"{word}\n" for word, *_ in rows)
    task = Mood(words=TextFile("words.txt", words))
    model = build(config, task)
    model.set_weights([np.array([scores for _, *scores in rows], np.float32)])
    return Fetched(model=model, task=task, config=config)


def read_times(source, task, config, progress):
    import numpy as np

    from layerwise.fetching import Fetched

    model = build_number(config, task)
    model.set_weights([np.array([[float(received(source, "times.txt", progress))]])])
    return Fetched(model=model, task=task, config=config)


def received(source, name, progress):
    path = Path(source) / name
    if not path.is_file():
        raise DataError(f"There is no {name} in {source}", remedy="name the folder of the shelf")
    while path.with_name("wait").exists():
        progress(name, SIZE // 2, SIZE)
        path.with_name("waiting").touch()
        time.sleep(0.02)
    progress(name, SIZE, SIZE)
    return path.read_text(encoding="utf-8")


class Repeater(Runner):
    """Says everything as often as its weights say."""

    def __init__(self, version) -> None:
        (number,) = read_arrays(version.folder).values()
        self.times = int(number.item())

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: Any) -> dict[str, Any]:
        return {"reply": " ".join([inputs["message"]] * self.times)}


def published(read):
    return PublishedWeights(read=f"layerwise_published:{read}", source=str(SHELF), size=SIZE, licence="CC0-1.0")


@hookimpl
def layerwise_tasks():
    return [Mood]


@hookimpl
def layerwise_models():
    return [
        ModelSpec(
            name="words/mood",
            task=Mood(),
            build="layerwise_published:build",
            variants=(Variant(name="short", published=published("read_scores")), Variant(name="long")),
            card=ModelCard(title="Mood", summary="Whether a text is for something."),
        ),
        ModelSpec(
            name="words/talk",
            task=Conversation(),
            build="layerwise_published:build_number",
            runner="layerwise_published:Repeater",
            variants=(Variant(name="parrot", published=published("read_times")),),
            card=ModelCard(title="Parrot", summary="Says it again."),
        ),
    ]
