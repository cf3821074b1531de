"""The server: one ASGI app with the HTTP API, and the pages of the newest snapshot mounted in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from layerwise import __version__, logs
from layerwise.errors import AccessError
from layerwise.temporary import temporary_folder
from layerwise.workers.memory import trim
from layerwise.workspace import Workspace, open_workspace
from layerwise_app.accounts import AccountFile
from layerwise_app.web.access.gate import gate_around
from layerwise_app.web.api import make_api
from layerwise_app.web.arena_socket import make_arena
from layerwise_app.web.health import make_health
from layerwise_app.web.languages import make_languages
from layerwise_app.web.listening import has_screen, is_loopback, listen, reachable, warning_of
from layerwise_app.web.mcp_tools import make_tools
from layerwise_app.web.metrics import Metrics
from layerwise_app.web.observed import Observed
from layerwise_app.web.openapi import DESCRIPTION, add_openapi
from layerwise_app.web.operation import Operation
from layerwise_app.web.served_pages import Pages

TRIM_SECONDS = 30.0
"""After so long the memory that requests have left behind is given back: it lies in pieces, and grows for hours."""
GRACE_SECONDS = 20.0
"""How long requests have to finish when the server ends."""
CLEAN_UP_SECONDS = 10.0
"""How long the rest may take then."""
KEPT_OPEN_SECONDS = 75
"""How long a connection is kept open for another request: longer than proxies (nginx: 60 s) and clients (httpx: 5 s)
keep theirs, so that it is they who close it. Where the server does, a request that is under way just then is lost."""
LARGEST_MESSAGE = 2**16
"""Bytes of a message to a web socket, which says what a player does."""


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = True,
    home: Path | str | None = None,
    *,
    accounts: AccountFile | None = None,
    hosts: Sequence[str] = (),
    log_format: str | None = None,
    grace: float = GRACE_SECONDS,
    drain: float = 0.0,
    mcp: bool = False,
) -> None:
    """Serve the web app until it is interrupted or gets a SIGTERM.

    Args:
        host: The address to listen on; "0.0.0.0" lets other machines in.
        port: 0 takes any free one.
        open_browser: Whether the page is opened in the user's browser.
        home: The folder of the runs and settings; None is the user's own.
        accounts: Who may sign in; None lets everybody in who reaches the server.
        hosts: Names by which a proxy's visitors ask for it, beside those of this machine.
        log_format: "text" or "json" (`layerwise.logs`); None is what the environment asks for.
        grace: How many seconds requests have to finish when the server ends.
        drain: For how many seconds it still takes requests after a SIGTERM, while it says that it is not ready, so that
            a proxy has time to see it.
        mcp: Whether models are tools of an MCP server too, at /mcp.

    Raises:
        LayerwiseError: The port is taken, the address is none of this machine, the accounts cannot be read, or a
            package that is needed is missing.
    """
    logs.configure(log_format)
    if accounts is not None and not accounts.names():
        raise AccessError("There is no account yet", remedy="layerwise accounts add NAME --role admin")
    listening = listen(host, port)
    address = f"http://{reachable(host)}:{listening.getsockname()[1]}"
    with open_workspace(home) as workspace, temporary_folder(workspace.uploads.folder) as temporary:
        # On the disk of the uploads and not in the system's folder, which may be in memory.
        os.environ["GRADIO_TEMP_DIR"] = str(temporary)
        pages = Pages(workspace, address, has_accounts=accounts is not None)

        def ready() -> None:
            if logs.log_format() == "json":
                logging.getLogger(logs.ACCESS).info("ready", extra={"fields": {"address": address}})
            else:
                print(f"Layerwise is at {address}", flush=True)
            if warning := warning_of(host, accounts):
                print(warning, file=sys.stderr, flush=True)
            if open_browser and has_screen():
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        inner = make_app(pages, workspace, mcp=mcp)
        app = gate_around(inner, accounts=accounts, home=workspace.home, is_open=not is_loopback(host), hosts=hosts)
        config = uvicorn.Config(
            Observed(app, inner.state.metrics),
            log_config=None,
            log_level="warning",
            timeout_keep_alive=KEPT_OPEN_SECONDS,
            timeout_graceful_shutdown=math.ceil(grace),
            access_log=False,
            ws_max_size=LARGEST_MESSAGE,
        )
        Server(config, pages, inner.state.operation, drain, ready).run(sockets=[listening])


async def trim_memory() -> None:
    """Go on giving memory back that is not used."""
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim)


def make_app(pages: Pages, workspace: Workspace, *, mcp: bool = False) -> FastAPI:
    """The whole app: the HTTP API, and the pages below everything else. Its `state` has `operation` and `metrics`.

    Raises:
        MissingDependencyError: The package for an MCP server is not there.
    """
    operation = Operation(workspace, lambda: pages.number)
    metrics = Metrics(operation)
    tools = make_tools(operation) if mcp else None

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if tools is not None:
                await stack.enter_async_context(tools.running())
            await pages.update()
            tasks = [asyncio.create_task(work) for work in (pages.watch(), trim_memory())]
            yield
            for task in tasks:
                task.cancel()
            await pages.mount.close()

    # Swagger's page would load its scripts from elsewhere; the schema is there for any tool.
    app = FastAPI(title="Layerwise", version=__version__, description=DESCRIPTION, lifespan=lifespan, openapi_url=None)
    add_openapi(app, workspace)
    app.state.operation, app.state.metrics = operation, metrics
    app.include_router(make_health(operation, metrics))
    app.include_router(make_api(operation))
    app.include_router(make_arena(workspace))
    app.include_router(make_languages(workspace))
    if tools is not None:
        app.router.routes.append(tools.route)
    app.mount("/", pages.mount)
    return app


class Server(uvicorn.Server):
    """A server that ends in good order: first it says that it is not ready, then takes no more connections, then waits
    for the requests that it has. Trainings are processes of their own and go on.

    Args:
        config: Its `timeout_graceful_shutdown` is how long it waits for requests.
        pages: What it shows.
        operation: What is told that it ends.
        drain: For how many seconds it takes connections after a SIGTERM.
        ready: Called once it takes connections.
    """

    def __init__(
        self, config: uvicorn.Config, pages: Pages, operation: Operation, drain: float, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.pages, self.operation, self.drain, self.ready = pages, operation, drain, ready
        self._ends: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin: the app first, then its socket."""
        await super().startup(sockets)
        if self.started:
            self.ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end. The second one does not wait for anything."""
        if self.operation.is_closing:
            self.should_exit = self.force_exit = True
            return
        self.operation.is_closing = True
        self._ends = time.monotonic() + (self.drain if sig == signal.SIGTERM else 0.0)

    async def on_tick(self, counter: int) -> bool:
        """Called every tenth of a second; whether to end."""
        if self._ends is not None and time.monotonic() >= self._ends:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: see the class."""
        self.operation.is_closing = True
        limit = (self.config.timeout_graceful_shutdown or 0) + CLEAN_UP_SECONDS
        # A thread in which a model hangs cannot be ended, and would keep the process for ever.
        hanging = threading.Timer(limit, os._exit, args=(1,))
        hanging.daemon = True
        hanging.start()
        self.pages.end_streams()
        await super().shutdown(sockets)
