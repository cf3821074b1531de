"""Plugins: loaded one at a time, each inside a guard, and what became of each.

Each plugin has a pluggy manager of its own, so a call of its hooks can neither fail nor be delayed by another one's,
and a misspelt hook is its own fault alone. A plugin that fails contributes nothing and is reported with its
traceback; everything else goes on.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import math
import os
import re
import sys
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any

import pluggy

from layerwise import hookspecs
from layerwise.contributions import REGISTERING, checked
from layerwise.errors import PluginError
from layerwise.failures import during, reason_of, stack_of, traceback_of
from layerwise.hookspecs import HOOKSPEC_VERSION, PROJECT

DEFAULT_TIMEOUT = 20.0
"""Seconds for which a plugin may load."""

HOOKS: dict[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(value).parameters)
    for name, value in vars(hookspecs).items()
    if hasattr(value, f"{PROJECT}_spec")
}
"""All hooks, and the names of their arguments."""


@dataclass(frozen=True, kw_only=True)
class PluginReport:
    """What became of one plugin.

    Args:
        name: The name of its entry point.
        distribution, version: What it was installed with.
        built_in: Whether it comes with Layerwise.
        status: "loaded", "failed", "disabled" or "quarantined".
        reason: Why it is not loaded, one sentence; of a loaded one, how a hook failed that is called later.
        traceback: Where it failed, from its own first line on.
        hooks: The hooks that it implements.
        models: The names of the models that it registered.
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


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin as far as it got: its report and, when it is loaded, its hooks and what they returned."""

    report: PluginReport
    manager: pluggy.PluginManager | None = None
    registered: MappingProxyType[str, tuple] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def origin(self) -> str:
        """How it is named in messages: "pets (my-pets 1.0)"."""
        return f"{self.report.name} ({self.report.distribution} {self.report.version})"

    def failed(self, error: BaseException) -> Plugin:
        """This plugin without anything that it registered."""
        reason, trace = reason_of(error), traceback_of(error)
        return Plugin(report=replace(self.report, status="failed", reason=reason, traceback=trace, models=()))

    def off(self, status: str, reason: str, trace: str = "") -> Plugin:
        """This plugin, which is not loaded on purpose."""
        return Plugin(report=replace(self.report, status=status, reason=reason, traceback=trace))


def load(point: EntryPoint, plugin: Plugin) -> Plugin:
    """Import a plugin and ask it for what it registers. Never raises but for Ctrl-C."""
    with stdout_kept_clean():
        if not plugin.report.built_in:
            return _load_in_thread(point, plugin)
        try:
            return _load(point, plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: no plugin ends the house
            return plugin.failed(error)


def _load_in_thread(point: EntryPoint, plugin: Plugin) -> Plugin:
    # An import cannot be ended from outside. In a thread of its own, one that hangs costs a thread and not the start.
    results: list[Plugin] = []

    def work() -> None:
        try:
            results.append(_load(point, plugin))
        except BaseException as error:  # KeyboardInterrupt too: a real Ctrl-C arrives in the main thread
            results.append(plugin.failed(error))

    thread = threading.Thread(target=work, name=f"load {plugin.report.name}", daemon=True)
    thread.start()
    seconds = timeout_seconds()
    thread.join(seconds)
    if results:
        return results[0]
    late = PluginError(
        f"It did not finish loading within {seconds:g} seconds",
        remedy=f"layerwise plugins --enable {plugin.report.name} tries again; LAYERWISE_PLUGIN_TIMEOUT sets the time",
    )
    return plugin.off("quarantined", str(late), stack_of(thread))


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


_diverting = threading.Lock()
_diverted: list[Any] = []
"""Standard output, once for each block of `stdout_kept_clean` that is running."""


def _load(point: EntryPoint, plugin: Plugin) -> Plugin:
    module = _imported(point)
    _check_version(module)
    manager = _manager(module, plugin.report.name)
    names = tuple(sorted(caller.name for caller in manager.get_hookcallers(module) or ()))
    _check_marks(module, names)
    registered = {}
    for hook, kinds in REGISTERING.items():
        if hook in names:
            with during(f"Its hook {hook}"):
                registered[hook] = checked(hook, getattr(manager.hook, hook)(), kinds)
    models = tuple(spec.name for spec in registered.get("layerwise_models", ()))
    report = replace(plugin.report, hooks=names, models=models)
    return Plugin(report=report, manager=manager, registered=MappingProxyType(registered))


def _imported(point: EntryPoint) -> Any:
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


def _check_version(module: Any) -> None:
    wanted = getattr(module, "LAYERWISE_HOOKS", HOOKSPEC_VERSION)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise PluginError("LAYERWISE_HOOKS cannot be read", expected="a whole number from 1", received=repr(wanted))
    if wanted > HOOKSPEC_VERSION:
        raise PluginError(
            f"It was written for version {wanted} of the hooks",
            expected=f"version {HOOKSPEC_VERSION} or older",
            remedy="update Layerwise, or install an older release of the plugin",
        )


def _manager(module: Any, name: str) -> pluggy.PluginManager:
    """A manager of this plugin's own.

    Raises:
        PluginError: It implements a hook that does not exist, or one with other arguments than the hook has.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name=name)
    except pluggy.PluginValidationError as error:
        raise PluginError("It does not fit the hooks", **_misfit(error)) from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = [caller.name for caller in manager.get_hookcallers(module) or () if caller.name not in HOOKS]
        raise PluginError(f"There is no hook {' and no hook '.join(unknown)}", remedy=_suggestion(unknown)) from error
    return manager


def _misfit(error: pluggy.PluginValidationError) -> dict[str, str]:
    """The parts of the message about arguments that a hook does not have, or a wrapper that is none."""
    text = " ".join(str(error).split())
    found = re.search(r"for hook '(\w+)'", text)
    hook = found.group(1) if found else ""
    _, _, received = text.partition("hookimpl definition: ")
    return {
        "expected": f"{hook}({', '.join(HOOKS.get(hook, ()))})",
        "received": received or text,
        "remedy": "docs/hooks.md shows each hook",
    }


def _suggestion(unknown: Collection[str]) -> str:
    close = [match for name in unknown for match in difflib.get_close_matches(name, HOOKS, n=1)]
    return f"did you mean {' and '.join(close)}?" if close else f"the hooks are {', '.join(HOOKS)}"


def _check_marks(module: Any, names: Collection[str]) -> None:
    """A function that is named like a hook but not marked would be left out without a word."""
    unmarked = [hook for hook in HOOKS if hook not in names and callable(getattr(module, hook, None))]
    if unmarked:
        raise PluginError(f"{' and '.join(unmarked)} would never be called", remedy="mark it with @layerwise.hookimpl")
    if not names:
        raise PluginError(
            "It implements no hook",
            received=f"an entry point that leads to {module!r}",
            remedy="mark a function of it with @layerwise.hookimpl; docs/hooks.md shows each hook",
        )
