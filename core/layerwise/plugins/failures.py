"""Failures of plugins: a sentence for who uses the plugin, a traceback for who wrote it.

    LAYERWISE_HOME/failures/NAME.HOOK.json       how a hook failed that is called after loading
                            NAME.answers.json    how the process of one of its models ended (`layerwise.workers`)

Callbacks are asked for in the process of a training, commands in that of one command line. What they leave here is
shown by every other process, until the same hook succeeds or another release of the plugin is installed; how a process
ended, until somebody switches the plugin on again.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from urllib.parse import quote

import pluggy

from layerwise.errors import LayerwiseError, PluginError
from layerwise.paths import write_atomically

logger = logging.getLogger(__name__)

ANSWERS = "answers"
"""In place of a hook: the process in which one of its models answers."""
_HERE = Path(__file__).parent
_MACHINERY = (
    "<frozen importlib",
    str(Path(importlib.__file__).parent),
    str(Path(pluggy.__file__).parent),
    threading.__file__,
    *(str(_HERE / name) for name in ("loading.py", "files.py", "contributions.py", "failures.py")),
    str(_HERE.parent / "snapshot.py"),
)
"""Files whose frames lead to a plugin and say nothing about it."""


@contextmanager
def during(doing: str) -> Iterator[None]:
    """Say what was going on when something unexpected was raised, such as "Its hook layerwise_models".

    Raises:
        PluginError: Anything else than a LayerwiseError, which says what it has to say, or Ctrl-C was raised.
    """
    try:
        yield
    except (LayerwiseError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{doing} raised {_named(error)}", remedy=_remedy(error)) from error


def reason_of(error: BaseException) -> str:
    """One sentence that says what went wrong."""
    return str(error) if isinstance(error, LayerwiseError) else f"It raised {_named(error)}."


def _named(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"SystemExit: it called sys.exit({error.code!r}), where a plugin must raise an error"
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # the author of an exception may err as well
        lines = []
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _remedy(error: BaseException) -> str | None:
    if not isinstance(error, ImportError) or not error.name:
        return None
    package = error.name.partition(".")[0]
    if package == __name__.partition(".")[0]:
        return "update Layerwise, or install a release of the plugin that fits this one"
    return f"install what provides the module {package} where Layerwise is installed, or reinstall the plugin"


def traceback_of(error: BaseException) -> str:
    """The traceback from the plugin's first line on."""
    if isinstance(error, PluginError) and error.__cause__ is not None:
        error = error.__cause__
    shown = traceback.TracebackException.from_exception(error)
    linked: traceback.TracebackException | None = shown
    while linked is not None:
        linked.stack = traceback.StackSummary.from_list(dropwhile(_is_machinery, linked.stack))
        linked = linked.__cause__ or linked.__context__
    is_all = not shown.stack and shown.__cause__ is None and shown.__context__ is None
    return "".join(shown.format_exception_only() if is_all else shown.format())


def stack_of(thread: threading.Thread) -> str:
    """Where a thread is just now, from the plugin's first line on; empty when it has ended."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        return ""
    frames = dropwhile(_is_machinery, traceback.extract_stack(frame))
    return "".join(["Stack (most recent call last):\n", *traceback.StackSummary.from_list(frames).format()])


def _is_machinery(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_MACHINERY)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How a hook failed that was called after loading."""

    reason: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class FailureStore:
    """The failures that are kept below one home. In a home that cannot be written to, none is kept."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.home / "failures"

    def keep(self, name: str, hook: str, version: str, error: BaseException) -> None:
        """Remember that the hook of the plugin `name` failed."""
        self.put(name, hook, version, Failure(reason=reason_of(error), traceback=traceback_of(error)))

    def put(self, name: str, hook: str, version: str, failure: Failure) -> None:
        """Remember how the hook of the plugin `name` failed. The same reason is not written again: each time that
        something is, everybody looks."""
        known = self.find(name, hook, version)
        if known is not None and known.reason == failure.reason:
            return
        content = {"version": version, "reason": failure.reason, "traceback": failure.traceback}
        try:
            write_atomically(self._path(name, hook), json.dumps(content, indent=2) + "\n")
        except OSError as trouble:
            logger.warning("the failure of %s is not kept: %s", name, trouble)

    def clear(self, name: str, hook: str) -> None:
        """Forget it: the hook has succeeded."""
        with suppress(OSError):
            self._path(name, hook).unlink(missing_ok=True)

    def find(self, name: str, hook: str, version: str) -> Failure | None:
        """How the hook of this version of the plugin failed the last time, or None."""
        try:
            content = json.loads(self._path(name, hook).read_text(encoding="utf-8"))
            if content["version"] != version:
                return None
            return Failure(reason=str(content["reason"]), traceback=str(content["traceback"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, name: str, hook: str) -> Path:
        # The name of an entry point may hold a slash.
        return self.folder / f"{quote(name, safe=' ')}.{hook}.json"
