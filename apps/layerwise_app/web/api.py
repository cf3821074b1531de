"""The HTTP API: models, predictions and training runs, as JSON.

    GET    /api/v1/health
    GET    /api/v1/models                                   GET /api/v1/models/{domain}/{application}
    POST   /api/v1/predict/{domain}/{application}           {"inputs": {...}, "variant": ..., "version": ...}, or a form
    GET    /api/v1/runs                                     POST /api/v1/runs {"model": ..., "config": {...}}
    GET    /api/v1/runs/{id}                                DELETE /api/v1/runs/{id}
    GET    /api/v1/runs/{id}/events?start=0                 POST /api/v1/runs/{id}/stop, /promote

Files (pictures, sounds) come in base64 or as a data URL in JSON, or as the parts of a form. They are never taken
for paths of the server.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile

from layerwise import jobs
from layerwise.config import config_from, settings_of
from layerwise.errors import DataError, InputError, LayerwiseError, NotFoundError, RunError, SpecError, WeightsError
from layerwise.tasks.base import FILE_KINDS
from layerwise.versions import Reference
from layerwise_app.web.files import decode_base64

if TYPE_CHECKING:
    from layerwise.runs import Run
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Field
    from layerwise.versions import Version
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

MAX_BODY = 200 * 2**20
_STATUS = {NotFoundError: 404, InputError: 422, SpecError: 422, DataError: 422, RunError: 409, WeightsError: 503}
UNEXPECTED = "Something went wrong that should not have. The server's log has the details."


class RunRequest(BaseModel):
    """What to train."""

    model_config = ConfigDict(extra="forbid")

    model: str
    variant: str | None = None
    config: dict[str, Any] = {}
    data: str | None = None


class _Route(APIRoute):
    """A route whose errors are answers in JSON."""

    def get_route_handler(self) -> Callable:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except LayerwiseError as error:
                return _error(error)
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except Exception as error:
                if type(error).__module__.startswith(("fastapi", "starlette")):
                    raise  # has its own status and text: a body that does not fit the schema
                logger.exception("%s %s failed", request.method, request.url.path)
                return JSONResponse({"error": {"type": "internal", "message": UNEXPECTED}}, 500)

        return handled


def _error(error: LayerwiseError) -> JSONResponse:
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
    content = {
        "type": type(error).__name__,
        "message": str(error),
        "what": error.what,
        "expected": error.expected,
        "received": error.received,
        "remedy": error.remedy,
    }
    return JSONResponse({"error": content}, status)


def _same_site(request: Request) -> None:
    """Refuse what a page of another site makes a visitor's browser send to this server."""
    origin = request.headers.get("origin")
    if request.method not in ("GET", "HEAD") and origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise LayerwiseError("Another site's page may not do this", received=f"Origin: {origin}")


def make_api(workspace: Workspace, snapshot_number: Callable[[], int | None]) -> APIRouter:
    """The routes of the API.

    Args:
        snapshot_number: The number of the snapshot that the pages show.
    """
    router = APIRouter(prefix="/api/v1", route_class=_Route, dependencies=[Depends(_same_site)])
    _add_models(router, workspace, snapshot_number)
    _add_runs(router, workspace)
    return router


def _add_models(router: APIRouter, workspace: Workspace, snapshot_number: Callable[[], int | None]) -> None:
    @router.get("/health")
    async def health() -> dict[str, Any]:
        """Whether the server answers, and what it shows."""
        from layerwise import __version__

        return {"status": "ok", "version": __version__, "snapshot": snapshot_number()}

    @router.get("/models")
    def models() -> list[dict[str, Any]]:
        """All registered models."""
        return [_describe(workspace, spec) for spec in workspace.registry.snapshot().models.values()]

    @router.get("/models/{domain}/{application}")
    def model(domain: str, application: str) -> dict[str, Any]:
        """One model: its card, inputs, outputs, settings, variants and versions."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        return {
            **_describe(workspace, spec),
            "description": spec.card.description,
            "limits": spec.card.limits,
            "licence": spec.card.licence,
            "sources": list(spec.card.sources),
            "settings": [_describe_setting(item) for item in settings_of(spec.config)],
            "versions": {
                variant.name: [_describe_version(item) for item in workspace.versions.list(spec, variant.name)]
                for variant in spec.variants
            },
        }

    @router.post("/predict/{domain}/{application}")
    async def predict(domain: str, application: str, request: Request) -> dict[str, Any]:
        """The answer of a model to one input."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        body = await _read_body(request)
        reference = Reference(spec.name, body.get("variant"), body.get("version"))

        def answer() -> dict[str, Any]:
            inputs = _read_inputs(spec.task.inputs, body.get("inputs"))
            answer = workspace.predictor.predict(reference, inputs)
            version = workspace.predictor.version(reference)
            return {"model": spec.name, "variant": version.variant, "version": version.id, "answer": _plain(answer)}

        return await asyncio.to_thread(answer)


