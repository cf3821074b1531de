"""What plugins register, checked: each object by itself, then all of them against each other.

Pages, commands and the HTTP API are made from these objects for all plugins at once, so one that would raise there
is refused here, together with its plugin.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from layerwise import tasks as stock
from layerwise.errors import PluginError
from layerwise.specs import DatasetSpec, ModelSpec, Page
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field
from layerwise.teaching.lessons import Card, Lesson, Question, QuestionMaker, Tour

if TYPE_CHECKING:
    from layerwise.plugins.loading import Plugin

REGISTERING: dict[str, tuple[type, ...]] = {
    "layerwise_models": (ModelSpec,),
    "layerwise_tasks": (type,),
    "layerwise_datasets": (DatasetSpec,),
    "layerwise_pages": (Page,),
    "layerwise_lessons": (Lesson, Card, Question, QuestionMaker, Tour),
}
"""The hooks that are called while loading, and what each may return a sequence of."""

_LESSON_WORDS = {Lesson: "lesson", Card: "card", Question: "question", QuestionMaker: "question maker", Tour: "tour"}
NAMED = {
    "layerwise_models": lambda spec: ("model", spec.name),
    "layerwise_tasks": lambda task: ("task", task.type_name),
    "layerwise_datasets": lambda spec: ("data set", spec.name),
    "layerwise_pages": lambda page: ("page", page.name),
    "layerwise_lessons": lambda item: (_LESSON_WORDS[type(item)], item.name),
}
"""What must not be registered twice: its kind in words and its name."""

Name = tuple[str, str]
"""A kind and a name, as in NAMED."""


def stock_tasks() -> dict[str, type[Task]]:
    """The task types of the core, by their `type_name`."""
    types = [getattr(stock, name) for name in stock.__all__]
    return {kind.type_name: kind for kind in types if isinstance(kind, type) and hasattr(kind, "type_name")}


def checked(hook: str, results: Any, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """What one hook of one plugin returned, as a tuple.

    Args:
        hook: Its name.
        results: What the call gave: a list with what each implementation returned, None left out.
        kinds: The types that it may return; (type,) stands for types of Task.

    Raises:
        PluginError: It is no sequence, or holds something that cannot be used.
    """
    words = " or ".join("type of Task" if kind is type else kind.__name__ for kind in kinds)
    expected = f"a list of {words}"
    if not results:
        raise PluginError(f"{hook} returned nothing", expected=f"{expected}, empty if there are none", received="None")
    items: list[Any] = []
    for result in results:
        if isinstance(result, str) or not isinstance(result, Iterable):
            raise PluginError(f"{hook} returned no sequence", expected=expected, received=reprlib.repr(result))
        items.extend(result)
    for item in items:
        if not isinstance(item, kinds) or (type in kinds and not issubclass(item, Task)):
            raise PluginError(f"{hook} returned something else", expected=expected, received=reprlib.repr(item))
        if isinstance(item, type):
            _check_type(item)
        if isinstance(item, ModelSpec):
            _check_model(item)
    return tuple(items)


def _check_type(kind: type) -> None:
    name = getattr(kind, "type_name", None)
    if not (isinstance(name, str) and name.strip()):
        raise PluginError(
            f"The task type {kind.__name__} has no name",
            expected='a class variable type_name, such as "image-captioning"',
            received=reprlib.repr(name),
        )


def _check_model(spec: ModelSpec) -> None:
    kind = type(spec.task)
    _check_type(kind)
    for name in ("inputs", "outputs"):
        try:
            fields = tuple(getattr(spec.task, name))
        except NotImplementedError as error:
            raise PluginError(f"The task of {spec.name} is not complete", received=str(error)) from error
        if not all(isinstance(field, Field) for field in fields) or (name == "outputs" and not fields):
            raise PluginError(
                f"The {name} of the task of {spec.name} cannot be shown",
                expected="a tuple of Field",
                received=reprlib.repr(fields),
            )
    missing = [name for name in ("encode", "decode") if getattr(kind, name) is getattr(Task, name)]
    # Some tasks answer by a runner of their own: those that write token by token decode nothing.
    if missing and spec.runner is None and kind.runner is Task.runner:
        raise PluginError(
            f"The task of {spec.name} is not complete",
            received=f"a {kind.__name__} without {' and '.join(missing)}",
            remedy="write them, or give the ModelSpec a runner, which answers without them",
        )


def compatible(plugins: list[Plugin]) -> list[Plugin]:
    """The same plugins, but failed: those that register a name that an earlier one has, and those whose models need a
    data set that nobody registers. A plugin comes in as a whole or not at all."""
    lacking: dict[int, PluginError] = {}
    while True:
        clashing, origins = _clashes(plugins, lacking)
        errors = lacking | clashing
        more = _without_data(plugins, errors, {name for kind, name in origins if kind == "data set"})
        if not more:
            return [plugin.failed(errors[at]) if at in errors else plugin for at, plugin in enumerate(plugins)]
        # What a failed plugin registered is free again, or missing elsewhere: look once more without it.
        lacking |= more


def _clashes(plugins: list[Plugin], failed: Collection[int]) -> tuple[dict[int, PluginError], Mapping[Name, str]]:
    """The errors of plugins that use a taken name, by their position; and who has each name."""
    origins: dict[Name, str] = {("task", name): "Layerwise itself" for name in stock_tasks()}
    errors = {}
    for at, plugin in enumerate(plugins):
        if at in failed:
            continue
        names = [NAMED[hook](item) for hook, items in plugin.registered.items() for item in items]
        clashes = [
            f"{kind} {name!r}, which {origins[kind, name]} has" for kind, name in names if (kind, name) in origins
        ]
        twice = [f"{kind} {name!r} twice" for kind, name in names if names.count((kind, name)) > 1]
        if clashes or twice:
            remedy = "give it another name" if twice else "give it another name, or switch one of the two plugins off"
            text = "; the ".join(dict.fromkeys(clashes + twice))
            errors[at] = PluginError(f"It registers the {text}", remedy=remedy)
        else:
            origins |= dict.fromkeys(names, plugin.origin)
    return errors, origins


def _without_data(plugins: list[Plugin], failed: Collection[int], known: Collection[str]) -> dict[int, PluginError]:
    return {
        at: PluginError(
            f"The model {spec.name} needs the data set {spec.data!r}, which no plugin registers",
            remedy="return it from the hook layerwise_datasets, or install and enable the plugin that does",
        )
        for at, plugin in enumerate(plugins)
        if at not in failed
        for spec in plugin.registered.get("layerwise_models", ())
        if spec.data is not None and spec.data not in known
    }
