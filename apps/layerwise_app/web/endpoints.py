"""Every model as an endpoint of Gradio's own API, for `gradio_client`: `client.predict("A fine film.",
api_name="/language_sentiment")`. Files come as what `gradio_client.handle_file` makes, and go as data URLs."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.events import api

from layerwise.errors import InputError
from layerwise.tasks.fields import FILE_KINDS
from layerwise.tasks.several_files import check_number
from layerwise.versions import Reference
from layerwise_app.values import plain
from layerwise_app.web.guard import explain
from layerwise_app.web.openapi import identifier_of
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.tasks.fields import Field

logger = logging.getLogger(__name__)

_TYPES = {"text": str, "choice": str, "number": float, "table": dict, "conversation": list, "files": list[FileData]}


def add_endpoints(site: Site) -> None:
    """Add an endpoint for each model. To be called within the Blocks of the pages."""
    for spec in site.snapshot.models.values():
        try:
            function = endpoint_of(site, spec)
        except ValueError as error:  # an input whose name is none that Python takes
            logger.warning("%s is no endpoint of Gradio: %s", spec.name, error)
            continue
        description = f"{spec.card.title}: {spec.card.summary}"
        api(function, api_name=identifier_of(spec.name), api_description=description)


def endpoint_of(site: Site, spec: ModelSpec) -> Callable[..., dict[str, Any]]:
    """A function with the inputs of a model as its arguments, those that are needed first, and "variant"."""
    fields = sorted(spec.task.inputs, key=lambda field: field.optional)
    kinds = {field.name: field.kind for field in fields}

    def endpoint(*values: Any) -> dict[str, Any]:
        *given, variant = values
        try:
            inputs = {
                name: _given(value, kind) if kind in FILE_KINDS else value
                for (name, kind), value in zip(kinds.items(), given, strict=True)
                if value is not None
            }
            return plain(site.predictor.predict(Reference(spec.name, variant), inputs))
        except Exception as error:
            # Not escaped, as those of pages are: a program reads it.
            raise gr.Error(explain(error), print_exception=False) from error

    parameters = [_parameter(field) for field in fields]
    parameters.append(_optional("variant", str, None))
    endpoint.__signature__ = inspect.Signature(parameters, return_annotation=dict)  # type: ignore[attr-defined]
    endpoint.__annotations__ = {item.name: item.annotation for item in parameters} | {"return": dict}
    return endpoint


def _parameter(field: Field) -> inspect.Parameter:
    kind = _TYPES.get(field.kind, FileData if field.kind in FILE_KINDS else object)
    if field.optional:
        return _optional(field.name, kind, field.default)
    return inspect.Parameter(field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)


def _optional(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind | None)


def _given(value: Any, kind: str) -> Any:
    if kind != "files":
        return uploaded(value)
    if not isinstance(value, list):
        raise InputError("The files cannot be read", expected="a list", received=type(value).__name__)
    check_number(value)
    return [{"name": _name_of(item), "content": uploaded(item)} for item in value]


def _name_of(value: Any) -> str:
    """What a file is called that was uploaded."""
    if not isinstance(value, Mapping):
        return str(value)
    return str(value.get("orig_name") or value.get("path") or "")


def uploaded(value: Any) -> bytes:
    """The bytes of a file that was uploaded.

    Raises:
        InputError: It names no file that somebody has uploaded.
    """
    from gradio.utils import get_upload_folder, is_in_or_equal

    path = value.get("path") if isinstance(value, Mapping) else value
    if isinstance(path, str) and is_in_or_equal(path, get_upload_folder()) and Path(path).is_file():
        return Path(path).read_bytes()
    raise InputError("The file cannot be read", expected="one that was uploaded", received=repr(path)[:200])
