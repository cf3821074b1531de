"""A snapshot: all that is registered at one moment, by name, and the hooks that are called later."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from layerwise.errors import NotFoundError, PluginError
from layerwise.plugins.contributions import checked
from layerwise.plugins.failures import Failure, FailureStore, during, reason_of, traceback_of
from layerwise.plugins.journal import Journal
from layerwise.plugins.loading import HangingError, Plugin, PluginReport, in_thread, stdout_kept_clean
from layerwise.specs import DatasetSpec, ModelSpec, Page
from layerwise.tasks.base import Task

if TYPE_CHECKING:
    import typer

    from layerwise.runs import Run

logger = logging.getLogger(__name__)
T = TypeVar("T")

LATE_HOOKS = ("layerwise_callbacks", "layerwise_commands")
"""The hooks that are called after loading, often in another process."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is registered at one moment.

    Args:
        number: Grows with each change.
        models, datasets, pages, tasks: By name; the tasks are types, the stock ones among them.
        lessons: Lesson, Card, Question, QuestionMaker and Tour objects in the order of their plugins.
        plugins: A report for each plugin, loaded or not.
        loaded: The plugins whose hooks can be called.
        failures: Where it is kept how those hooks failed.
    """

    number: int
    models: Mapping[str, ModelSpec]
    tasks: Mapping[str, type[Task]]
    datasets: Mapping[str, DatasetSpec]
    pages: Mapping[str, Page]
    lessons: tuple[Any, ...]
    plugins: tuple[PluginReport, ...]
    loaded: tuple[Plugin, ...]
    failures: FailureStore

    def __eq__(self, other: object) -> bool:
        """Whether both have the same number and hold the same. What cannot be compared counts as different."""
        if not isinstance(other, Snapshot):
            return NotImplemented
        try:
            return bool(self._contents() == other._contents())
        except Exception:  # the fields of a plugin's own task may be anything, such as arrays
            return False

    def _contents(self) -> tuple[Any, ...]:
        mappings = (self.models, self.tasks, self.datasets, self.pages)
        return self.number, *(tuple(mapping.items()) for mapping in mappings), self.lessons, self.plugins

    def model(self, name: str) -> ModelSpec:
        """The model of that name.

        Raises:
            NotFoundError: There is none; its text names those that are spelt alike.
        """
        return named(self.models, name, "model", "layerwise models lists them")

    def dataset(self, name: str) -> DatasetSpec:
        """The data set of that name.

        Raises:
            NotFoundError: There is none; its text names those that are spelt alike.
        """
        return named(self.datasets, name, "data set", "layerwise data lists them")

    def plugin_of(self, model: str) -> PluginReport | None:
        """The plugin that registers a model."""
        return next((report for report in self.plugins if model in report.models), None)

    @property
    def domains(self) -> dict[str, tuple[ModelSpec, ...]]:
        """The models of each domain, in the order of their registration."""
        found: dict[str, tuple[ModelSpec, ...]] = {}
        for spec in self.models.values():
            found[spec.domain] = (*found.get(spec.domain, ()), spec)
        return found

    def callbacks(self, run: Run) -> list[Any]:
        """The Keras callbacks that plugins follow `run` with. A plugin whose hook fails is left out, and the failure
        is kept for its report."""
        found: list[Any] = []
        for plugin, call in self._calls("layerwise_callbacks"):
            with self._guard(plugin, "layerwise_callbacks"):
                from keras.callbacks import Callback

                found += checked("layerwise_callbacks", self._asked(plugin, partial(call, run=run)), (Callback,))
        return found

    def add_commands(self, app: typer.Typer, taken: Iterable[str] = ()) -> None:
        """Let plugins add commands to the command line. A plugin whose hook fails, or that uses the name of another
        command, adds none, and the failure is kept for its report.

        Args:
            app: Where they are added.
            taken: The names of the commands that are there beside those of `app`.
        """
        import typer

        taken = {*taken, *typer.main.get_group(app).commands}
        for plugin, call in self._calls("layerwise_commands"):
            with self._guard(plugin, "layerwise_commands"):
                # Its own app first, so that all of its commands come in, or none.
                own = typer.Typer()
                self._asked(plugin, partial(call, app=own))
                names = set(typer.main.get_group(own).commands)
                if names & taken:
                    words = " and ".join(repr(name) for name in sorted(names & taken))
                    raise PluginError(f"It adds the command {words}, which is there", remedy="give it another name")
                app.registered_commands += own.registered_commands
                app.registered_groups += own.registered_groups
                taken |= names

    def _calls(self, hook: str) -> Iterator[tuple[Plugin, Callable[..., Any]]]:
        for plugin in self.loaded:
            if hook in plugin.report.hooks and plugin.manager is not None:
                yield plugin, getattr(plugin.manager.hook, hook)

    def plugin_of_page(self, page: str) -> PluginReport | None:
        """The plugin that registers a page."""
        pages = ((plugin.report, plugin.registered.get("layerwise_pages", ())) for plugin in self.loaded)
        return next((report for report, found in pages if any(item.name == page for item in found)), None)

    @contextmanager
    def noted(self, plugin: PluginReport | None) -> Iterator[None]:
        """Remember, for as long as it lasts, that something of a stranger's runs in this process: a plugin that ends
        it, or that somebody gives up waiting for, is quarantined at the next start."""
        if plugin is None or plugin.built_in:
            yield
            return
        with Journal(self.failures.home) as journal:
            journal.loading(plugin.name)
            yield

    def _asked(self, plugin: Plugin, call: Callable[[], T]) -> T:
        """What a hook gives. A stranger's is left when it does not come to an end."""
        if plugin.report.built_in:
            return call()
        with self.noted(plugin.report):
            return in_thread(f"ask {plugin.report.name}", call)

    @contextmanager
    def _guard(self, plugin: Plugin, hook: str) -> Iterator[None]:
        name, version = plugin.report.name, plugin.report.version
        try:
            with stdout_kept_clean(), during(f"Its hook {hook}"):
                yield
        except Exception as error:
            logger.warning("The plugin %s is left out here. %s", plugin.origin, error)
            stack = error.stack if isinstance(error, HangingError) else traceback_of(error)
            self.failures.put(name, hook, version, Failure(reason=reason_of(error), traceback=stack))
        else:
            self.failures.clear(name, hook)


def named(found: Mapping[str, T], name: str, kind: str, remedy: str) -> T:
    """What has that name.

    Raises:
        NotFoundError: Nothing has; its text names what is spelt alike, or else the remedy.
    """
    if name in found:
        return found[name]
    close = difflib.get_close_matches(name, found, n=3, cutoff=0.5)
    raise NotFoundError(
        f"There is no {kind} {name!r}", remedy=f"did you mean {' or '.join(close)}?" if close else remedy
    )
