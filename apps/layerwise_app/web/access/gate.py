"""The gate: an ASGI app around the whole server that sees each request first.

It knows who asks (a cookie of a browser, a token of a program), looks up what they may do (`table`), and refuses the
rest: requests that another site's page makes a visitor's browser send, those under a foreign name of this machine
(DNS rebinding), those that come too often, and bodies that are too large. It answers /login, /logout and
/api/v1/account itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerwise.errors import AccessError, DataError, LayerwiseError
from layerwise.quota import Quota
from layerwise_app.accounts import EVERYBODY, STRANGER, Account, AccountFile, Role
from layerwise_app.web.access.asking import CURRENT, KEY
from layerwise_app.web.access.attempts import Attempts, Rates
from layerwise_app.web.access.documents import sign_in_page
from layerwise_app.web.access.headers import with_headers
from layerwise_app.web.access.refusals import (
    PRIVATE,
    RefusedError,
    answer,
    refused,
    said,
    too_large,
    too_often,
    try_again,
)
from layerwise_app.web.access.sessions import LONGEST, Sessions
from layerwise_app.web.access.table import Rule, plain_path, refused_pages, rule_of

logger = logging.getLogger(__name__)

COOKIE = "layerwise-session"
REQUESTS_PER_SECOND, BURST = 200.0, 2000.0
"""Of one account from one address: a class of two hundred that shares an account behind one router is one."""
TRIES_PER_SECOND, TRIES = 5.0, 300.0
"""To sign in, from one address, right or wrong."""
PASSWORDS_AT_ONCE = 2
"""Each that is checked takes 64 MiB and a core for some time."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(kw_only=True)
class Gate:
    """The app around an app.

    Args:
        app: What is behind it.
        accounts: Who may sign in; None lets everybody in and do everything.
        home: Where sessions are kept.
        hosts: The names under which the server is asked, without ports; None for any.
        attempts, rates, tries: See `attempts`.
    """

    app: ASGIApp
    accounts: AccountFile | None = None
    home: Path = field(default_factory=Path)
    hosts: Collection[str] | None = None
    attempts: Attempts = field(default_factory=Attempts)
    rates: Rates = field(default_factory=lambda: Rates(REQUESTS_PER_SECOND, BURST))
    tries: Rates = field(default_factory=lambda: Rates(TRIES_PER_SECOND, TRIES))

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.accounts, self.home / "sessions") if self.accounts is not None else None
        self._passwords: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        send = with_headers(scope, send)
        path = plain_path(str(scope["path"]).removeprefix(scope.get("root_path", "")))
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        rule = rule_of(method, path)
        connection, account = HTTPConnection(scope), STRANGER
        try:
            self._check_origin(connection, method)
            account = self._known(connection)
            self._check_rate(account, rule, _address(connection))
            length = _check_length(connection, rule.limit(account.role))
            if path == "/gradio_api/upload" and length:
                # What Gradio takes it writes to the disk, whatever is left there.
                await asyncio.to_thread(_check_disk, self.home, length)
            if account.role < rule.role:
                response = refused(connection, account, rule, path)
            else:
                response = await self._own_answer(scope, receive, path, account)
        except RefusedError as error:
            response = said(connection, error.error, error.status, error.wait)
        except LayerwiseError as error:
            response = said(connection, error, 503)
        if response is not None:
            await answer(response, scope, receive, send)
            return
        await self._pass_on(scope, receive, send, account, rule)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, account: Account, rule: Rule) -> None:
        token = CURRENT.set(account)
        if scope["type"] == "websocket":
            receive = self._while_signed_in(scope, receive)
        else:
            receive = _limited(receive, rule.limit(account.role))
        try:
            await self.app({**scope, KEY: account}, receive, send)
        finally:
            CURRENT.reset(token)

    def _check_origin(self, connection: HTTPConnection, method: str) -> None:
        """Refuse what is asked under another name than this server's, and what another site's page lets a browser
        change here."""
        host = connection.headers.get("host", "")
        if self.hosts is not None and _without_port(host) not in self.hosts:
            raise RefusedError(
                AccessError(
                    "The server is not known by this name",
                    expected=", ".join(sorted(self.hosts)),
                    received=repr(host[:80]),
                    remedy="layerwise serve --allow-host NAME, or --auth, if it is to be reached by this name",
                ),
                421,
            )
        origin = connection.headers.get("origin")
        is_elsewhere = origin is not None and origin.partition("://")[2] != host
        if method not in ("GET", "HEAD") and (
            is_elsewhere or (origin is None and connection.headers.get("sec-fetch-site") == "cross-site")
        ):
            raise RefusedError(
                AccessError("Another site's page may not do this", received=f"Origin: {origin}"[:120]), 403
            )

    def _known(self, connection: HTTPConnection) -> Account:
        """Who asks."""
        if self.accounts is None or self.sessions is None:
            return EVERYBODY
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            account = self.accounts.of_token(token.strip())
            if account is None:
                raise RefusedError(
                    AccessError("The token is not valid", remedy="make one: layerwise accounts token"), 401
                )
            return account
        cookie = connection.cookies.get(COOKIE)
        return (self.sessions.find(cookie) if cookie else None) or STRANGER

    def _check_rate(self, account: Account, rule: Rule, address: str) -> None:
        if self.accounts is None or rule.role is Role.ANYONE:
            return
        wait = self.rates.wait((account.name, address))
        if wait:
            raise RefusedError(too_often(wait, "These are too many requests"), 429, wait)

    def _while_signed_in(self, scope: Scope, receive: Receive) -> Receive:
        """The messages of a web socket for as long as whoever opened it is signed in."""
        connection = HTTPConnection(scope)

        async def received() -> Message:
            message = await receive()
            try:
                is_in = self._known(connection).role > Role.ANYONE
            except (LayerwiseError, RefusedError):
                is_in = False
            return message if is_in else {"type": "websocket.disconnect", "code": 1008}

        return received

    async def _own_answer(self, scope: Scope, receive: Receive, path: str, account: Account) -> Response | None:
        """What the gate answers itself; None for all else."""
        if scope["type"] != "http" or path not in ("/login", "/logout", "/api/v1/account"):
            return None
        request = Request(scope, receive)
        if path == "/api/v1/account":
            return self._described(account)
        if self.accounts is None:
            return RedirectResponse("./", 303)
        if path == "/logout":
            return self._sign_out(request)
        if request.method == "POST":
            return await self._sign_in(request)
        target = _local(request.query_params.get("next", ""))
        if account.role > Role.ANYONE and not request.query_params.get("again"):
            return RedirectResponse(target, 303)
        return HTMLResponse(sign_in_page(target), headers=PRIVATE)

    def _described(self, account: Account) -> Response:
        content = {
            "name": account.name or None,
            "role": account.role.word,
            "refused": refused_pages(account),
            "has_accounts": self.accounts is not None,
        }
        return JSONResponse(content, headers=PRIVATE)

    async def _sign_in(self, request: Request) -> Response:
        assert self.accounts is not None
        assert self.sessions is not None
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > rule_of("POST", "/login").largest:
                raise RefusedError(too_large(rule_of("POST", "/login").largest), 413)
        fields = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        name, password = fields.get("username", ""), fields.get("password", "")
        target, wants_page = _local(fields.get("next", "")), "text/html" in request.headers.get("accept", "")
        address, key = _address(request), name.strip().casefold()[:64]
        for wait, what in (
            (self.attempts.wait(key, address), "Signing in failed too often"),
            (self.tries.wait(address), "Too many sign in at the same time"),
        ):
            if wait:
                return try_again(wants_page, target, too_often(wait, what), name, 429, wait)
        account = await to_thread.run_sync(self.accounts.check, name, password, limiter=self._at_once())
        if account is None:
            self.attempts.failed(key, address)
            logger.warning("Signing in failed from %s", address)
            error = AccessError("The name or the password is wrong")
            return try_again(wants_page, target, error, name, 401)
        self.attempts.succeeded(key, address)
        cookie = await asyncio.to_thread(self.sessions.begin, account)
        response = RedirectResponse(target, 303) if wants_page else JSONResponse({"success": True})
        response.set_cookie(
            COOKIE, cookie, max_age=int(LONGEST), httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return response

    def _sign_out(self, request: Request) -> Response:
        assert self.sessions is not None
        if cookie := request.cookies.get(COOKIE):
            self.sessions.end(cookie)
        response = RedirectResponse("./login", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response

    def _at_once(self) -> CapacityLimiter:
        if self._passwords is None:  # it belongs to the loop that runs
            self._passwords = CapacityLimiter(PASSWORDS_AT_ONCE)
        return self._passwords


def _limited(receive: Receive, limit: int) -> Receive:
    """The body of a request, counted as it comes: it need not say how long it is."""
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, str(too_large(limit)))  # which every route hands on
        return message

    return received


def _check_length(connection: HTTPConnection, limit: int) -> int:
    """The length that a request says it has, if it may be as long."""
    length = connection.headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal() and len(length) < 20):
        raise RefusedError(AccessError("The length of the request cannot be read", received=repr(length[:40])), 400)
    if int(length) > limit:
        raise RefusedError(too_large(limit), 413)
    return int(length)


