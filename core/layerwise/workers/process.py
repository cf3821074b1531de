"""The worker: a process in which the runner of one version of one model answers.

    python -m layerwise.workers.process PLUGIN NAME:VARIANT@VERSION [DESCRIPTOR]

Its standard input and output are the connection to its parent (`layerwise.workers.messages`), so it takes them away
before anything of a plugin's is imported: what a plugin prints goes to standard error, and what it closes is not the
connection. DESCRIPTOR is a file for the stacks of its threads, which the system's signals bring forth even while an
endless loop lets no other thread run.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from layerwise import logs
from layerwise.errors import LayerwiseError, PluginError
from layerwise.paths import home
from layerwise.plugins.discovery import load_one
from layerwise.registry import Registry
from layerwise.runner import Runner, make_runner
from layerwise.serving.in_use import find_version
from layerwise.serving.loading import explained
from layerwise.specs import ModelSpec
from layerwise.versions import Reference, VersionStore, parse_reference
from layerwise.workers.messages import LOST, Channel, GarbageError, described, packed

LIKELY_TO_BE_KILLED = "900"
"""When the machine has no memory left, the system is to end a worker rather than anything else (-1000 to 1000)."""


def main(plugin: str, reference: str, stacks: str = "") -> None:
    """The whole life of a worker."""
    channel = _take_channel()
    _write_stacks_to(stacks)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(LIKELY_TO_BE_KILLED, encoding="ascii")
    logs.configure()
    first = channel.receive()
    if first is None:
        return
    sys.path[:] = pickle.loads(first[1]) or sys.path  # nosec B301 (from the server)
    parsed = parse_reference(reference)
    answering = Answering(channel, f"{parsed.name}:{parsed.variant}")
    try:
        with explained(answering.name, "be loaded"):
            answering.runner = _runner(plugin, parsed)
            answering.runner.warm()
    except BaseException as error:
        answering.say(0, "error", *described(_as_ours(error)))
    else:
        answering.say(0, "ready", answering.runner.stateful)
    answering.listen()


def _take_channel() -> Channel:
    source, sink = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # the parent has no standard error
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return Channel(os.fdopen(source, "rb", buffering=0), os.fdopen(sink, "wb", buffering=0))


def _write_stacks_to(descriptor: str) -> None:
    if not descriptor:
        return
    faulthandler.enable(int(descriptor))
    faulthandler.register(signal.SIGUSR1, int(descriptor))


def _runner(plugin_name: str, reference: Reference) -> Runner:
    spec = _spec(plugin_name, reference.name)
    version = find_version(VersionStore(home()), spec, reference.variant, reference.version)
    # Looked at only by models that answer from what is registered. This process may be killed at any time, which must
    # not be taken for the fault of a plugin that was just loading.
    registry = Registry(home(), keeps_journal=False)
    return make_runner(spec, version, registry.check)


def _spec(plugin_name: str, model_name: str) -> ModelSpec:
    """The model, of its plugin alone."""
    plugin = load_one(plugin_name, home())
    if plugin is not None and plugin.report.status != "loaded":
        raise PluginError(
            f"The plugin {plugin_name} cannot be loaded in a process of its own", received=plugin.report.reason
        )
    for spec in plugin.registered.get("layerwise_models", ()) if plugin is not None else ():
        if spec.name == model_name:
            return spec
    raise PluginError(
        f"The plugin {plugin_name} does not register the model {model_name} any more",
        remedy='press "Look for new plugins" on the page Plugins, or start Layerwise again',
    )


def _as_ours(error: BaseException) -> LayerwiseError:
    if isinstance(error, LayerwiseError):
        return error
    return LayerwiseError("It raised what no plugin may raise", received=type(error).__name__)


class Request:
    """A request that is being answered: whether anybody still waits, and what is asked of an answer in parts."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.words: queue.SimpleQueue[str] = queue.SimpleQueue()


class Answering:
    """Answers requests, each in a thread of its own as in a process that is asked by many.

    Args:
        channel: The connection to the parent.
        name: The model's and the variant's, for messages.
    """

    def __init__(self, channel: Channel, name: str) -> None:
        self.channel, self.name = channel, name
        self.runner: Runner | None = None
        self._requests: dict[int, Request] = {}

    def listen(self) -> None:
        """Take requests until the parent says that there are no more, or is gone. Does not return."""
        try:
            while (frame := self.channel.receive()) is not None:
                self._take(*frame)
        except (OSError, GarbageError, EOFError):
            os._exit(LOST)
        _end_everything()

    def say(self, number: int, *message: Any) -> None:
        """Send the parent a message about a request."""
        try:
            self.channel.send(number, packed(message, "The answer"))
        except OSError:
            os._exit(LOST)

    def _take(self, number: int, content: bytearray) -> None:
        try:
            kind, *arguments = pickle.loads(content)  # nosec B301 (from the server)
        except Exception as error:  # of a class that is not here, or is another one
            unreadable = LayerwiseError("The input cannot be read in the model's process", received=str(error))
            self.say(number, "error", *described(unreadable))
            return
        if kind == "close":
            self._close()
        elif kind == "cancel":
            if request := self._requests.get(number):
                request.cancelled.set()
        elif kind in ("next", "stop"):
            if request := self._requests.get(number):
                request.words.put(kind)
        else:
            request = self._requests[number] = Request()
            work = (number, request, kind, arguments)
            threading.Thread(target=self._answer, args=work, name=f"{kind} {number}", daemon=True).start()

    def _answer(self, number: int, request: Request, kind: str, arguments: list[Any]) -> None:
        try:
            with explained(self.name, "answer"):
                if kind == "run":
                    self._run(number, request, *arguments)
                else:
                    function: Callable[..., Any] = getattr(self.runner, kind)
                    self.say(number, "answer", function(*arguments))
        except BaseException as error:
            self.say(number, "error", *described(_as_ours(error)))
        finally:
            self._requests.pop(number, None)

    def _run(self, number: int, request: Request, inputs: Mapping[str, Any], session: str | None) -> None:
        assert self.runner is not None
        result = self.runner.run(inputs, session, request.cancelled)
        if isinstance(result, Mapping):
            self.say(number, "answer", result)
            return
        self.say(number, "parts")
        parts = iter(result)
        try:
            while request.words.get() == "next" and self._say_next(number, parts):
                pass
        finally:
            if isinstance(parts, Generator):
                parts.close()
        self.say(number, "end")

    def _say_next(self, number: int, parts: Iterator[Any]) -> bool:
        try:
            part = next(parts)
        except StopIteration:
            return False
        self.say(number, "part", part)
        return True

    def _close(self) -> None:
        try:
            if self.runner is not None:
                self.runner.close()
        except Exception:
            logging.getLogger(__name__).exception("The runner of %s did not close", self.name)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _end_everything() -> None:
    """End this process and what it has started: its parent is gone."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(LOST)


if __name__ == "__main__":
    main(*sys.argv[1:])
