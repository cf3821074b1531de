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
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from layerwise import jobs
from layerwise.config import config_from, settings_of
from layerwise.errors import DataError, InputError, LayerwiseError, NotFoundError, RunError, SpecError, WeightsError
from layerwise.versions import Reference
from layerwise_app.web.api_data import add_data
from layerwise_app.web.api_experiments import add_comparison
from layerwise_app.web.bodies import read_body, read_inputs
from layerwise_app.web.descriptions import describe_model, describe_run, describe_setting, describe_version, plain
from layerwise_app.web.guard import UNEXPECTED

if TYPE_CHECKING:
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

_STATUS = {NotFoundError: 404, InputError: 422, SpecError: 422, DataError: 422, RunError: 409, WeightsError: 503}


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
    add_data(router, workspace)
    add_comparison(router, workspace)
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
        return [describe_model(workspace, spec) for spec in workspace.registry.snapshot().models.values()]

    @router.get("/models/{domain}/{application}")
    def model(domain: str, application: str) -> dict[str, Any]:
        """One model: its card, inputs, outputs, settings, variants and versions."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        return {
            **describe_model(workspace, spec),
            "description": spec.card.description,
            "limits": spec.card.limits,
            "licence": spec.card.licence,
            "sources": list(spec.card.sources),
            "settings": [describe_setting(item) for item in settings_of(spec.config)],
            "versions": {
                variant.name: [describe_version(item) for item in workspace.versions.list(spec, variant.name)]
                for variant in spec.variants
            },
        }

    @router.post("/predict/{domain}/{application}")
    async def predict(domain: str, application: str, request: Request) -> dict[str, Any]:
        """The answer of a model to one input."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        body = await read_body(request)
        reference = Reference(spec.name, body.get("variant"), body.get("version"))

        def answer() -> dict[str, Any]:
            inputs = read_inputs(spec.task.inputs, body.get("inputs"))
            answer = workspace.predictor.predict(reference, inputs)
            version = workspace.predictor.version(reference)
            return {"model": spec.name, "variant": version.variant, "version": version.id, "answer": plain(answer)}

        return await asyncio.to_thread(answer)


def _add_runs(router: APIRouter, workspace: Workspace) -> None:
    @router.get("/runs")
    def runs() -> list[dict[str, Any]]:
        """All training runs, the newest first."""
        return [describe_run(run) for run in workspace.runs.list()]

    @router.post("/runs", status_code=201)
    def start(body: RunRequest) -> dict[str, Any]:
        """Start a training run. Settings left out are the variant's own."""
        spec = workspace.registry.snapshot().model(body.model)
        variant = spec.variant(body.variant)
        usual = {item.name: getattr(variant.config, item.name) for item in settings_of(spec.config)}
        config = config_from(spec.config, {**usual, **body.config})
        data = workspace.uploads.locate(body.data) if body.data else None
        run = jobs.start(workspace.runs, spec, variant=variant.name, config=config, data=data)
        return describe_run(run)

    @router.get("/runs/{identifier}")
    def run(identifier: str) -> dict[str, Any]:
        """One run, with its config and the metrics of each epoch."""
        found = workspace.runs.get(identifier)
        return {**describe_run(found), "config": found.config, "data": found.data, "history": found.history()}

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
        return describe_run(found)

    @router.post("/runs/{identifier}/promote")
    def promote(identifier: str) -> dict[str, Any]:
        """Put the version that a run made in use."""
        found = workspace.runs.get(identifier)
        return describe_version(workspace.versions.promote(workspace.registry.snapshot().model(found.name), found))

    @router.post("/models/{domain}/{application}/rollback")
    def rollback(domain: str, application: str, variant: str | None = None) -> dict[str, Any]:
        """Put the version in use that was in use before."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        return describe_version(workspace.versions.rollback(spec, variant))

    @router.delete("/runs/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete a run that has ended, with its version."""
        workspace.runs.delete(identifier)
