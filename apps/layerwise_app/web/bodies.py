"""What comes in a request of the HTTP API, as a task takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.datastructures import UploadFile

from layerwise.errors import InputError
from layerwise.tasks.fields import FILE_KINDS, main_field
from layerwise.tasks.several_files import check_number
from layerwise_app.web.files import decode_base64

if TYPE_CHECKING:
    from layerwise.tasks.fields import Field

MAX_BODY = 200 * 2**20
_EXPECTED: dict[str, tuple[Any, str]] = {
    "number": (int | float | str, "a number"),
    "text": (str, "a text"),
    "choice": (str, "a text"),
    "table": (Mapping, "an object with a value for each column"),
    "conversation": (list, "a list of messages"),
}
"""The kinds whose values a model's task takes on trust: their types, and these in words."""


@dataclass(frozen=True)
class _Upload:
    """A file in a form."""

    name: str
    content: bytes


class _Parts(list[Any]):
    """The parts of a form that have one name: several files, or a value that was given again."""


async def read_body(request: Request) -> dict[str, Any]:
    """The body: JSON as documented, or a form whose parts are inputs, "variant" and "version" apart.

    Raises:
        InputError: It is neither, or too large.
    """
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        raise InputError("The request is too large", expected=f"at most {MAX_BODY // 2**20} MB")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        values: dict[str, _Parts] = {}
        for name, part in (await request.form()).multi_items():
            is_file = isinstance(part, UploadFile)
            value = _Upload(part.filename or "", await part.read()) if is_file else part
            values.setdefault(name, _Parts()).append(value)
        named = [name for name in ("variant", "version") if name in values and isinstance(values[name][-1], str)]
        reference = {name: values.pop(name)[-1] for name in named}
        return {**reference, "inputs": values}
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise InputError("The body is no JSON", received=str(error), remedy='send {"inputs": {...}}') from None
    if not isinstance(body, dict) or "inputs" not in body or body.keys() - {"inputs", "variant", "version"}:
        raise InputError("The body cannot be used", expected='{"inputs": {...}, "variant": ..., "version": ...}')
    for name in ("variant", "version"):
        if not isinstance(body.get(name), str | None):
            raise InputError(f"{name} cannot be used", expected="a text", received=repr(body[name]))
    return body


def read_inputs(fields: tuple[Field, ...], inputs: Any) -> Any:
    """Inputs as the task takes them: files decoded, the texts of a form parsed."""
    if not isinstance(inputs, Mapping):
        main = main_field(fields)
        if main is None:
            return inputs  # the predictor says which names it needs
        inputs = {main.name: inputs}
    kinds = {field.name: field.kind for field in fields}
    return {name: _read_value(name, kinds.get(name, ""), value) for name, value in inputs.items()}


def _read_value(name: str, kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "files":
        return _read_files(name, value)
    if isinstance(value, _Parts):
        value = value[-1].content if isinstance(value[-1], _Upload) else value[-1]
    if kind in FILE_KINDS:
        return value if isinstance(value, bytes) else _decoded(name, value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, str) and kind in ("table", "json", "number"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name} is no JSON", received=str(error)) from None
    expected = _EXPECTED.get(kind)
    # To Python true and false are numbers.
    if (kind == "number" and isinstance(value, bool)) or (expected is not None and not isinstance(value, expected[0])):
        raise InputError(f"{name} cannot be read", expected=_EXPECTED[kind][1], received=type(value).__name__)
    return value


def _decoded(name: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"{name} cannot be read", expected="a file in base64", received=type(value).__name__)
    return decode_base64(value, name)


def _read_files(name: str, items: Any) -> list[dict[str, Any]]:
    """Several files, each with its name, which is empty where it has none."""
    if not isinstance(items, list):
        raise InputError(f"{name} cannot be read", expected="a list of files", received=type(items).__name__)
    check_number(items, name)
    return [_read_file(name, item) for item in items]


def _read_file(name: str, item: Any) -> dict[str, Any]:
    if isinstance(item, _Upload):
        return {"name": item.name, "content": item.content}
    told = {"content": item} if isinstance(item, str) else item
    if isinstance(told, Mapping) and told.keys() <= {"name", "content"} and isinstance(told.get("content"), str):
        called = told.get("name", "")
        if isinstance(called, str):
            return {"name": called, "content": decode_base64(told["content"], name)}
    raise InputError(
        f"{name} cannot be read",
        expected='files in base64, each alone or as {"name": ..., "content": ...}',
        received=type(item).__name__,
    )
