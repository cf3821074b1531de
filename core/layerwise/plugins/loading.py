"""Plugins: loaded one at a time, each inside a guard, and what became of each.

Each plugin has a pluggy manager of its own, so a call of its hooks can neither fail nor be delayed by another one's,
and a misspelt hook is its own fault alone. A plugin that fails contributes nothing and is reported with its
traceback; everything else goes on.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, TypeVar

import pluggy

from layerwise import deprecations
from layerwise.errors import PluginError
from layerwise.plugins.contributions import REGISTERING, checked
from layerwise.plugins.failures import during, reason_of, stack_of, traceback_of
from layerwise.plugins.files import PluginFile
from layerwise.plugins.implementations import check_marks, check_version, manager_of

T = TypeVar("T")

DEFAULT_TIMEOUT = 20.0
"""Seconds for which a plugin may load."""


@dataclass(frozen=True, kw_only=True)
class PluginReport:
    """What became of one plugin.

    Args:
        name: The name of its entry point, or made from the name of its file.
        distribution, version: What it was installed with; the path of its file, and no version.
        built_in: Whether it comes with Layerwise.
        status: "loaded", "failed", "disabled" or "quarantined".
        reason: Why it is not loaded, one sentence; of a loaded one, how a hook failed that is called later.
        traceback: Where it failed, from its own first line on.
        hooks: The hooks that it implements.
        models: The names of the models that it registered.
        module: The module that it is.
        deprecated: What it has used that a later release will not have, a sentence each for its author.
        python: The path of the Python of its own that it has; empty for that of Layerwise.
    """

    name: str
    distribution: str
    version: str
    built_in: bool
    status: str = "loaded"
    reason: str = ""
    traceback: str = ""
    hooks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    module: str = ""
    deprecated: tuple[str, ...] = ()
    python: str = ""

    @property
    def source(self) -> str:
        """Where it comes from: "my-pets 1.0", or the path of its file; and which Python runs it, if not this one."""
        under = f", run by {self.python}" if self.python else ""
        return f"{self.distribution} {self.version}".strip() + under


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin as far as it got: its report and, when it is loaded, its hooks and what they returned."""

    report: PluginReport
    manager: pluggy.PluginManager | None = None
    registered: MappingProxyType[str, tuple] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def origin(self) -> str:
        """How it is named in messages: "pets (my-pets 1.0)"."""
        return f"{self.report.name} ({self.report.source})"

    def failed(self, error: BaseException) -> Plugin:
        """This plugin without anything that it registered."""
        reason, trace = reason_of(error), traceback_of(error)
        return Plugin(report=replace(self.report, status="failed", reason=reason, traceback=trace, models=()))

    def off(self, status: str, reason: str, trace: str = "") -> Plugin:
        """This plugin, which is not loaded on purpose."""
        return Plugin(report=replace(self.report, status=status, reason=reason, traceback=trace))


