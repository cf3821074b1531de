"""A third-party plugin that answers whatever others do: with the text backwards, or in parts."""

import os
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from layerwise import ModelCard, ModelSpec, errors, hookimpl
from layerwise.plots import Line, LinePlot
from layerwise.runner import Runner
from layerwise.tasks.annotations import AnnotatedPicture, Found
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field


@dataclass(frozen=True, kw_only=True)
class Turning(Task):
    type_name = "turning"

    @property
    def inputs(self):
        return (Field(name="value", kind="json"), Field(name="how", kind="text", default="back"))

    @property
    def outputs(self):
        return (Field(name="value", kind="json"), Field(name="process", kind="number"))


class OwnError(errors.InputError):
    """An error that only this plugin knows."""


class Turner(Runner):
    """In a manner of `how`: back, same, plots, letters (in parts), slow (the same, 0.2 s each), refuse, registered."""

    stateful = True

    def __init__(self, version, registered):
        self.version, self.registered = version, registered
        self.notes = {}

    def run(self, inputs, session, cancelled):
        how = inputs["how"]
        if how in ("letters", "slow", "breaks"):
            return self.letters(inputs["value"], how, session, cancelled)
        return {"value": getattr(self, how)(inputs["value"], session), "process": os.getpid()}

    def back(self, value, session):
        return value[::-1]

    def same(self, value, session):
        return value

    def refuse(self, value, session):
        raise OwnError("This cannot be turned", expected="a text", received=repr(value), remedy="give another one")

    def models(self, value, session):
        return sorted(self.registered().models)

    def note(self, value, session):
        return self.notes.get(session, "nothing")

    def wait(self, value, session):
        time.sleep(value)
        return value

    def plots(self, value, session):
        found = Found(label="thing", score=0.5, box=(0, 0, 1, 1))
        return {
            "plot": [LinePlot(lines=[Line(x=np.arange(3), y=np.ones(3))])],
            "boxes": AnnotatedPicture(image=Image.new("RGB", (2, 2), "red"), found=(found,)),
        }

    def letters(self, value, how, session, cancelled):
        try:
            for end in range(1, len(value) + 1):
                if cancelled.is_set():
                    return
                if how == "slow":
                    time.sleep(0.2)
                if how == "breaks" and end == 2:
                    raise ZeroDivisionError("in the middle")
                yield {"value": value[:end], "process": os.getpid()}
        finally:
            self.notes[session] = f"left off, {'cancelled' if cancelled.is_set() else 'not cancelled'}"

    def outputs(self, batch):
        return 2 * batch

    def end_session(self, session):
        self.notes.pop(session, None)


@hookimpl
def layerwise_tasks():
    return [Turning]


@hookimpl
def layerwise_models():
    card = ModelCard(title="Steady", summary="Turns texts around.")
    return [ModelSpec(name="steady/turn", task=Turning(), build="json:dumps", runner=Turner, card=card)]
