"""The OpenAPI schema: that of the routes, and for each model a path of its own with the schema of its inputs and its
answer."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from layerwise_app.web.api_errors import RESPONSES
from layerwise_app.web.schemas import (
    Schema,
    body_schema,
    event_schema,
    example_inputs,
    form_schema,
    replies_schema,
    task_in_use,
)

if TYPE_CHECKING:
    from layerwise.registry import Snapshot
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Task
    from layerwise.workspace import Workspace

PATH = "/api/v1/openapi.json"
TEMPLATES = ("/api/v1/predict/{domain}/{application}", "/api/v1/stream/{domain}/{application}")
DESCRIPTION = """Models, predictions and training runs as JSON. Every error is `{"error": {"message": ...}}`: one
sentence that says what was expected, what was received and what to do."""


def identifier_of(name: str) -> str:
    """The name of a model where no slash is allowed: "vision/fashion" is "vision_fashion"."""
    return name.replace("/", "_")


class OpenApi:
    """The schema of an app, made anew when another snapshot is registered. To be used as `app.openapi`."""

    def __init__(self, app: FastAPI, workspace: Workspace) -> None:
        self._workspace, self._routes_schema = workspace, app.openapi
        self._lock = threading.Lock()
        self._made: tuple[int, Schema] | None = None

    def __call__(self) -> Schema:
        snapshot = self._workspace.registry.snapshot()
        with self._lock:
            if self._made is None or self._made[0] != snapshot.number:
                self._made = snapshot.number, self._make(snapshot)
            return self._made[1]

    def _make(self, snapshot: Snapshot) -> Schema:
        schema = copy.deepcopy(self._routes_schema())
        paths: Schema = schema["paths"]
        errors = {status: paths[TEMPLATES[0]]["post"]["responses"][status] for status in map(str, RESPONSES)}
        for template in TEMPLATES:
            del paths[template]
        for spec in snapshot.models.values():
            task = task_in_use(self._workspace, spec)
            request = _request(spec, task)
            for template, operation in zip(TEMPLATES, (_predict(spec, task), _stream(spec, task)), strict=True):
                domain, application = spec.name.split("/")
                path = template.format(domain=domain, application=application)
                operation["responses"] |= errors
                paths[path] = {"post": {**operation, "requestBody": request, "tags": [spec.domain]}}
        return schema


def _about(spec: ModelSpec) -> str:
    card = spec.card
    limits = f"**Limits.** {card.limits}" if card.limits else ""
    return "\n\n".join(part for part in (card.summary, card.description, limits) if part)


def _predict(spec: ModelSpec, task: Task) -> Schema:
    reply = {"application/json": {"schema": replies_schema(spec, task)}}
    return {
        "summary": spec.card.title,
        "description": _about(spec),
        "operationId": f"predict_{identifier_of(spec.name)}",
        "responses": {"200": {"description": "The answer.", "content": reply}},
    }


def _stream(spec: ModelSpec, task: Task) -> Schema:
    event = event_schema("answer", "end", "error", data=replies_schema(spec, task))
    events = 'Server-sent events: "answer", each of which replaces the one before, then "end".'
    return {
        "summary": f"{spec.card.title}, as the answer grows",
        "description": f"{spec.card.summary} {events}",
        "operationId": f"stream_{identifier_of(spec.name)}",
        "responses": {"200": {"description": events, "content": {"text/event-stream": {"schema": event}}}},
    }


def _request(spec: ModelSpec, task: Task) -> dict[str, Any]:
    as_json: Schema = {"schema": body_schema(spec, task)}
    example = example_inputs(spec, task)
    if example is not None:
        as_json["example"] = {"inputs": example}
    form: Schema = {"schema": form_schema(task.inputs)}
    return {"required": True, "content": {"application/json": as_json, "multipart/form-data": form}}


def add_openapi(app: FastAPI, workspace: Workspace) -> None:
    """Add the route of the schema."""
    app.openapi = OpenApi(app, workspace)  # type: ignore[method-assign]

    @app.get(PATH, include_in_schema=False)
    def openapi() -> JSONResponse:
        # In a thread: the examples of the models are read.
        return JSONResponse(app.openapi())
