"""The registry: what all plugins registered, by name, as immutable numbered snapshots.

Whoever needs something that stays the same for a while (a page, a request, a run) takes a snapshot; a change makes a
new one with the next number.
"""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from layerwise import tasks as stock
from layerwise.errors import NotFoundError, PluginError
from layerwise.journal import Journal, SwitchFile, left_behind
from layerwise.paths import home as default_home
from layerwise.plugins import Plugin, PluginReport, discover, load
from layerwise.specs import DatasetSpec, ModelSpec, Page
from layerwise.tasks.base import Task

if TYPE_CHECKING:
    import typer

    from layerwise.runs import Run

logger = logging.getLogger(__name__)
T = TypeVar("T")

NAMED = {
    "layerwise_models": lambda spec: ("model", spec.name),
    "layerwise_tasks": lambda task: ("task", task.type_name),
    "layerwise_datasets": lambda spec: ("data set", spec.name),
    "layerwise_pages": lambda page: ("page", page.name),
    "layerwise_lessons": lambda item: (type(item).__name__.lower(), item.name),
}
"""What must not be registered twice: its kind in words and its name."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is registered at one moment.

    Args:
        number: Grows with each change.
        models, datasets, pages, tasks: By name; the tasks are types, the stock ones among them.
        lessons: Lesson, Card and Question objects in the order of their plugins.
        plugins: A report for each plugin, loaded or not.
    """

    number: int
    models: Mapping[str, ModelSpec]
    tasks: Mapping[str, type[Task]]
    datasets: Mapping[str, DatasetSpec]
    pages: Mapping[str, Page]
    lessons: tuple[Any, ...]
    plugins: tuple[PluginReport, ...]
    loaded: tuple[Plugin, ...]

    def model(self, name: str) -> ModelSpec:
        """The model of that name.

        Raises:
            NotFoundError: There is none; its text names those that are spelt alike.
        """
        return _named(self.models, name, "model", "layerwise models lists them")

    def dataset(self, name: str) -> DatasetSpec:
        """The data set of that name.

        Raises:
            NotFoundError: There is none; its text names those that are spelt alike.
        """
        return _named(self.datasets, name, "data set", "layerwise data lists them")

    @property
    def domains(self) -> dict[str, tuple[ModelSpec, ...]]:
        """The models of each domain, in the order of their registration."""
        found: dict[str, tuple[ModelSpec, ...]] = {}
        for spec in self.models.values():
            found[spec.domain] = (*found.get(spec.domain, ()), spec)
        return found

    def callbacks(self, run: Run) -> list[Any]:
        """The Keras callbacks that plugins follow `run` with. A plugin whose hook raises is left out, with a
        warning in the log."""
        found: list[Any] = []
        for plugin, result in self._each("layerwise_callbacks", run=run):
            if isinstance(result, Iterable) and not isinstance(result, str):
                found.extend(result)
            else:
                logger.warning("layerwise_callbacks of %s returned no sequence: %r", plugin.origin, result)
        return found

    def add_commands(self, app: typer.Typer) -> None:
        """Let plugins add commands to the command line. A plugin whose hook raises is left out, with a warning."""
        for _ in self._each("layerwise_commands", app=app):
            pass

    def _each(self, hook: str, **arguments: Any) -> Iterable[tuple[Plugin, Any]]:
        for plugin in self.loaded:
            if hook not in plugin.report.hooks or plugin.manager is None:
                continue
            try:
                results = getattr(plugin.manager.hook, hook)(**arguments)
            except Exception:
                logger.warning("%s of %s failed", hook, plugin.origin, exc_info=True)
                continue
            yield from ((plugin, result) for result in results)


def _named(found: Mapping[str, T], name: str, kind: str, remedy: str) -> T:
    if name in found:
        return found[name]
    close = difflib.get_close_matches(name, found, n=3, cutoff=0.5)
    raise NotFoundError(
        f"There is no {kind} {name!r}", remedy=f"did you mean {' or '.join(close)}?" if close else remedy
    )


class Registry:
    """What is registered now. Plugins are loaded at the first look. Thread-safe.

    Args:
        home: Where it is remembered which plugins are off; None is the user's own folder.
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
        with self._lock:
            if self._snapshot is None:
                self._seen = self._stamps()
                self._snapshot = build_snapshot(self.home, self.switches, number=1)
            return self._snapshot

    def reload(self) -> Snapshot:
        """Look again for plugins and switches. The number grows when anything is different."""
        with self._lock:
            former = self.snapshot()
            self._seen = self._stamps()
            fresh = build_snapshot(self.home, self.switches, number=former.number + 1)
            if _contents(fresh) == _contents(former):
                return former
            return self._swap(fresh)

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
        """
        known = {report.name: report for report in self.snapshot().plugins}
        _named(known, name, "plugin", "layerwise plugins lists them")
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
        pointers = sorted((self.home / "promoted").glob("*/*/*.json"))
        return _stamp(self.switches.path), tuple((str(path), _stamp(path)) for path in pointers)


