"""The server: one ASGI app with the HTTP API, and the pages of the newest snapshot mounted in it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import logging
import os
import socket
import sys
import threading
import warnings
import webbrowser
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI
from gradio.routes import App, mount_gradio_app

from layerwise.errors import LayerwiseError
from layerwise.temporary import temporary_folder
from layerwise.uploads import LARGEST_UPLOAD
from layerwise.workspace import Workspace, open_workspace
from layerwise_app.web.api import make_api
from layerwise_app.web.app import build
from layerwise_app.web.arena_socket import make_arena
from layerwise_app.web.site import Site
from layerwise_app.web.swap import Mounted, SwappableApp, new_prefix
from layerwise_app.web.theme import ICON, STYLES, theme

if TYPE_CHECKING:
    from layerwise.registry import Snapshot

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
REFRESH_SECONDS = 30.0


def serve(host: str = "127.0.0.1", port: int = 7860, open_browser: bool = True, home: Path | str | None = None) -> None:
    """Serve the web app until it is interrupted.

    Args:
        host: The address to listen on; "0.0.0.0" lets other machines in.
        port: 0 takes any free one.
        open_browser: Whether the page is opened in the user's browser.
        home: The folder of the runs and settings; None is the user's own.

    Raises:
        LayerwiseError: The port is taken, or the address is none of this machine.
    """
    listening = _listen(host, port)
    address = f"http://{_reachable(host)}:{listening.getsockname()[1]}"
    with open_workspace(home) as workspace, temporary_folder(workspace.uploads.folder) as temporary:
        # On the disk of the uploads and not in the system's folder, which may be in memory.
        os.environ["GRADIO_TEMP_DIR"] = str(temporary)
        pages = Pages(workspace, address)

        def ready() -> None:
            print(f"Layerwise is at {address}", flush=True)
            if open_browser and _has_screen():
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        app = make_app(pages, workspace, ready)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3, access_log=False)
        _Server(config, pages).run(sockets=[listening])


class Pages:
    """The pages of a server: built from each snapshot of the registry, and swapped while it runs.

    Args:
        workspace: What is shown.
        address: Where the server is reached.
    """

    def __init__(self, workspace: Workspace, address: str) -> None:
        self.workspace, self.address = workspace, address
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
            site = Site(workspace=self.workspace, snapshot=snapshot, address=self.address, refresh=self.refresh)
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


def drawn_from(workspace: Workspace, snapshot: Snapshot) -> Any:
    """All that pages are drawn from, for comparing: what is registered, and the tasks of the versions in use, whose
    labels and columns may be those of the user's own data."""
    tasks = []
    for spec in snapshot.models.values():
        for variant in spec.variants:
            with contextlib.suppress(LayerwiseError):
                tasks.append(workspace.versions.current(spec, variant.name).task)
    return replace(snapshot, number=0), tasks


def mounted_app(site: Site, prefix: str) -> FastAPI:
    """The app of the pages of `site`, which expects the calls of its pages below `prefix`."""
    blocks = build(site)
    with warnings.catch_warnings():
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
            max_file_size=LARGEST_UPLOAD,
        )
    # See layerwise_app.web.swap: the pages of this app call this app.
    blocks.config["api_prefix"] = prefix + str(blocks.config["api_prefix"])
    return app


def make_app(pages: Pages, workspace: Workspace, ready: Callable[[], None] = lambda: None) -> FastAPI:
    """The whole app: the HTTP API, and the pages below everything else."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await pages.update()
        watching = asyncio.create_task(pages.watch())
        ready()
        yield
        watching.cancel()
        await pages.mount.close()

    # Swagger's page would load its scripts from elsewhere; the schema is there for any tool.
    app = FastAPI(
        title="Layerwise", lifespan=lifespan, openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None
    )
    app.include_router(make_api(workspace, lambda: pages.number))
    app.include_router(make_arena(workspace))
    app.mount("/", pages.mount)
    return app


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, pages: Pages) -> None:
        super().__init__(config)
        self.pages = pages

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.pages.end_streams()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens, before anything slow is done: a taken port is said at once."""
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


def _has_screen() -> bool:
    """Whether a browser has somewhere to appear. On a server without a screen Python would open a browser for text in
    this very terminal."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
    return sys.platform != "linux" or any(os.environ.get(name) for name in names)


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return "localhost"
    return f"[{host}]" if ":" in host else host