def load(point: EntryPoint | PluginFile, plugin: Plugin) -> Plugin:
    """Import a plugin and ask it for what it registers. Never raises but for Ctrl-C."""
    with stdout_kept_clean():
        if not plugin.report.built_in:
            with _descriptor_kept_clean():
                return _load_in_thread(point, plugin)
        try:
            return _load(point, plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: no plugin ends the house
            return plugin.failed(error)


def _load_in_thread(point: EntryPoint | PluginFile, plugin: Plugin) -> Plugin:
    try:
        return in_thread(f"load {plugin.report.name}", lambda: _load(point, plugin))
    except HangingError as error:
        late = PluginError(
            f"It did not finish loading within {error.seconds:g} seconds",
            remedy=f"layerwise plugins --enable {plugin.report.name} tries again; "
            "LAYERWISE_PLUGIN_TIMEOUT sets the time",
        )
        return plugin.off("quarantined", str(late), error.stack)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return plugin.failed(error)


class HangingError(PluginError):
    """What was asked of a plugin is not done yet.

    Args:
        seconds: For which it was waited for.
        stack: Where it is just now.
    """

    def __init__(self, seconds: float, stack: str) -> None:
        super().__init__(
            f"It did not come to an end within {seconds:g} seconds", remedy="LAYERWISE_PLUGIN_TIMEOUT sets the time"
        )
        self.seconds, self.stack = seconds, stack


def in_thread(name: str, work: Callable[[], T]) -> T:
    """What `work` gives. It cannot be ended from outside; in a thread of its own, one that hangs costs a thread.

    Raises:
        HangingError: It is not done when `timeout_seconds` are over.
        BaseException: What it raised; a KeyboardInterrupt of its own as a PluginError, as a real one is raised here.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except KeyboardInterrupt as error:
            errors.append(PluginError("It raised KeyboardInterrupt"))
            errors[0].__cause__ = error
        except BaseException as error:
            errors.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name=name, daemon=True)
    thread.start()
    seconds = timeout_seconds()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise HangingError(seconds, stack_of(thread))
    return results[0]


def timeout_seconds() -> float:
    """How long a plugin may load: LAYERWISE_PLUGIN_TIMEOUT, 20 seconds by default."""
    try:
        seconds = float(os.environ.get("LAYERWISE_PLUGIN_TIMEOUT", ""))
    except ValueError:
        return DEFAULT_TIMEOUT
    return seconds if math.isfinite(seconds) and 0 < seconds <= threading.TIMEOUT_MAX else DEFAULT_TIMEOUT


@contextlib.contextmanager
def stdout_kept_clean() -> Iterator[None]:
    """What a plugin prints goes to stderr: standard output is the answer of a command, often JSON."""
    # Unlike contextlib.redirect_stdout also right when two threads overlap: the last to leave puts it back.
    with _diverting:
        _diverted.append(_diverted[0] if _diverted else sys.stdout)
        sys.stdout = sys.stderr
    try:
        yield
    finally:
        with _diverting:
            stdout = _diverted.pop()
            if not _diverted:
                sys.stdout = stdout


@contextlib.contextmanager
def _descriptor_kept_clean() -> Iterator[None]:
    """The same for what is written past Python: by C code, or to the descriptor."""
    with contextlib.suppress(OSError, ValueError):
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # there is no standard output, or no standard error
        yield
        return
    try:
        yield
    finally:
        if sys.platform != "win32":
            ctypes.CDLL(None).fflush(None)  # C keeps what it prints until then
        with contextlib.suppress(OSError):  # the plugin has closed it
            os.dup2(kept, 1)
            os.close(kept)


_diverting = threading.Lock()
_diverted: list[Any] = []
"""Standard output, once for each block of `stdout_kept_clean` that is running."""


def _load(point: EntryPoint | PluginFile, plugin: Plugin) -> Plugin:
    module = _imported(point)
    check_version(module, point.dist if isinstance(point, EntryPoint) else None)
    manager = manager_of(module, plugin.report.name)
    names = tuple(sorted(caller.name for caller in manager.get_hookcallers(module) or ()))
    check_marks(module, names)
    registered = {}
    for hook, kinds in REGISTERING.items():
        if hook in names:
            with during(f"Its hook {hook}"):
                registered[hook] = checked(hook, getattr(manager.hook, hook)(), kinds)
    models = tuple(spec.name for spec in registered.get("layerwise_models", ()))
    name = point.path.stem if isinstance(point, PluginFile) else point.module
    report = replace(plugin.report, hooks=names, models=models, module=name, deprecated=deprecations.used_by(name))
    return Plugin(report=report, manager=manager, registered=MappingProxyType(registered))


def _imported(point: EntryPoint | PluginFile) -> Any:
    if isinstance(point, PluginFile):
        with during("Running its file"):
            return point.load()
    if point.pattern.match(point.value) is None:
        raise PluginError("Its entry point cannot be read", expected='"module:object"', received=repr(point.value))
    with during("Importing it"):
        try:
            return point.load()
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != point.module.partition(".")[0]:
                raise
            # Setuptools leaves a module out, without a word, when there is any folder beside it.
            raise PluginError(
                f"Its entry point names the module {error.name}, which was not installed with it",
                remedy="have its pyproject.toml list the modules, such as "
                f'[tool.setuptools] py-modules = ["{error.name}"], and install it again',
            ) from error
