"""How the gate refuses: a page for people, the JSON of the HTTP API for programs, the end of a web socket."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from layerwise.errors import AccessError, LayerwiseError
from layerwise.quota import in_bytes
from layerwise_app.accounts import Account, Role
from layerwise_app.web.access.documents import refusal_page, sign_in_page
from layerwise_app.web.access.table import Rule, refusal

PRIVATE = {"cache-control": "no-store"}
"""Of answers that are somebody's own."""


class RefusedError(Exception):
    """A refusal with its status of HTTP, and the seconds after which another try makes sense."""

    def __init__(self, error: LayerwiseError, status: int, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.status, self.wait = error, status, wait


def refused(connection: HTTPConnection, account: Account, rule: Rule, path: str) -> Response:
    """The answer to somebody who may not: the way to sign in, or why not."""
    if rule.role is Role.NOBODY:
        return said(connection, refusal(account, rule.role), 404)
    if account.role > Role.ANYONE:
        return said(connection, refusal(account, rule.role, _named(path)), 403)
    if wants_page(connection):
        query = connection.url.query
        target = quote(path.removeprefix("/") + (f"?{query}" if query else ""))
        # Relative to the page, since the server may be reached below a path.
        return RedirectResponse(f"{_base(connection)}login?next={target}", 303, headers=PRIVATE)
    error = AccessError(
        "This needs an account", remedy="sign in at /login, or send a token: Authorization: Bearer lw_..."
    )
    return said(connection, error, 401)


def _base(connection: HTTPConnection) -> str:
    """The first page, relative to this one, since the server may be reached below a path."""
    path = str(connection.scope["path"]).removeprefix(connection.scope.get("root_path", ""))
    return "../" * (path.count("/") - 1) or "./"


def _named(path: str) -> str:
    return f"The page {path.removeprefix('/').capitalize()}" if path.count("/") == 1 and path != "/" else "This"


def wants_page(connection: HTTPConnection) -> bool:
    return (
        connection.scope["type"] == "http"
        and connection.scope["method"] in ("GET", "HEAD")
        and "text/html" in connection.headers.get("accept", "")
    )


def said(connection: HTTPConnection, error: LayerwiseError, status: int, wait: float = 0.0) -> Response:
    """A refusal as a page for people, or as JSON of the form that the API has."""
    headers = dict(PRIVATE)
    if wait:
        headers["retry-after"] = str(math.ceil(wait))
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if wants_page(connection):
        return HTMLResponse(refusal_page(error, _base(connection)), status, headers=headers)
    return JSONResponse(_as_json(error), status, headers=headers)


def _as_json(error: LayerwiseError) -> dict[str, Any]:
    """As the HTTP API describes errors, and as Gradio's pages do, which show "detail"."""
    parts = {name: getattr(error, name) for name in ("what", "expected", "received", "remedy")}
    return {"error": {"type": type(error).__name__, "message": str(error), **parts}, "detail": str(error)}


def try_again(is_page: bool, target: str, error: LayerwiseError, name: str, status: int, wait: float = 0.0) -> Response:
    headers = {**PRIVATE, **({"retry-after": str(math.ceil(wait))} if wait else {})}
    if is_page:
        return HTMLResponse(sign_in_page(target, str(error), name), status, headers=headers)
    return JSONResponse(_as_json(error), status, headers=headers)


def too_large(limit: int) -> AccessError:
    return AccessError("The request is too large", expected=f"at most {in_bytes(limit)}")


def too_often(wait: float, what: str) -> AccessError:
    seconds = math.ceil(wait)
    return AccessError(what, remedy=f"try again in {seconds} second{'s' * (seconds != 1)}")


async def answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # the server waits for somebody to take note of the connection
        await send({"type": "websocket.close", "code": 1008, "reason": "You may not"})
        return
    await response(scope, receive, send)
