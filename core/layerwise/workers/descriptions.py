"""What a plugin registers as JSON, for a process that does not import it: models of stock tasks, and data sets.

Functions become "module:function"; the type of a config becomes its fields, of which the same form, options and
checks follow. What cannot be described so is refused, as a whole.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

from layerwise.config import TrainingConfig, config_from, setting, settings_of
from layerwise.errors import PluginError, SpecError
from layerwise.plugins.contributions import stock_tasks
from layerwise.plugins.loading import Plugin
from layerwise.specs import DatasetSpec, File, ForeignSpec, ModelCard, ModelSpec, Reference, Source, Variant, resolve
from layerwise.tasks.base import Task

FORMAT = 2
"""Grows with each change that another release cannot read."""
TOLD = ("distribution", "version", "module", "deprecated")
"""What is told of the report of a plugin."""
DESCRIBED = ("layerwise_models", "layerwise_datasets")
"""The hooks whose results can be described."""
_KINDS: dict[str, Any] = {"bool": bool, "int": int, "float": float, "str": str, "tuple": tuple[int, ...]}


def described(plugin: Plugin) -> dict[str, Any]:
    """A loaded plugin as what JSON can hold.

    Raises:
        PluginError: It registers what cannot be described.
    """
    others = [hook for hook in plugin.report.hooks if hook not in DESCRIBED]
    if others:
        raise _refused(
            f"It implements {' and '.join(others)}", "only the hooks layerwise_models and layerwise_datasets"
        )
    models = plugin.registered.get("layerwise_models", ())
    datasets = plugin.registered.get("layerwise_datasets", ())
    return {
        "format": FORMAT,
        "report": {name: getattr(plugin.report, name) for name in TOLD},
        "models": [_model(spec) for spec in models],
        "datasets": [_dataset(spec) for spec in datasets],
    }


@functools.lru_cache(maxsize=64)
def restored(text: str, python: str) -> dict[str, tuple[Any, ...]]:
    """What a description registers, by hook. The same objects for the same text, so that nothing seems to have changed.

    Args:
        text: What `described` gave, as JSON.
        python: The path of the plugin's Python.

    Raises:
        LayerwiseError: It is not valid.
    """
    told = json.loads(text)
    return {
        "layerwise_models": tuple(_restored_model(model, python) for model in told["models"]),
        "layerwise_datasets": tuple(_restored_dataset(dataset) for dataset in told["datasets"]),
    }


def _refused(what: str, expected: str) -> PluginError:
    return PluginError(
        f"{what}, which a plugin with a Python of its own cannot",
        expected=expected,
        remedy="install it where Layerwise is installed, or leave that out",
    )


def _model(spec: ModelSpec) -> dict[str, Any]:
    kind = type(spec.task)
    if stock_tasks().get(kind.type_name) is not kind or spec.task.files():
        raise _refused(f"The model {spec.name} has a task of its own", "one of layerwise.tasks, without files")
    references = {
        name: _reference(f"{name} of the model {spec.name}", value)
        for name in ("build", "train", "runner")
        if (value := getattr(spec, name)) is not None
    }
    return {
        "name": spec.name,
        "task": {"type": kind.type_name, "parameters": spec.task.parameters()},
        **references,
        "card": {**dataclasses.asdict(spec.card), "picture": spec.card.picture and str(spec.card.picture)},
        "data": spec.data,
        "framework": spec.framework,
        "config": {
            "name": spec.config.__name__,
            "unused": spec.config.unused,
            "settings": [{**dataclasses.asdict(item), "kind": item.kind.__name__} for item in settings_of(spec.config)],
        },
        "variants": [_variant(spec, variant) for variant in spec.variants],
    }


def _variant(spec: ModelSpec, variant: Variant) -> dict[str, Any]:
    if variant.published is not None:
        raise _refused(f"{spec.name}:{variant.name} has published weights", "shipped weights, or none")
    parameters = spec.task_of(variant).parameters()
    return {
        "name": variant.name,
        "summary": variant.summary,
        "config": dataclasses.asdict(variant.config),
        "fine_tuning": None if variant.fine_tuning is None else dataclasses.asdict(variant.fine_tuning),
        "weights": None if variant.weights is None else str(variant.weights),
        "task": {name: parameters[name] for name in variant.task},
        "num_parameters": variant.num_parameters,
    }


def _reference(what: str, value: Reference) -> str:
    if isinstance(value, str):
        return value
    name = f"{getattr(value, '__module__', None)}:{getattr(value, '__name__', None)}"
    try:
        is_found = resolve(name) is value
    except (SpecError, ValueError):
        is_found = False
    if not is_found:
        raise _refused(f"The {what} cannot be found by its name", 'a function of a module, or "module:function"')
    return name


def _dataset(spec: DatasetSpec) -> dict[str, Any]:
    sources = [
        {
            "name": source.name,
            "read": _reference(f"reader of the data set {spec.name}", source.read),
            "licence": source.licence,
            "files": [dataclasses.asdict(file) for file in source.files],
            "homepage": source.homepage,
        }
        for source in spec.sources
    ]
    plain = {name: getattr(spec, name) for name in ("name", "title", "folder", "summary", "splits")}
    return {**plain, "sources": sources}


def _restored_model(told: dict[str, Any], python: str) -> ForeignSpec:
    kind = stock_tasks().get(told["task"]["type"])
    if kind is None:
        raise PluginError(f"The task {told['task']['type']} of {told['name']} is not known here")
    config = _restored_config(**told["config"])
    references = {name: told[name] for name in ("build", "train", "runner") if name in told}
    card = {**told["card"], "sources": tuple(told["card"]["sources"])}
    card["picture"] = card["picture"] and Path(card["picture"])
    return ForeignSpec(
        name=told["name"],
        task=kind(**kind.fields_from(told["task"]["parameters"])),
        card=ModelCard(**card),
        data=told["data"],
        framework=told["framework"],
        config=config,
        variants=tuple(_restored_variant(variant, config, kind) for variant in told["variants"]),
        python=python,
        **references,
    )


def _restored_variant(told: dict[str, Any], config: type[TrainingConfig], kind: type[Task]) -> Variant:
    return Variant(
        name=told["name"],
        summary=told["summary"],
        config=config_from(config, told["config"]),
        fine_tuning=None if told["fine_tuning"] is None else config_from(config, told["fine_tuning"]),
        weights=None if told["weights"] is None else Path(told["weights"]),
        task=kind.fields_from(told["task"]),
        num_parameters=told["num_parameters"],
    )


def _restored_config(name: str, unused: list[str], settings: list[dict[str, Any]]) -> type[TrainingConfig]:
    fields: list[tuple[str, Any, Any]] = []
    for item in settings:
        values = {key: value for key, value in item.items() if key not in ("name", "kind", "default", "choices")}
        default = tuple(item["default"]) if item["kind"] == "tuple" else item["default"]
        choices = None if item["choices"] is None else tuple(item["choices"])
        fields.append((item["name"], _KINDS[item["kind"]], setting(default, choices=choices, **values)))
    namespace = {"unused": tuple(unused)}
    return dataclasses.make_dataclass(
        name, fields, bases=(TrainingConfig,), namespace=namespace, frozen=True, kw_only=True
    )


def _restored_dataset(told: dict[str, Any]) -> DatasetSpec:
    sources = tuple(
        Source(**{**source, "files": tuple(File(**file) for file in source["files"])}) for source in told["sources"]
    )
    return DatasetSpec(**{**told, "splits": tuple(told["splits"]), "sources": sources})
