"""Changing the pages of a running server: the newest app answers, and the former ones go on for those who
opened a page of theirs.

A page of Gradio names the functions that it calls by their position in the app that drew it, so a call must
reach that very app. Each app is therefore given a prefix of its own, which its pages put before every call
(`config.api_prefix`); pages and files are asked for without one, and come from the newest app.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

KEPT_APPS = 3
KEPT_SECONDS = 30 * 60.0
OUT_OF_DATE = "This page is out of date. What to do: reload it."


def new_prefix(number: int) -> str:
    """The prefix of the app of snapshot `number`: not to be met again, also not by another start of the server."""
    return f"/snapshot-{number}-{secrets.token_hex(4)}"


@dataclass
class Mounted:
    """An app with its lifespan, which is entered and left by one task, as its context managers may require."""

    prefix: str
    app: FastAPI
    replaced: float | None = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Enter the app's lifespan.

        Raises:
            Exception: What its start raised.
        """
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(entered), name=f"lifespan {self.prefix}")
        await entered

    async def _live(self, entered: asyncio.Future[None]) -> None:
        try:
            async with self.app.router.lifespan_context(self.app):
                entered.set_result(None)
                await self._closing.wait()
        except Exception as error:
            if entered.done():
                logger.exception("The app %s did not end well", self.prefix)
            else:
                entered.set_exception(error)

    async def close(self) -> None:
        """Leave the app's lifespan."""
        self._closing.set()
        if self._task is not None:
            await self._task


class SwappableApp:
    """The ASGI app that forwards to the current one, or to the one whose prefix the path has.

    Args:
        kept_apps: How many former apps go on answering.
        kept_seconds: For how long they do.
    """

    def __init__(self, *, kept_apps: int = KEPT_APPS, kept_seconds: float = KEPT_SECONDS) -> None:
        self.kept_apps, self.kept_seconds = kept_apps, kept_seconds
        self.current: Mounted | None = None
        self.former: deque[Mounted] = deque()

    @property
    def living(self) -> list[Mounted]:
        """All apps that answer, the newest first."""
        return [*([self.current] if self.current else []), *self.former]

    async def swap(self, mounted: Mounted) -> None:
        """Make `mounted` the current app. When it does not start, everything stays as it is."""
        await mounted.open()
        if self.current is not None:
            self.current.replaced = time.monotonic()
            self.former.appendleft(self.current)
        self.current = mounted
        await self.close_outdated()

    async def close_outdated(self) -> None:
        """Close the former apps that are too many or too old."""
        oldest = time.monotonic() - self.kept_seconds
        while self.former and (len(self.former) > self.kept_apps or (self.former[-1].replaced or 0.0) < oldest):
            await self.former.pop().close()

    async def close(self) -> None:
        """Close all apps."""
        for mounted in self.living:
            with contextlib.suppress(asyncio.CancelledError):
                await mounted.close()
        self.current = None
        self.former.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request."""
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        prefix = f"/{path.split('/', 2)[1]}" if path.startswith("/snapshot-") else ""
        app = self._find(prefix)
        if app is None:
            await JSONResponse({"detail": OUT_OF_DATE, "error": OUT_OF_DATE}, status_code=410)(scope, receive, send)
            return
        await app({**scope, "root_path": root + prefix, "app": app}, receive, send)

    def _find(self, prefix: str) -> FastAPI | None:
        if not prefix:
            return self.current.app if self.current else None
        return next((mounted.app for mounted in self.living if mounted.prefix == prefix), None)
