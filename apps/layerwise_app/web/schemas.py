"""What goes into a model and what comes out as JSON Schema, from the fields of its task: for the OpenAPI schema of the
HTTP API and for the tools of the MCP server."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.tasks.fields import FILE_KINDS, MOST_FILES, main_field
from layerwise.tasks.several_files import named_files
from layerwise.versions import Reference
from layerwise_app.values import is_picture, picture_file
from layerwise_app.web.visuals import load_examples

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Task
    from layerwise.tasks.fields import Field
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

Schema = dict[str, Any]

LARGEST_EXAMPLE = 6_000
"""Files of examples that are longer, in bytes, are not written into a schema."""
FILE = "A file in base64, alone or as a data URL."
_MEDIA = {"image": "image/*", "sketch": "image/*", "audio": "audio/*", "video": "video/*"}
_PICTURE: Schema = {"type": "string", "description": "A picture as a data URL."}
_NAMED_FILE: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "content": {"type": "string", "description": "The file as a data URL."},
    },
    "required": ["name", "content"],
}
_MESSAGES: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"role": {"type": "string", "enum": ["user", "assistant"]}, "content": {"type": "string"}},
        "required": ["role", "content"],
    },
}
_FILE: Schema = {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/octet-stream"}
_FILES: Schema = {
    "type": "array",
    "maxItems": MOST_FILES,
    "description": "Files, each in base64, alone or as a data URL; or each with its name.",
    "items": {
        "anyOf": [
            _FILE,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "content": _FILE},
                "required": ["content"],
                "additionalProperties": False,
            },
        ]
    },
}
_ROW: Schema = {"type": "object", "additionalProperties": True}
_OUTPUTS: dict[str, Schema] = {
    "text": {"type": "string"},
    "choice": {"type": "string"},
    "number": {"type": "number"},
    "label-probabilities": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}},
    "image": {"anyOf": [_PICTURE, _NAMED_FILE]},
    "sketch": _PICTURE,
    "file": {"anyOf": [{"type": "string"}, _NAMED_FILE]},
    "table": {"anyOf": [_ROW, {"type": "array", "items": _ROW}]},
    "boxes": {
        "type": "object",
        "properties": {
            "width": {"type": "integer"},
            "height": {"type": "integer"},
            "found": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "label": {"type": "string"},
                        "score": {"type": "number"},
                        "box": {
                            "type": "array",
                            "items": {"type": "number"},
                            "description": "Left, top, right, bottom in pixels, from the upper left corner.",
                        },
                    },
                    "required": ["label", "score", "box"],
                },
            },
        },
    },
    "gallery": {"type": "array", "items": _ROW},
    "plot": {"type": "array", "items": _ROW},
    "conversation": _MESSAGES,
}
"""What the values of each kind become in JSON (`layerwise_app.values.plain`); the kinds that are missing may be
anything."""


def task_in_use(workspace: Workspace, spec: ModelSpec, variant: str | None = None) -> Task:
    """The task of the version that answers for a model, whose labels and columns may be those of a user's own data; the
    model's own where no version can be used."""
    try:
        return workspace.predictor.version(Reference(spec.name, variant)).task
    except LayerwiseError:
        return spec.task


def inputs_schema(fields: Sequence[Field]) -> Schema:
    """The inputs of a model by their names."""
    found: Schema = {
        "type": "object",
        "properties": {field.name: input_schema(field) for field in fields},
        "additionalProperties": False,
    }
    if required := [field.name for field in fields if not field.optional]:
        found["required"] = required
    return found


def input_schema(field: Field) -> Schema:
    """One input, or one column of a table. What may be left out may be null too."""
    schema = {**_input_of_its_kind(field), "title": field.title}
    if field.default is not None:
        schema["default"] = field.default
    if not field.optional:
        return schema
    if "type" not in schema:
        return schema
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _input_of_its_kind(field: Field) -> Schema:
    if field.kind == "files":
        return dict(_FILES)
    if field.kind in FILE_KINDS:
        media = _MEDIA.get(field.kind, "application/octet-stream")
        return {"type": "string", "description": FILE, "contentEncoding": "base64", "contentMediaType": media}
    if field.kind == "text":
        return {"type": "string"}
    if field.kind == "number":
        limits = {"minimum": field.minimum, "maximum": field.maximum}
        return {"type": "number", **{name: limit for name, limit in limits.items() if limit is not None}}
    if field.kind == "choice":
        return {"type": "string", **({"enum": list(field.choices)} if field.choices else {})}
    if field.kind == "table":
        return {"type": "object", "properties": {column.name: _column_schema(column) for column in field.columns}}
    return dict(_MESSAGES) if field.kind == "conversation" else {}


def _column_schema(column: Field) -> Schema:
    """One column of a table, which is read as those of files are: numbers as text too, and a network has a place for
    choices that it does not know."""
    if column.kind == "choice":
        return {"title": column.title, "examples": [*column.choices]}
    schema = input_schema(column)
    return {**schema, "type": ["number", "string", "boolean", "null"]} if column.kind == "number" else schema


