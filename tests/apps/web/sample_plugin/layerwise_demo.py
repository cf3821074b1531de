"""A plugin whose models answer without a network, so that what is shown of them can be tested in no time: a picture, a
text that streams, a row of a table, a conversation, and a page of its own."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwise import Example, ModelCard, ModelSpec, Page, hookimpl
from layerwise.errors import InputError
from layerwise.runner import Runner
from layerwise.tasks import Column, Conversation, ImageClassification, TabularRegression
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field


@dataclass(frozen=True, kw_only=True)
class Saying(Task):
    """A text in, a text out, and how often if it is to be said more than once."""

    type_name = "demo-saying"

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text"), Field(name="times", kind="number", optional=True))

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text", label="Echo"),)


@dataclass(frozen=True, kw_only=True)
class Listening(Task):
    """A sound in, how long it is out."""

    type_name = "demo-listening"

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="audio", kind="audio", label="Sound", alternatives=("live-audio",)),)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text", label="Heard"),)


class Ear(Runner):
    """How many seconds it has heard, and how loud."""

    def __init__(self, version) -> None:
        pass

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: Any) -> dict[str, Any]:
        from layerwise.tasks.sounds import load_sound

        waveform = load_sound(inputs["audio"], 8000)
        return {"text": f"{len(waveform) / 8000:.1f} seconds, {abs(waveform).max():.1f} at most"}


class Brightness(Runner):
    """Bright or dark, by the mean of the pixels. A trained version brings the brightness at which it changes."""

    def __init__(self, version) -> None:
        from layerwise.weights import read_arrays

        self.task = version.task
        self.threshold = float(read_arrays(version.folder)["threshold"]) if version.record else 0.5

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: Any) -> dict[str, Any]:
        share = float(self.task.encode(inputs).mean() / 255)
        bright = min(max(0.5 + share - self.threshold, 0.0), 1.0)
        ranked = sorted(zip(self.task.labels, (1 - bright, bright), strict=True), key=lambda pair: -pair[1])
        return {"label": ranked[0][0], "probabilities": dict(ranked)}


class Echo(Runner):
    """A text, a word more each time. Where DEMO_GATE names a file, loading ends when there is one."""

    def __init__(self, version) -> None:
        gate = os.environ.get("DEMO_GATE")
        while gate and not Path(gate).exists():
            time.sleep(0.02)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: Any) -> Iterator[dict[str, Any]]:
        if "forbidden" in inputs["text"]:
            raise InputError("This may not be said", received="<b>forbidden</b>", remedy="say something else")
        if "bug" in inputs["text"]:
            raise ZeroDivisionError("a mistake of the plugin")
        words = inputs["text"].split() * int(inputs.get("times") or 1)
        for end in range(1, len(words) + 1):
            yield {"text": " ".join(words[:end])}


class Talker(Runner):
    """Counts what was said and repeats the last of it, a word more each time; slowly when it is asked to, and for as
    long as DEMO_LENGTH says."""

    def __init__(self, version) -> None:
        self.task = version.task

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: Any) -> Iterator[dict[str, Any]]:
        messages = self.task.messages_of(inputs)
        said = messages[-1]["content"]
        if "forbidden" in said:
            raise InputError("This may not be said", remedy="say something else")
        words = f"Message **{len(messages)}**: {said}".split()
        if "slowly" in said:
            words += ["and", "on"] * int(os.environ.get("DEMO_LENGTH", "500"))
        for end in range(1, len(words) + 1):
            if cancelled.is_set():
                return
            yield {"reply": " ".join(words[:end])}
            time.sleep(0.2 if "slowly" in said else 0)
        yield {"reply": " ".join(words), "sources": [{"said by": "<i>somebody</i>"}], "note": "It only repeats."}


class Weight(Runner):
    """Grams, from the length, for two kinds of things."""

    def __init__(self, version) -> None:
        pass

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: Any) -> dict[str, Any]:
        row = inputs["row"]
        return {"value": float(row["length"]) * (2 if row["kind"] == "heavy" else 1)}


def pictures() -> list[Example]:
    import numpy as np

    ramp = np.tile(np.arange(16, dtype=np.uint8), (16, 1))
    return [
        Example(inputs={"image": ramp}, label="night"),
        Example(inputs={"image": 255 - ramp}, label="noon"),
    ]


def sayings() -> list[Example]:
    return [Example(inputs={"text": "Hello <world>"}), Example(inputs={"text": "twice", "times": 2}, label="Twice")]


def messages() -> list[Example]:
    return [Example(inputs={"message": "Good morning"})]


def broken() -> list[Example]:
    raise OSError("the disk is gone")


def rows() -> list[Example]:
    return [Example(inputs={"row": {"length": 3.0, "kind": "heavy"}})]


def draw_page(predictor) -> None:
    import gradio as gr

    gr.Textbox(lambda: "Read when the page is opened", label="A control of the plugin's own")


@hookimpl
def layerwise_tasks():
    return [Saying, Listening]


@hookimpl
def layerwise_pages():
    return [Page(name="extra", title="Extra", draw="layerwise_demo:draw_page")]


@hookimpl
def layerwise_models():
    columns = (
        Column(name="length", kind="number", mean=3.0, deviation=1.0),
        Column(name="kind", kind="choice", choices=("light", "heavy")),
    )
    shared = {"build": "json:dumps"}
    return [
        ModelSpec(
            name="demo/brightness",
            task=ImageClassification(labels=("dark", "bright"), size=(16, 16), channels=1),
            runner=Brightness,
            examples=pictures,
            card=ModelCard(title="Brightness", summary="Whether a picture is dark.", description="The mean of pixels."),
            **shared,
        ),
        ModelSpec(
            name="demo/echo",
            task=Saying(),
            runner=Echo,
            examples=sayings,
            card=ModelCard(title="Echo", summary="Says what it hears.", limits="It has no mind."),
            **shared,
        ),
        ModelSpec(
            name="demo/talk",
            task=Conversation(),
            runner=Talker,
            examples=messages,
            card=ModelCard(title="Talk", summary="Repeats what was said."),
            **shared,
        ),
        ModelSpec(
            name="demo/ear",
            task=Listening(),
            runner=Ear,
            card=ModelCard(title="Ear", summary="How long a sound is."),
            **shared,
        ),
        ModelSpec(
            name="demo/weight",
            task=TabularRegression(columns=columns, target="grams"),
            runner=Weight,
            examples=rows,
            card=ModelCard(title="Weight", summary="What a thing weighs."),
            **shared,
        ),
        ModelSpec(
            name="demo/broken",
            task=Saying(),
            runner=Echo,
            examples=broken,
            card=ModelCard(title="Broken", summary="Its examples cannot be read."),
            **shared,
        ),
    ]