def _add_runs(router: APIRouter, workspace: Workspace) -> None:
    @router.get("/runs")
    def runs() -> list[dict[str, Any]]:
        """All training runs, the newest first."""
        return [_describe_run(run) for run in workspace.runs.list()]

    @router.post("/runs", status_code=201)
    def start(body: RunRequest) -> dict[str, Any]:
        """Start a training run. Settings left out are the variant's own."""
        spec = workspace.registry.snapshot().model(body.model)
        variant = spec.variant(body.variant)
        usual = {item.name: getattr(variant.config, item.name) for item in settings_of(spec.config)}
        config = config_from(spec.config, {**usual, **body.config})
        run = jobs.start(workspace.runs, spec, variant=variant.name, config=config, data=body.data)
        return _describe_run(run)

    @router.get("/runs/{identifier}")
    def run(identifier: str) -> dict[str, Any]:
        """One run, with its config and the metrics of each epoch."""
        found = workspace.runs.get(identifier)
        return {**_describe_run(found), "config": found.config, "data": found.data, "history": found.history()}

    @router.get("/runs/{identifier}/events")
    def events(identifier: str, start: int = 0) -> dict[str, Any]:
        """What happened in a run, from event number `start`; `next` is where to go on."""
        found = workspace.runs.get(identifier)
        state = found.state
        new = found.events(max(start, 0))
        return {"state": state, "events": new, "next": max(start, 0) + len(new)}

    @router.post("/runs/{identifier}/stop")
    def stop(identifier: str) -> dict[str, Any]:
        """Ask a run to stop after its current step."""
        found = workspace.runs.get(identifier)
        jobs.stop(found)
        return _describe_run(found)

    @router.post("/runs/{identifier}/promote")
    def promote(identifier: str) -> dict[str, Any]:
        """Put the version that a run made in use."""
        found = workspace.runs.get(identifier)
        return _describe_version(workspace.versions.promote(workspace.registry.snapshot().model(found.name), found))

    @router.post("/models/{domain}/{application}/rollback")
    def rollback(domain: str, application: str, variant: str | None = None) -> dict[str, Any]:
        """Put the version in use that was in use before."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        return _describe_version(workspace.versions.rollback(spec, variant))

    @router.delete("/runs/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete a run that has ended, with its version."""
        workspace.runs.delete(identifier)


async def _read_body(request: Request) -> dict[str, Any]:
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


def _read_inputs(fields: tuple[Field, ...], inputs: Any) -> Any:
    """Inputs as the task takes them: files decoded, the texts of a form parsed."""
    if not isinstance(inputs, Mapping):
        if len(fields) != 1:
            return inputs  # the predictor says which names it needs
        inputs = {fields[0].name: inputs}
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
        except ValueError as error:
            raise InputError(f"{name} is no JSON", received=str(error)) from None
    return value


def _plain(value: Any) -> Any:
    """An answer as JSON: arrays as lists, pictures as data URLs."""
    import base64
    import io

    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "save") and hasattr(value, "getbands"):
        buffer = io.BytesIO()
        value.save(buffer, format="PNG")
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return jsonable_encoder(value)


def _describe(workspace: Workspace, spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.card.title,
        "summary": spec.card.summary,
        "task": spec.task.type_name,
        "inputs": [_describe_field(field) for field in spec.task.inputs],
        "outputs": [_describe_field(field) for field in spec.task.outputs],
        "variants": {variant.name: _in_use(workspace, spec, variant.name) for variant in spec.variants},
    }


def _in_use(workspace: Workspace, spec: ModelSpec, variant: str) -> dict[str, Any] | None:
    try:
        return _describe_version(workspace.predictor.version(Reference(spec.name, variant)))
    except LayerwiseError:
        return None


def _describe_field(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"name": field.name, "kind": field.kind, "label": field.label, "optional": field.optional}
    if field.choices:
        found["choices"] = list(field.choices)
    if field.columns:
        found["columns"] = [_describe_field(column) for column in field.columns]
    return found


def _describe_setting(item: Any) -> dict[str, Any]:
    return {
        "name": item.name,
        "type": item.kind.__name__,
        "default": item.default,
        "meaning": item.meaning,
        "range": item.range_text,
        "advanced": item.advanced,
    }


def _describe_version(version: Version) -> dict[str, Any]:
    return {
        "version": version.id,
        "model": version.name,
        "variant": version.variant,
        "created": version.created,
        "num_parameters": version.num_parameters,
        "metrics": version.metrics,
        "measured": version.record.get("measured"),
    }


def _describe_run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "model": run.name,
        "variant": run.variant,
        "state": run.state,
        "reason": run.reason,
        "created": run.created,
        "has_version": run.version_folder is not None,
    }
