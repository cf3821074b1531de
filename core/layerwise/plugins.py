"""Plugins: found by their entry points, loaded one at a time, each inside a guard.

Each plugin has a pluggy manager of its own, so a call of its hooks can neither fail nor be delayed by another one's,
and a misspelt hook is its own fault alone. A plugin that fails contributes nothing and is reported with its
traceback; everything else goes on.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pluggy

from layerwise import hookspecs
from layerwise.errors import LayerwiseError, PluginError
from layerwise.hookspecs import ENTRY_POINT_GROUP, HOOKSPEC_VERSION, PROJECT
from layerwise.specs import Card, DatasetSpec, Lesson, ModelSpec, Page, Question
from layerwise.tasks.base import Task

BUILT_IN = "layerwise"
"""The distribution whose plugins are built in."""

REGISTERING: dict[str, tuple[type, ...]] = {
    "layerwise_models": (ModelSpec,),
    "layerwise_tasks": (type,),
    "layerwise_datasets": (DatasetSpec,),
    "layerwise_pages": (Page,),
    "layerwise_lessons": (Lesson, Card, Question),
}
"""The hooks that are called while loading, and what each may return a sequence of."""


@dataclass(frozen=True, kw_only=True)
class PluginReport:
    """What became of one plugin.

    Args:
        name: The name of its entry point.
        distribution, version: What it was installed with.
        built_in: Whether it comes with Layerwise.
        status: "loaded", "failed", "disabled" or "quarantined".
        reason: Why it is not loaded, one sentence.
        traceback: Where it failed.
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

    def failed(self, error: BaseException, *, status: str = "failed") -> Plugin:
        """This plugin without anything that it registered."""
        trace = "".join(traceback.format_exception(error))
        return Plugin(report=replace(self.report, status=status, reason=reason_of(error), traceback=trace, models=()))

    def off(self, status: str, reason: str) -> Plugin:
        """This plugin, which was not loaded on purpose."""
        return Plugin(report=replace(self.report, status=status, reason=reason))


def reason_of(error: BaseException) -> str:
    """One sentence that says what went wrong."""
    if isinstance(error, LayerwiseError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"It ended the process (sys.exit({error.code!r})) while it was loaded."
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def discover() -> list[tuple[importlib.metadata.EntryPoint, Plugin]]:
    """All entry points of the group, built-ins first, then by distribution and name: the same order at each start."""
    importlib.invalidate_caches()
    found: dict[tuple, tuple[importlib.metadata.EntryPoint, Plugin]] = {}
    for distribution in importlib.metadata.distributions():
        for point in distribution.entry_points:
            if point.group != ENTRY_POINT_GROUP:
                continue
            name = distribution.metadata["Name"] or "unknown"
            report = PluginReport(
                name=point.name, distribution=name, version=distribution.version or "?", built_in=name == BUILT_IN
            )
            # The first of two copies of a distribution on the path is the one that Python imports.
            found.setdefault((not report.built_in, name, point.name), (point, Plugin(report=report)))
    return [found[key] for key in sorted(found)]


def load(point: importlib.metadata.EntryPoint, plugin: Plugin) -> Plugin:
    """Import a plugin and ask it for what it registers. Never raises but for Ctrl-C."""
    if plugin.report.built_in:
        return _guarded(lambda: _load(point, plugin), plugin)
    # An import cannot be ended from outside. In a thread of its own, one that hangs costs a thread and not the start.
    results: list[Plugin] = []
    thread = threading.Thread(
        target=lambda: results.append(_guarded(lambda: _load(point, plugin), plugin)),
        name=f"load {plugin.report.name}",
        daemon=True,
    )
    thread.start()
    thread.join(timeout_seconds())
    if results:
        return results[0]
    late = PluginError(f"It did not finish loading within {timeout_seconds():g} seconds")
    return plugin.failed(late, status="quarantined")


def timeout_seconds() -> float:
    """How long a plugin may load: LAYERWISE_PLUGIN_TIMEOUT, 20 seconds by default."""
    try:
        return float(os.environ.get("LAYERWISE_PLUGIN_TIMEOUT", "20"))
    except ValueError:
        return 20.0


def _guarded(action: Callable[[], Plugin], plugin: Plugin) -> Plugin:
    try:
        return action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: no plugin ends the house
        return plugin.failed(error)


def _load(point: importlib.metadata.EntryPoint, plugin: Plugin) -> Plugin:
    module = point.load()
    _check_version(module)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name=plugin.report.name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(
            "It does not fit the hooks", received=_sentence(error), remedy="docs/hooks.md lists the hooks"
        ) from error
    callers = manager.get_hookcallers(module) or []
    names = tuple(sorted(caller.name for caller in callers))
    registered = {
        name: _checked(name, getattr(manager.hook, name)(), kinds)
        for name, kinds in REGISTERING.items()
        if name in names
    }
    models = tuple(spec.name for spec in registered.get("layerwise_models", ()))
    report = replace(plugin.report, hooks=names, models=models)
    return Plugin(report=report, manager=manager, registered=MappingProxyType(registered))


def _check_version(module: Any) -> None:
    wanted = getattr(module, "LAYERWISE_HOOKS", HOOKSPEC_VERSION)
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise PluginError("LAYERWISE_HOOKS cannot be read", expected="a whole number", received=repr(wanted))
    if wanted > HOOKSPEC_VERSION:
        raise PluginError(
            f"It was written for version {wanted} of the hooks",
            expected=f"version {HOOKSPEC_VERSION} or older",
            remedy="update Layerwise, or install an older release of the plugin",
        )


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())


def _checked(hook: str, results: list[Any], kinds: tuple[type, ...]) -> tuple:
    """What one hook of one plugin returned, as a tuple.

    Raises:
        PluginError: It is no sequence, or holds something else than it should.
    """
    words = " or ".join("type of Task" if kind is type else kind.__name__ for kind in kinds)
    items: list[Any] = []
    for result in results:
        if isinstance(result, str) or not isinstance(result, Iterable):
            raise PluginError(f"{hook} returned no sequence", expected=f"a list of {words}", received=repr(result))
        items.extend(result)
    for item in items:
        fits = isinstance(item, kinds) and (type not in kinds or issubclass(item, Task))
        if not fits:
            raise PluginError(f"{hook} returned something else", expected=f"a list of {words}", received=repr(item))
    return tuple(items)
