"""The registry: what all plugins registered, by name, as immutable numbered snapshots.

Whoever needs something that stays the same for a while (a page, a request, a run) takes a snapshot; a change makes a
new one with the next number.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from typing import Any

from layerwise.contributions import NAMED, compatible, stock_tasks
from layerwise.discovery import discover
from layerwise.errors import PluginError
from layerwise.failures import FailureStore
from layerwise.journal import Journal, Switches, SwitchFile, left_behind
from layerwise.paths import home as default_home
from layerwise.plugins import Plugin, PluginReport, load
from layerwise.snapshot import LATE_HOOKS, Snapshot, named

__all__ = ["Registry", "Snapshot", "build_snapshot"]

logger = logging.getLogger(__name__)

_DIED = (
    "A start ended while it was loading: it killed the process or did not let it go on. "
    "What to do: layerwise plugins --enable {name} tries again."
)


class Registry:
    """What is registered now. Plugins are loaded at the first look. Thread-safe.

    Args:
        home: Where it is remembered which plugins are off and which hooks failed; None is the user's own folder.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()
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
                self._snapshot = build_snapshot(self.home, self.switches, number=1)
            return self._snapshot

    def reload(self) -> Snapshot:
        """Look again for plugins and switches. The number grows when anything is different."""
        with self._lock:
            if self._snapshot is None:
                return self.snapshot()
            former = self._snapshot
            self._seen = self._stamps()
            fresh = build_snapshot(self.home, self.switches, number=former.number)
            if fresh == former:
                return former
            return self._swap(replace(fresh, number=former.number + 1))

    def bump(self) -> Snapshot:
        """The same under the next number: something that is shown, such as the labels in use, has changed."""
        with self._lock:
            former = self.snapshot()
            return self._swap(replace(former, number=former.number + 1))

    def check(self) -> Snapshot:
        """Look cheaply whether another process switched a plugin or promoted a version, and follow it."""
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
        return self.reload()

    def subscribe(self, function: Callable[[Snapshot], None]) -> None:
        """Call `function` with each new snapshot, in the thread that made it."""
        with self._lock:
            self._subscribers.append(function)

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
        return _stamps_of([self.switches.path, *kept]), _stamps_of(pointers)


def _stamps_of(paths: list[Path]) -> tuple[Any, ...]:
    return tuple((str(path), _stamp(path)) for path in paths)


def _stamp(path: Path) -> Any:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def build_snapshot(home: Path, switches: SwitchFile, *, number: int) -> Snapshot:
    """Load all plugins that are on, and put together what they registered."""
    for name in left_behind(home):
        _quarantine(switches, name, _DIED.format(name=name))
    plugins = compatible(_load_all(home, switches))
    loaded = tuple(plugin for plugin in plugins if plugin.report.status == "loaded")
    registered = {hook: tuple(item for plugin in loaded for item in plugin.registered.get(hook, ())) for hook in NAMED}
    failures = FailureStore(home=home)
    return Snapshot(
        number=number,
        models=MappingProxyType({spec.name: spec for spec in registered["layerwise_models"]}),
        tasks=MappingProxyType(stock_tasks() | {kind.type_name: kind for kind in registered["layerwise_tasks"]}),
        datasets=MappingProxyType({spec.name: spec for spec in registered["layerwise_datasets"]}),
        pages=MappingProxyType({page.name: page for page in registered["layerwise_pages"]}),
        lessons=registered["layerwise_lessons"],
        plugins=tuple(_with_late_failures(plugin.report, failures) for plugin in plugins),
        loaded=loaded,
        failures=failures,
    )


def _load_all(home: Path, switches: SwitchFile) -> list[Plugin]:
    state = switches.read()
    origins: dict[str, Plugin] = {}
    plugins = []
    with Journal(home) as journal:
        for point, plugin in discover():
            name = plugin.report.name
            if name in origins:
                clash = f"Its entry point has the name {name!r}, which {origins[name].origin} has"
                plugins.append(plugin.failed(PluginError(clash, remedy="uninstall one of the two")))
                continue
            origins[name] = plugin
            off = _off(plugin, state)
            plugins.append(off or _load_noted(point, plugin, switches, journal))
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


def _load_noted(point: EntryPoint, plugin: Plugin, switches: SwitchFile, journal: Journal) -> Plugin:
    name = plugin.report.name
    # A start that dies in a built-in was killed from outside, and without it the house would be empty.
    if not plugin.report.built_in:
        journal.loading(name)
    plugin = load(point, plugin)
    if plugin.report.status == "quarantined":
        _quarantine(switches, name, plugin.report.reason)
    return plugin


def _quarantine(switches: SwitchFile, name: str, reason: str) -> None:
    logger.warning("The plugin %s is quarantined. %s", name, reason)
    try:
        switches.quarantine(name, reason)
    except OSError as error:
        logger.warning("The quarantine is not remembered: %s", error)


def _with_late_failures(report: PluginReport, failures: FailureStore) -> PluginReport:
    if report.status != "loaded":
        return report
    found = [
        failure
        for hook in LATE_HOOKS
        if hook in report.hooks and (failure := failures.find(report.name, hook, report.version)) is not None
    ]
    reason = " ".join(failure.reason for failure in found)
    return replace(report, reason=reason, traceback="\n".join(failure.traceback for failure in found))
