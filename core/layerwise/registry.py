"""The registry: what all plugins registered, by name, as immutable numbered snapshots.

Whoever needs something that stays the same for a while (a page, a request, a run) takes a snapshot; a change makes a
new one with the next number.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from typing import Any

from layerwise.errors import InputError, PluginError
from layerwise.paths import REGISTERED, home_is
from layerwise.paths import home as default_home
from layerwise.plugins.contributions import NAMED, compatible, stock_tasks
from layerwise.plugins.discovery import discover
from layerwise.plugins.failures import ANSWERS, FailureStore
from layerwise.plugins.files import PluginFile, plugin_files
from layerwise.plugins.journal import Journal, left_behind
from layerwise.plugins.loading import Plugin, PluginReport, load, timeout_seconds
from layerwise.plugins.switches import Switches, SwitchFile
from layerwise.snapshot import LATE_HOOKS, Snapshot, named
from layerwise.specs import KERAS
from layerwise.workers.elsewhere import ask, is_this, unknown
from layerwise.workers.limits import is_isolating
from layerwise.workers.rehearsal import rehearse

__all__ = ["Registry", "Snapshot", "build_snapshot"]

logger = logging.getLogger(__name__)

_HARM = (
    "When it was loaded in a process of its own first, it {what}. "
    "What to do: layerwise plugins --enable {name} tries again."
)
_DIED = (
    "A start ended while it was loading: it killed the process or did not let it go on. "
    "What to do: layerwise plugins --enable {name} tries again."
)


class Registry:
    """What is registered now. Plugins are loaded at the first look. Thread-safe.

    Args:
        home: Where it is remembered which plugins are off and which hooks failed; None is the user's own folder.
        keeps_journal: Whether a plugin is quarantined that was loading when this process died. Not in processes that
            may be killed at any time.
    """

    def __init__(self, home: Path | None = None, *, keeps_journal: bool = True) -> None:
        self.home, self._keeps_journal = home or default_home(), keeps_journal
        self.switches = SwitchFile(self.home)
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._seen: tuple[Any, Any] = (None, None)
        self._subscribers: list[Callable[[Snapshot], None]] = []

    def snapshot(self) -> Snapshot:
        """What is registered now."""
        # Without the lock once there is one: requests go on while a change waits for a plugin that hangs.
        if self._snapshot is not None:
            return self._snapshot
        with self._lock:
            if self._snapshot is None:
                self._seen = self._stamps()
                self._snapshot = self._build(1)
            return self._snapshot

    def reload(self) -> Snapshot:
        """Look again for plugins and switches. The number grows when anything is different."""
        with self._lock:
            if self._snapshot is None:
                return self.snapshot()
            former = self._snapshot
            self._seen = self._stamps()
            fresh = self._build(former.number)
            if fresh == former:
                return former
            return self._swap(replace(fresh, number=former.number + 1))

    def bump(self) -> Snapshot:
        """The same under the next number: something that is shown, such as the labels in use, has changed."""
        with self._lock:
            former = self.snapshot()
            return self._swap(replace(former, number=former.number + 1))

    def check(self) -> Snapshot:
        """Look cheaply whether the file of a plugin, or what one registers from, has changed, or another process
        switched a plugin or promoted a version, and follow it."""
        with self._lock:
            former = self.snapshot()
            seen, now = self._seen, self._stamps()
            if seen[0] != now[0]:
                found = self.reload()
                return found if seen[1] == now[1] or found.number != former.number else self.bump()
            self._seen = now
            return former if seen == now else self.bump()

    def set_enabled(self, name: str, enabled: bool) -> Snapshot:
        """Switch a plugin on (ending a quarantine too) or off, now and at every later start.

        Raises:
            NotFoundError: There is no such plugin.
            PluginError: It cannot be remembered, since the home cannot be written to.
        """
        known = {report.name: report for report in self.snapshot().plugins}
        named(known, name, "plugin", "layerwise plugins lists them")
        self.switches.set_enabled(name, enabled)
        if enabled:
            FailureStore(home=self.home).clear(name, ANSWERS)
        return self.reload()

    def set_python(self, name: str, path: Path | None) -> Snapshot:
        """Let a plugin run under another Python, whose environment has Layerwise and the plugin, now and at every later
        start; None is that of Layerwise again. The plugin need not be known here.

        Raises:
            InputError: There is no such file.
            PluginError: It cannot be remembered, since the home cannot be written to.
        """
        if path is not None:
            # Not resolved: what makes a virtual environment's Python another one is where it lies.
            path = path.expanduser().absolute()
            if not os.access(path, os.X_OK) or path.is_dir():
                raise InputError(
                    f"There is no Python {path}", expected="the one of an environment, such as .venv/bin/python"
                )
        self.switches.set_python(name, path)
        return self.reload()

    def subscribe(self, function: Callable[[Snapshot], None]) -> None:
        """Call `function` with each new snapshot, in the thread that made it."""
        with self._lock:
            self._subscribers.append(function)

    def _build(self, number: int) -> Snapshot:
        with home_is(self.home):
            return build_snapshot(self.home, self.switches, number=number, keeps_journal=self._keeps_journal)

    def _swap(self, fresh: Snapshot) -> Snapshot:
        self._snapshot = fresh
        for function in list(self._subscribers):
            try:
                function(fresh)
            except Exception:
                logger.exception("a subscriber of the registry failed")
        return fresh

    def _stamps(self) -> tuple[Any, Any]:
        kept = sorted(self.home.glob("failures/*.json"))
        pointers = sorted(self.home.glob("promoted/*/*/*.json"))
        files = [file.path for file in plugin_files(self.home)]
        told = sorted((self.home / REGISTERED).glob("*.json"))
        return _stamps_of([self.switches.path, *kept, *files, *told]), _stamps_of(pointers)


def _stamps_of(paths: list[Path]) -> tuple[Any, ...]:
    return tuple((str(path), _stamp(path)) for path in paths)


def _stamp(path: Path) -> Any:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def build_snapshot(home: Path, switches: SwitchFile, *, number: int, keeps_journal: bool = True) -> Snapshot:
    """Load all plugins that are on, and put together what they registered."""
    if keeps_journal:
        for name in left_behind(home):
            _quarantine(switches, name, _DIED.format(name=name))
        with Journal(home) as journal:
            plugins = _load_all(home, switches, journal)
    else:
        plugins = _load_all(home, switches, None)
    plugins = compatible(plugins)
    loaded = tuple(plugin for plugin in plugins if plugin.report.status == "loaded")
    registered = {hook: tuple(item for plugin in loaded for item in plugin.registered.get(hook, ())) for hook in NAMED}
    failures = FailureStore(home=home)
    # In each domain and list, what is trained here comes before what others have published.
    models = sorted(registered["layerwise_models"], key=lambda spec: spec.framework != KERAS)
    return Snapshot(
        number=number,
        models=MappingProxyType({spec.name: spec for spec in models}),
        tasks=MappingProxyType(stock_tasks() | {kind.type_name: kind for kind in registered["layerwise_tasks"]}),
        datasets=MappingProxyType({spec.name: spec for spec in registered["layerwise_datasets"]}),
        pages=MappingProxyType({page.name: page for page in registered["layerwise_pages"]}),
        lessons=registered["layerwise_lessons"],
        plugins=tuple(_with_late_failures(plugin.report, failures) for plugin in plugins),
        loaded=loaded,
        failures=failures,
    )


def _load_all(home: Path, switches: SwitchFile, journal: Journal | None) -> list[Plugin]:
    state = switches.read()
    elsewhere = {name: python for name, python in state.pythons.items() if not is_this(python)}
    found = [(point, plugin) for point, plugin in discover(home) if plugin.report.name not in elsewhere]
    strangers = {
        plugin.report.name: point
        for point, plugin in reversed(found)  # of a name that is there twice the first one counts
        if not plugin.report.built_in and _off(plugin, state) is None
    }
    # What may be killed at any time, a worker say, is there for plugins that were rehearsed before.
    deaths = rehearse(strangers, home, timeout_seconds()) if journal is not None and is_isolating() else {}
    origins: dict[str, Plugin] = {}
    plugins = []
    for point, plugin in found:
        name = plugin.report.name
        if name in origins:
            clash = f"Its entry point has the name {name!r}, which {origins[name].origin} has"
            plugins.append(plugin.failed(PluginError(clash, remedy="uninstall one of the two")))
            continue
        origins[name] = plugin
        off = _off(plugin, state)
        if off is None and name in deaths and not plugin.report.built_in:
            off = plugin.off("quarantined", _HARM.format(what=deaths[name].what, name=name), deaths[name].stack)
            _quarantine(switches, name, off.report.reason)
        plugins.append(off or _load_noted(point, plugin, switches, journal))
    for name, python in sorted(elsewhere.items()):
        plugin = unknown(name, python)
        plugins.append(_off(plugin, state) or ask(plugin, home, timeout_seconds()))
    return plugins


def _off(plugin: Plugin, state: Switches) -> Plugin | None:
    """The plugin when there is a reason not to load it."""
    name = plugin.report.name
    if plugin.report.status == "failed":
        return plugin
    if name in state.quarantined:
        return plugin.off("quarantined", state.quarantined[name])
    if name in state.disabled:
        return plugin.off("disabled", f"It was switched off. What to do: layerwise plugins --enable {name}.")
    return None


def _load_noted(
    point: EntryPoint | PluginFile, plugin: Plugin, switches: SwitchFile, journal: Journal | None
) -> Plugin:
    name = plugin.report.name
    # A start that dies in a built-in was killed from outside, and without it the house would be empty.
    if journal is not None and not plugin.report.built_in:
        journal.loading(name)
    plugin = load(point, plugin)
    if journal is not None:
        if plugin.report.status == "quarantined":
            _quarantine(switches, name, plugin.report.reason)
        journal.loaded()
    return plugin


def _quarantine(switches: SwitchFile, name: str, reason: str) -> None:
    logger.warning("The plugin %s is quarantined. %s", name, reason)
    try:
        switches.quarantine(name, reason)
    except OSError as error:
        logger.warning("The quarantine is not remembered: %s", error)


def _with_late_failures(report: PluginReport, failures: FailureStore) -> PluginReport:
    if report.status == "quarantined" and not report.traceback:
        failure = failures.find(report.name, ANSWERS, report.version)
        return report if failure is None else replace(report, traceback=failure.traceback)
    if report.status != "loaded":
        return report
    hooks = [*(hook for hook in LATE_HOOKS if hook in report.hooks), ANSWERS]
    found = [failure for hook in hooks if (failure := failures.find(report.name, hook, report.version)) is not None]
    reason = " ".join(failure.reason for failure in found)
    return replace(report, reason=reason, traceback="\n".join(filter(None, (item.traceback for item in found))))