def form_schema(fields: Sequence[Field]) -> Schema:
    """The same inputs as the parts of a form: files as they are, everything else as text."""
    parts: Schema = {}
    for field in fields:
        part: Schema = {"type": "string", "format": "binary"} if field.kind in FILE_KINDS else {"type": "string"}
        if field.kind == "files":
            part = {"type": "array", "maxItems": MOST_FILES, "items": part}
        parts[field.name] = {"title": field.title} | part
    reference: Schema = {"variant": {"type": "string"}, "version": {"type": "string"}}
    found: Schema = {"type": "object", "properties": parts | reference}
    if required := [field.name for field in fields if not field.optional]:
        found["required"] = required
    return found


def body_schema(spec: ModelSpec, task: Task) -> Schema:
    """The body of a request to a model."""
    fields = task.inputs
    main = main_field(fields)
    forms = [inputs_schema(fields)]
    if main is not None and main.kind not in ("table", "json", "conversation"):
        bare = input_schema(main)
        forms.append({**bare, "description": f"{main.title} alone. {bare.get('description', '')}".strip()})
    variants = [variant.name for variant in spec.variants]
    return {
        "type": "object",
        "properties": {
            "inputs": forms[0] if len(forms) == 1 else {"anyOf": forms},
            "variant": {
                "type": ["string", "null"],
                "enum": [*variants, None],
                "description": f"The network that answers; {variants[0]} when it is left out.",
            },
            "version": {
                "type": ["string", "null"],
                "description": "The id of a version; the one in use when it is left out.",
            },
        },
        "required": ["inputs"],
        "additionalProperties": False,
    }


def answer_schema(fields: Sequence[Field]) -> Schema:
    """The answer of a model: a value for the name of each output, where there is one."""
    return {"type": "object", "properties": {field.name: output_schema(field) for field in fields}}


def output_schema(field: Field) -> Schema:
    """One output; null where there is nothing to say."""
    schema = _OUTPUTS.get(field.kind)
    if schema is None:
        return {"title": field.title}
    forms = schema.get("anyOf", [schema])
    return {"title": field.title, "anyOf": [*forms, {"type": "null"}]}


def replies_schema(spec: ModelSpec, task: Task) -> Schema:
    """What is sent back for a request to a model."""
    return {
        "type": "object",
        "properties": {
            "model": {"type": "string", "const": spec.name},
            "variant": {"type": "string", "description": "The network that has answered."},
            "version": {"type": "string", "description": "The id of the version that has answered."},
            "answer": answer_schema(task.outputs),
        },
        "required": ["model", "variant", "version", "answer"],
    }


def event_schema(*kinds: str, data: Schema | None = None) -> Schema:
    """A server-sent event.

    Args:
        kinds: What `event` may be; anything for none.
        data: The schema of the JSON in `data`, of the events that bring something.
    """
    error: Schema = {"type": "object", "properties": {"error": {"type": "object"}}, "required": ["error"]}
    text: Schema = {"type": "string", "contentMediaType": "application/json"}
    return {
        "type": "object",
        "properties": {
            "event": {"type": "string"} | ({"enum": list(kinds)} if kinds else {}),
            "data": text
            | ({"contentSchema": {"anyOf": [data, error, {"type": "object", "maxProperties": 0}]}} if data else {}),
            "id": {"type": "string"},
        },
        "required": ["event", "data"],
    }


def example_inputs(spec: ModelSpec, task: Task) -> dict[str, Any] | None:
    """The inputs of the first example of a model that JSON can hold in few lines, files in base64; None where there is
    none."""
    try:
        examples = load_examples(spec)
    except Exception:  # the examples are a plugin's code
        logger.warning("The examples of %s cannot be read", spec.name)
        return None
    kinds = {field.name: field.kind for field in task.inputs}
    for example in examples:
        found = {name: _example_value(value, kinds.get(name, "")) for name, value in example.inputs.items()}
        if all(value is not None for value in found.values()):
            return found
    return None


def _example_value(value: Any, kind: str) -> Any:
    if kind == "files":
        return _example_files(value)
    if kind not in FILE_KINDS:
        return value if isinstance(value, str | int | float | list | Mapping) else None
    content = _file_of(value)
    return base64.b64encode(content).decode() if content and len(content) <= LARGEST_EXAMPLE else None


def _example_files(value: Any) -> list[dict[str, str]] | None:
    found, total = [], 0
    for name, item in named_files(value):
        content = _file_of(Path(item) if isinstance(item, str) else item)
        total += len(content or b"")
        if content is None or total > LARGEST_EXAMPLE:
            return None
        found.append({"name": name, "content": base64.b64encode(content).decode()})
    return found


def _file_of(value: Any) -> bytes | None:
    if isinstance(value, Path):
        return value.read_bytes() if value.stat().st_size <= LARGEST_EXAMPLE else None
    if isinstance(value, bytes):
        return value
    if hasattr(value, "dtype"):
        from layerwise.tasks.images import load_image

        value = load_image(value)
    return picture_file(value)[0] if is_picture(value) else None
