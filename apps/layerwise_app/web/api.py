"""The HTTP API: models and predictions as JSON, and the routes about runs (`api_runs`), data, experiments and
plugins.

    GET    /api/v1/health
    GET    /api/v1/models                                   GET /api/v1/models/{domain}/{application}
    GET    /api/v1/models/{domain}/{application}/picture    of its card, where its plugin ships one
    POST   /api/v1/predict/{domain}/{application}           {"inputs": {...}, "variant": ..., "version": ...}, or a form
    POST   /api/v1/stream/{domain}/{application}            the same, answered bit by bit (`api_streams`)
    POST   /api/v1/models/{domain}/{application}/export     {"format": "onnx", "variant": ..., "version": ...}: a zip

Files (pictures, sounds) come in base64 or as a data URL in JSON, or as the parts of a form. They are never taken
for paths of the server.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Match

from layerwise.card_pictures import read_picture, still_of
from layerwise.config import offered_settings
from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.versions import Reference
from layerwise_app.values import plain
from layerwise_app.web.api_beside import add_beside
from layerwise_app.web.api_data import add_data
from layerwise_app.web.api_errors import RESPONSES, ErrorRoute
from layerwise_app.web.api_experiments import add_comparison, add_studies
from layerwise_app.web.api_plugins import add_plugins
from layerwise_app.web.api_runs import add_runs
from layerwise_app.web.api_streams import add_streams
from layerwise_app.web.bodies import read_body, read_inputs
from layerwise_app.web.bodies_described import HealthBody, ModelBody, ModelDetails, answers
from layerwise_app.web.descriptions import describe_model, describe_setting, describe_version
from layerwise_app.web.exports import add_exports
from layerwise_app.web.operation import Operation
from layerwise_app.web.site import SERVER_START

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY"]


ELSEWHERE = "Another site's page may not do this"


def is_elsewhere(connection: HTTPConnection) -> bool:
    """Whether the page that asks is another site's."""
    origin = connection.headers.get("origin")
    return bool(origin) and urlsplit(origin).netloc != connection.headers.get("host")


def _same_site(request: Request) -> None:
    """Refuse what a page of another site makes a visitor's browser send to this server."""
    if request.method not in ("GET", "HEAD") and is_elsewhere(request):
        raise LayerwiseError(ELSEWHERE, received=f"Origin: {request.headers['origin']}")


def make_api(operation: Operation) -> APIRouter:
    """The routes of the API."""
    workspace = operation.workspace
    router = APIRouter(
        prefix="/api/v1", route_class=ErrorRoute, dependencies=[Depends(_same_site)], responses=RESPONSES
    )
    _add_models(router, operation)
    add_streams(router, operation)
    add_runs(router, workspace)
    add_data(router, workspace)
    add_comparison(router, workspace)
    add_studies(router, workspace)
    add_beside(router, workspace)
    add_exports(router, workspace)
    add_plugins(router, workspace)
    _add_rest(router)
    return router


def _add_rest(router: APIRouter) -> None:
    routes = [*router.routes]

    @router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
    def nothing(request: Request) -> None:
        """What is no route: without this the pages would answer, which lie below everything else."""
        # One whose path fits is there for other methods.
        allowed = {
            method
            for route in routes
            if route.matches(request.scope)[0] is Match.PARTIAL
            for method in getattr(route, "methods", None) or ()
        }
        if allowed:
            raise HTTPException(
                405, f"{request.method} is not allowed here. Expected: {', '.join(sorted(allowed))}.",
                {"Allow": ", ".join(sorted(allowed))},
            )  # fmt: skip
        raise NotFoundError(
            "There is no such route", received=request.url.path, remedy="see what there is: /api/v1/openapi.json"
        )


def _add_models(router: APIRouter, operation: Operation) -> None:
    workspace = operation.workspace

    @router.get("/health", **answers(HealthBody))
    async def health() -> dict[str, Any]:
        """Whether the server answers, what it shows, and which start of it this is."""
        from layerwise import __version__

        return {
            "status": "ok",
            "version": __version__,
            "snapshot": operation.snapshot_number(),
            "started": SERVER_START,
        }

    @router.get("/models", **answers(list[ModelBody]))
    def models() -> list[dict[str, Any]]:
        """All registered models."""
        return [describe_model(workspace, spec) for spec in workspace.registry.snapshot().models.values()]

    @router.get("/models/{domain}/{application}", **answers(ModelDetails))
    def model(domain: str, application: str) -> dict[str, Any]:
        """One model: its card, inputs, outputs, settings, variants and versions."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        return {
            **describe_model(workspace, spec),
            "description": spec.card.description,
            "limits": spec.card.limits,
            "licence": spec.card.licence,
            "sources": list(spec.card.sources),
            "settings": [describe_setting(item) for item in offered_settings(spec.config)],
            "versions": {
                variant.name: [describe_version(item) for item in workspace.versions.list(spec, variant.name)]
                for variant in spec.variants
            },
        }

    @router.get("/models/{domain}/{application}/picture", response_class=Response)
    def picture(domain: str, application: str, still: bool = False, of: str = "") -> Response:
        """The picture of its card, where its plugin ships one. With `still` the last frame of one that moves; `of` is
        a digest of it, by which browsers keep it for good."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        if spec.card.picture is None:
            raise NotFoundError(f"{spec.name} comes without a picture")
        found = read_picture(spec.card.picture)
        shown = still_of(found) if still else found
        kept = {"cache-control": "private, max-age=31536000, immutable"} if of else {}
        return Response(shown.content, media_type=shown.media_type, headers=kept)

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

        return await to_thread.run_sync(answer, limiter=operation.limiters[spec.name])