def _stamp(path: Path) -> Any:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _contents(snapshot: Snapshot) -> tuple:
    return (
        tuple(snapshot.models.items()),
        tuple(snapshot.tasks.items()),
        tuple(snapshot.datasets.items()),
        tuple(snapshot.pages.items()),
        snapshot.lessons,
        snapshot.plugins,
    )


def build_snapshot(home: Path, switches: SwitchFile, *, number: int) -> Snapshot:
    """Load all plugins that are on, and put together what they registered."""
    for name in left_behind(home):
        reason = "A start ended while it was loading: the process was killed, or did not get past it."
        switches.quarantine(name, reason)
        logger.warning("the plugin %s is quarantined: %s", name, reason)
    plugins = _without_clashes(_load_all(home, switches))
    loaded = tuple(plugin for plugin in plugins if plugin.report.status == "loaded")
    registered = {hook: tuple(item for plugin in loaded for item in plugin.registered.get(hook, ())) for hook in NAMED}
    types = [getattr(stock, name) for name in stock.__all__]
    own = {kind.type_name: kind for kind in types if isinstance(kind, type) and hasattr(kind, "type_name")}
    return Snapshot(
        number=number,
        models=MappingProxyType({spec.name: spec for spec in registered["layerwise_models"]}),
        tasks=MappingProxyType(own | {kind.type_name: kind for kind in registered["layerwise_tasks"]}),
        datasets=MappingProxyType({spec.name: spec for spec in registered["layerwise_datasets"]}),
        pages=MappingProxyType({page.name: page for page in registered["layerwise_pages"]}),
        lessons=registered["layerwise_lessons"],
        plugins=tuple(plugin.report for plugin in plugins),
        loaded=loaded,
    )


def _load_all(home: Path, switches: SwitchFile) -> list[Plugin]:
    state = switches.read()
    origins: dict[str, Plugin] = {}
    plugins = []
    with Journal(home) as journal:
        for point, found in discover():
            plugin = found
            name = plugin.report.name
            if name in origins:
                clash = PluginError(f"The name {name!r} is taken by {origins[name].origin}")
                plugins.append(plugin.failed(clash))
                continue
            origins[name] = plugin
            if name in state.quarantined:
                plugin = plugin.off("quarantined", state.quarantined[name])
            elif name in state.disabled:
                plugin = plugin.off("disabled", "It was switched off.")
            else:
                journal.loading(name)
                plugin = load(point, plugin)
                if plugin.report.status == "quarantined":
                    switches.quarantine(name, plugin.report.reason)
            plugins.append(plugin)
    return plugins


def _without_clashes(plugins: list[Plugin]) -> list[Plugin]:
    """The same plugins, but failed: those that register a name that an earlier one has, and those whose models need a
    data set that nobody registers. A plugin comes in as a whole or not at all."""
    origins: dict[tuple[str, str], Plugin] = {}
    kept = []
    for plugin in plugins:
        names = [NAMED[hook](item) for hook, items in plugin.registered.items() for item in items]
        clashes = [
            f"{kind} {name!r}, which {origins[kind, name].origin} has"
            for kind, name in names
            if (kind, name) in origins
        ]
        twice = [f"{kind} {name!r} twice" for kind, name in names if names.count((kind, name)) > 1]
        if clashes or twice:
            kept.append(plugin.failed(PluginError(f"It registers the {'; the '.join(dict.fromkeys(clashes + twice))}")))
            continue
        origins |= dict.fromkeys(names, plugin)
        kept.append(plugin)
    known = {name for kind, name in origins if kind == "data set"}
    return [_with_data(plugin, known) for plugin in kept]


def _with_data(plugin: Plugin, known: set[str]) -> Plugin:
    for spec in plugin.registered.get("layerwise_models", ()):
        if spec.data is not None and spec.data not in known:
            return plugin.failed(
                PluginError(
                    f"The model {spec.name} needs the data set {spec.data!r}, which no plugin registers",
                    remedy="return it from the hook layerwise_datasets",
                )
            )
    return plugin
