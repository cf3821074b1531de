"""The server: one ASGI app with the HTTP API, and the pages of the newest snapshot mounted in it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import ipaddress
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
import warnings
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI, Request
from gradio.routes import App, mount_gradio_app

from layerwise import __version__, logs
from layerwise.datasets.uploads import LARGEST_UPLOAD
from layerwise.errors import AccessError, LayerwiseError
from layerwise.temporary import temporary_folder
from layerwise.workers.memory import trim
from layerwise.workspace import Workspace, open_workspace
from layerwise_app.accounts import AccountFile
from layerwise_app.web.access.asking import KEY
from layerwise_app.web.access.gate import gate_around
from layerwise_app.web.api import make_api
from layerwise_app.web.app import build, without_configs
from layerwise_app.web.arena_socket import make_arena
from layerwise_app.web.health import make_health
from layerwise_app.web.languages import make_languages
from layerwise_app.web.lean import lean_drawing
from layerwise_app.web.mcp_tools import make_tools
from layerwise_app.web.metrics import Metrics
from layerwise_app.web.observed import Observed
from layerwise_app.web.openapi import DESCRIPTION, add_openapi
from layerwise_app.web.operation import Operation
from layerwise_app.web.site import Site
from layerwise_app.web.swap import Mounted, SwappableApp, new_prefix
from layerwise_app.web.template import adapt_template
from layerwise_app.web.theme import ICON, STYLES, theme

if TYPE_CHECKING:
    from layerwise.registry import Snapshot

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
TRIM_SECONDS = 30.0
"""After so long the memory that requests have left behind is given back: it lies in pieces, and grows for hours."""
REFRESH_SECONDS = 30.0
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
    listening = _listen(host, port)
    address = f"http://{_reachable(host)}:{listening.getsockname()[1]}"
    with open_workspace(home) as workspace, temporary_folder(workspace.uploads.folder) as temporary:
        # On the disk of the uploads and not in the system's folder, which may be in memory.
        os.environ["GRADIO_TEMP_DIR"] = str(temporary)
        pages = Pages(workspace, address, has_accounts=accounts is not None)

        def ready() -> None:
            if logs.log_format() == "json":
                logging.getLogger(logs.ACCESS).info("ready", extra={"fields": {"address": address}})
            else:
                print(f"Layerwise is at {address}", flush=True)
            if warning := _warning(host, accounts):
                print(warning, file=sys.stderr, flush=True)
            if open_browser and _has_screen():
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


class Pages:
    """The pages of a server: built from each snapshot of the registry, and swapped while it runs.

    Args:
        workspace: What is shown.
        address: Where the server is reached.
        has_accounts: Whether visitors sign in.
    """

    def __init__(self, workspace: Workspace, address: str, *, has_accounts: bool = False) -> None:
        self.workspace, self.address, self.has_accounts = workspace, address, has_accounts
        self.mount = SwappableApp()
        self._number: int | None = None
        self._shown: Any = None
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def number(self) -> int | None:
        """The number of the snapshot that is shown."""
        return self._number

    async def update(self) -> None:
        """Show the newest snapshot, if it is not shown yet."""
        self._loop = asyncio.get_running_loop()
        async with self._lock:
            snapshot = await asyncio.to_thread(self.workspace.registry.check)
            if snapshot.number == self._number:
                await self.mount.close_outdated()
                return
            self._number = snapshot.number
            drawn = await asyncio.to_thread(drawn_from, self.workspace, snapshot)
            if drawn == self._shown:
                return  # another version was promoted, which the pages read anyway when they are opened
            # Before the attempt: pages that cannot be built are not built again every second.
            self._shown = drawn
            prefix = new_prefix(snapshot.number)
            site = Site(
                workspace=self.workspace,
                snapshot=snapshot,
                address=self.address,
                refresh=self.refresh,
                has_accounts=self.has_accounts,
            )
            app = await asyncio.to_thread(mounted_app, site, prefix)
            await self.mount.swap(Mounted(prefix, app))

    def refresh(self) -> None:
        """`update` for events, which run in other threads than the server's."""
        if self._loop is not None:
            # In an empty context: in that of an event, Gradio would take the new pages for a part of the event's own.
            begin = functools.partial(asyncio.run_coroutine_threadsafe, self.update(), self._loop)
            contextvars.Context().run(begin).result(REFRESH_SECONDS)

    async def watch(self) -> None:
        """Go on looking for changes, whoever makes them: a page, the command line, another process."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.update()
            except Exception:
                logger.exception("The pages could not be brought up to date; the former ones go on")

    def end_streams(self) -> None:
        """Let go of the connections that every open page holds, which would delay the end of the server."""
        for mounted in self.mount.living:
            for route in mounted.app.routes:
                inner = getattr(route, "app", None)
                if isinstance(inner, App) and inner.stop_event is not None:
                    inner.stop_event.set()


async def trim_memory() -> None:
    """Go on giving memory back that is not used."""
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim)


def drawn_from(workspace: Workspace, snapshot: Snapshot) -> Any:
    """All that pages are drawn from, for comparing: what is registered, and the tasks of the versions in use, whose
    labels and columns may be those of the user's own data."""
    tasks = []
    for spec in snapshot.models.values():
        for variant in spec.variants:
            with contextlib.suppress(LayerwiseError):
                tasks.append(workspace.versions.current(spec, variant.name).task)
    return replace(snapshot, number=0), tasks


