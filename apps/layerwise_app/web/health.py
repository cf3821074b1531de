"""What watches a server asks for: whether it lives, whether it is ready, and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from layerwise_app.web.operation import Operation

if TYPE_CHECKING:
    from layerwise_app.web.metrics import Metrics

LIVENESS, READINESS, METRICS = "/healthz", "/readyz", "/metrics"


def make_health(operation: Operation, metrics: Metrics) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)

    @router.get(LIVENESS)
    async def alive() -> dict[str, Any]:
        """Whether the process answers at all; whoever gets no answer starts it anew."""
        return {"status": "ok"}

    @router.get(READINESS)
    def ready() -> JSONResponse:
        """Whether requests are to be sent here: 200, or 503 with the reasons."""
        found = operation.readiness()
        content = {"ready": found.is_ready, "reasons": found.reasons, "warnings": found.warnings}
        return JSONResponse(content, 200 if found.is_ready else 503, headers={"Cache-Control": "no-store"})

    @router.get(METRICS)
    def figures() -> Response:
        """The figures, for Prometheus."""
        from layerwise_app.web.metrics import CONTENT_TYPE

        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router