def _check_disk(folder: Path, length: int) -> None:
    try:
        Quota(folder, length, "The upload").expect(length)
    except DataError as error:
        raise RefusedError(error, 507) from None


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _without_port(host: str) -> str:
    """The name in a Host header, lower case: "[::1]" of "[::1]:7860"."""
    found = host.strip().lower()
    return found[: found.find("]") + 1] if found.startswith("[") else found.partition(":")[0]


def _local(target: str) -> str:
    """Where to go after signing in: a path of this server below the page, and nothing that leads elsewhere."""
    plain = target.replace("\\", "/").lstrip("./")
    is_safe = plain.isprintable() and ":" not in plain.partition("?")[0]
    return f"./{plain}" if is_safe and not plain.startswith(("login", "logout")) else "./"


def gate_around(
    app: ASGIApp, *, accounts: AccountFile | None, home: Path, is_open: bool, hosts: Collection[str] = ()
) -> Callable[[Scope, Receive, Send], Any]:
    """The gate of a server.

    Args:
        is_open: Whether other machines reach it.
        hosts: Names by which it is asked, beside those of this machine; with accounts, or when it is open, any will do.
    """
    names = {*LOOPBACK, *(_without_port(host) for host in hosts)}
    return Gate(app=app, accounts=accounts, home=home, hosts=None if accounts is not None or is_open else names)
