"""The HTTP API: models and predictions as JSON, and the routes about runs (`api_runs`), data and experiments.

    GET    /api/v1/health
    GET    /api/v1/models                                   GET /api/v1/models/{domain}/{application}
    POST   /api/v1/predict/{domain}/{application}           {"inputs": {...}, "variant": ..., "version": ...}, or a form
    POST   /api/v1/models/{domain}/{application}/export     {"format": "onnx", "variant": ..., "version": ...}: a zip

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
from starlette.requests import HTTPConnection

from layerwise.config import settings_of
from layerwise.errors import (
    DataError,
    DeviceError,
    InputError,
    LayerwiseError,
    NotFoundError,
    RunError,
    SpecError,
    WeightsError,
)
from layerwise.versions import Reference
from layerwise_app.values import plain
from layerwise_app.web.api_data import add_data
from layerwise_app.web.api_experiments import add_comparison, add_studies
from layerwise_app.web.api_runs import add_runs
from layerwise_app.web.bodies import read_body, read_inputs
from layerwise_app.web.descriptions import describe_model, describe_setting, describe_version
from layerwise_app.web.exports import add_exports
from layerwise_app.web.guard import UNEXPECTED
from layerwise_app.web.site import SERVER_START

if TYPE_CHECKING:
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

_STATUS = {
    NotFoundError: 404,
    InputError: 422,
    SpecError: 422,
    DataError: 422,
    DeviceError: 422,
    RunError: 409,
    WeightsError: 503,
}


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


ELSEWHERE = "Another site's page may not do this"


def is_elsewhere(connection: HTTPConnection) -> bool:
    """Whether the page that asks is another site's."""
    origin = connection.headers.get("origin")
    return bool(origin) and urlsplit(origin).netloc != connection.headers.get("host")


def _same_site(request: Request) -> None:
    """Refuse what a page of another site makes a visitor's browser send to this server."""
    if request.method not in ("GET", "HEAD") and is_elsewhere(request):
        raise LayerwiseError(ELSEWHERE, received=f"Origin: {request.headers['origin']}")


def make_api(workspace: Workspace, snapshot_number: Callable[[], int | None]) -> APIRouter:
    """The routes of the API.

    Args:
        snapshot_number: The number of the snapshot that the pages show.
    """
    router = APIRouter(prefix="/api/v1", route_class=_Route, dependencies=[Depends(_same_site)])
    _add_models(router, workspace, snapshot_number)
    add_runs(router, workspace)
    add_data(router, workspace)
    add_comparison(router, workspace)
    add_studies(router, workspace)
    add_exports(router, workspace)
    return router


def _add_models(router: APIRouter, workspace: Workspace, snapshot_number: Callable[[], int | None]) -> None:
    @router.get("/health")
    async def health() -> dict[str, Any]:
        """Whether the server answers, what it shows, and which start of it this is."""
        from layerwise import __version__

        return {"status": "ok", "version": __version__, "snapshot": snapshot_number(), "started": SERVER_START}

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
