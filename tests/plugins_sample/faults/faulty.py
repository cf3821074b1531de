"""A third-party plugin that does what no plugin should, where it is asked to: while its model is built, while an input
is encoded, while the model runs, while its outputs are decoded, or in its training. Nothing of Keras is imported.
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from layerwise import ModelCard, ModelSpec, TrainingConfig, Variant, hookimpl, setting
from layerwise.runner import Runner
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field


class Own:
    """A class that only this plugin has."""


def use_memory():
    blocks = []
    while True:
        blocks.append(bytearray(os.urandom(2**20) * 16))


def hold_the_interpreter():
    re.match(r"(a+)+$", "a" * 60 + "b")  # in C, where no other thread of this process gets its turn


def print_much():
    for _ in range(1000):
        print("\0LwF\1 garbage" * 20)
    os.write(1, b"LwF\1" * 1000)
    ctypes.CDLL(None).puts(b"from C")


def write_to_all_pipes():
    for place in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if int(place.name) > 2 and str(place.readlink()).startswith("pipe:"):
                os.write(int(place.name), b"garbage" * 100)


def start_others(then):
    for options in ({}, {"start_new_session": True}):
        subprocess.Popen(["sleep", "600"], **options)
    then()


def leave_thread():
    threading.Thread(target=loop, daemon=False).start()


def loop():
    while True:
        pass


def leave():
    sys.exit(3)


def fail():
    raise ValueError("a mistake of the plugin")


FAULTS = {
    "nothing": lambda: None,
    "exception": fail,
    "loop": loop,
    "gil": hold_the_interpreter,
    "os-exit": lambda: os._exit(3),
    "sys-exit": leave,
    "segmentation-fault": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": use_memory,
    "prints": print_much,
    "closes": lambda: os.closerange(0, 1000),
    "garbage": write_to_all_pipes,
    "others": lambda: start_others(lambda: os._exit(4)),
    "gil-with-others": lambda: start_others(hold_the_interpreter),
    "leaves-thread": leave_thread,
    "leaves-process": lambda: start_others(lambda: None),
    "own-class": Own,
    "function": lambda: use_memory,
}
"""By name; the last two are faults by what they give."""


@dataclass(frozen=True, kw_only=True)
class Echoing(Task):
    """A text and back. `fault` is what to do, and `place` where."""

    type_name = "echoing"

    @property
    def inputs(self):
        names = ("text", "fault", "place")
        return tuple(Field(name=name, kind="text", default="" if name != "text" else None) for name in names)

    @property
    def outputs(self):
        return (Field(name="text", kind="text"),)

    def encode(self, inputs):
        return [do(inputs, "encode"), inputs["text"]]

    def decode(self, outputs):
        return [do(outputs[0], "decode"), outputs[1]]


def do(inputs, place):
    result = FAULTS[inputs["fault"] or "nothing"]() if inputs["place"] == place else None
    return inputs if result is None else {**inputs, "result": result}


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    fault: str = setting("nothing", "What is done while the model is built", choices=tuple(FAULTS))


def build(config, task):
    FAULTS[config.fault]()
    return lambda encoded: encoded


def train(context):
    FAULTS[context.config.fault]()


class Echo(Runner):
    stateful = True

    def __init__(self, version):
        self.task, self.closed = version.task, False
        self.network = build(version.config, version.task)
        self.sessions = {}
        self.lock = threading.Lock()

    def run(self, inputs, session, cancelled):
        if inputs["fault"] == "endless":
            return self.endless(cancelled)
        if inputs["fault"] == "count":
            return self.count(session)
        encoded = self.task.encode(inputs)
        ran = self.network(do(encoded[0], "run"))
        asked, text = self.task.decode([ran, encoded[1]])
        return {"text": asked.get("result", text)}

    def endless(self, cancelled):
        number = 0
        while not cancelled.is_set():
            number += 1
            yield {"text": str(number)}

    def count(self, session):
        with self.lock:
            self.sessions[session] = self.sessions.get(session, 0) + 1
            return {"text": str(self.sessions[session])}

    def end_session(self, session):
        self.sessions.pop(session, None)


CARD = ModelCard(title="Faulty", summary="Does what no plugin should.")


@hookimpl
def layerwise_tasks():
    return [Echoing]


@hookimpl
def layerwise_models():
    variants = tuple(Variant(name=name, config=Config(fault=name)) for name in FAULTS)
    shared = {"task": Echoing(), "build": build, "config": Config, "variants": variants, "card": CARD}
    return [
        ModelSpec(name="faulty/echo", runner=Echo, **shared),
        ModelSpec(name="faulty/learn", runner=Echo, train=train, **shared),
    ]
