"""What comes in a request of the HTTP API, as a task takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.datastructures import UploadFile

from layerwise.errors import InputError
from layerwise.tasks.fields import FILE_KINDS, main_field
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


async def read_body(request: Request) -> dict[str, Any]:
    """The body: JSON as documented, or a form whose parts are inputs, "variant" and "version" apart.

    Raises:
        InputError: It is neither, or too large.
    """
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        raise InputError("The request is too large", expected=f"at most {MAX_BODY // 2**20} MB")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        parts = (await request.form()).multi_items()
        values = {name: await part.read() if isinstance(part, UploadFile) else part for name, part in parts}
        reference = {name: values.pop(name) for name in ("variant", "version") if isinstance(values.get(name), str)}
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
    if kind in FILE_KINDS:
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str):
            raise InputError(f"{name} cannot be read", expected="a file in base64", received=type(value).__name__)
        return decode_base64(value, name)
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
