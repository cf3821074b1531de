"""Around the whole app: every request has an id, is counted, and is one line of the log. Neither its path nor anything
that it brought is written down."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerwise.logs import ACCESS, request_id
from layerwise_app.web.health import LIVENESS, METRICS, READINESS

if TYPE_CHECKING:
    from layerwise_app.web.metrics import Metrics

access = logging.getLogger(ACCESS)

HEADER = "X-Request-ID"
LEFT = 499
"""The status of a request whose client leaves before it has sent all, as nginx counts them: nobody is told it."""
_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
_API = frozenset(
    (
        "account",
        "comparison",
        "data",
        "health",
        "models",
        "openapi.json",
        "play",
        "predict",
        "runs",
        "stream",
        "studies",
    )
)
_WATCHING = frozenset((LIVENESS, READINESS, METRICS))


def route_of(path: str) -> str:
    """Of which kind a path is: one of a few names, whatever somebody asks for.

    Example:
        >>> route_of("/api/v1/predict/vision/fashion"), route_of("/snapshot-1-ab/gradio_api/queue/join"), route_of("/x")
        ('/api/v1/predict', '/gradio_api/queue/join', 'pages')
    """
    if path in _WATCHING or path == "/mcp":
        return path
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        kind = parts[2] if len(parts) > 2 and parts[2] in _API else "other"
        return f"/api/v1/{kind}/stream" if kind == "runs" and parts[-1] == "stream" else f"/api/v1/{kind}"
    if "gradio_api" in parts[:2]:
        rest = parts[parts.index("gradio_api") + 1 :]
        return f"/gradio_api/{'/'.join(rest)}" if rest in (["queue", "join"], ["queue", "data"]) else "/gradio_api"
    return "pages"


class Observed:
    """An app whose requests are observed.

    Args:
        app: The app.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = _identifier(scope)
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = identifier
            await send(message)

        token, begin = request_id.set(identifier), time.monotonic()
        self.metrics.in_progress.inc()
        try:
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            status = LEFT
        finally:
            self.metrics.in_progress.dec()
            self._note(scope, status, time.monotonic() - begin)
            request_id.reset(token)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope["path"])
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.requests.labels(route, method, status).inc()
        self.metrics.request_seconds.labels(route).observe(seconds)
        if route not in _WATCHING:
            fields = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
            access.info("request", extra={"fields": fields})


def _identifier(scope: Scope) -> str:
    """The id that the client or a proxy gave, or a new one."""
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
    return given if _USABLE.fullmatch(given) else uuid.uuid4().hex