@lean_drawing()
def mounted_app(site: Site, prefix: str) -> FastAPI:
    """The app of the pages of `site`, which expects the calls of its pages below `prefix`."""
    blocks = build(site)
    adapt_template()
    with warnings.catch_warnings(), without_configs():
        # It warns of several pages with server-side rendering even where that is off.
        warnings.filterwarnings("ignore", message="SSR mode")
        app = mount_gradio_app(
            FastAPI(openapi_url=None),
            blocks,
            path="/",
            theme=theme(),
            css="\n".join(path.read_text(encoding="utf-8") for path in STYLES),
            favicon_path=str(ICON),
            footer_links=[],
            run_history=False,
            show_error=False,
            ssr_mode=False,
            mcp_server=False,
            max_file_size=LARGEST_UPLOAD,
            auth_dependency=_signed_in if site.has_accounts else None,
        )
    blocks.app = next(inner for route in app.routes if isinstance(inner := getattr(route, "app", None), App))
    blocks.config = blocks.get_config_file()
    # See layerwise_app.web.swap: the pages of this app call this app.
    blocks.config["api_prefix"] = prefix + str(blocks.config["api_prefix"])
    return app


def _signed_in(request: Request) -> str | None:
    """The name of who asks, as Gradio hands it to events; the gate let them in."""
    account = request.scope.get(KEY)
    return account.name if account is not None else None


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


def _listen(host: str, port: int) -> socket.socket:
    """A socket with that port, before anything slow is done: a taken one is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sends at once (TCP_NODELAY); otherwise each answer waits 40 ms for the client's
    # delayed acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise LayerwiseError(
            f"Cannot listen on {host}:{port}",
            received=str(error),
            remedy="choose another one: layerwise serve --port 7861",
        ) from None
    return listening


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _warning(host: str, accounts: AccountFile | None) -> str:
    """What whoever starts a server that others reach has to know."""
    if is_loopback(host):
        return ""
    if accounts is None:
        return (
            "Everybody who reaches this machine may use, train and change everything here. What to do: layerwise "
            "accounts add NAME --role admin, then layerwise serve --auth with the file that it names."
        )
    return (
        "Passwords travel readable for others in this network. What to do: put a proxy with TLS before this server "
        "(docs/security.md), and let it listen on 127.0.0.1."
    )


def _has_screen() -> bool:
    """Whether a browser has somewhere to appear. On a server without a screen Python would open a browser for text in
    this very terminal."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
    return sys.platform != "linux" or any(os.environ.get(name) for name in names)


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # nosec B104 (nothing is bound here)
        return "localhost"
    return f"[{host}]" if ":" in host else host
