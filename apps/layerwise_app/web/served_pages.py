"""The pages of a server: built from each snapshot of the registry, and swapped while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import logging
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from gradio.routes import App, mount_gradio_app

from layerwise.datasets.uploads import LARGEST_UPLOAD
from layerwise.errors import LayerwiseError
from layerwise.workspace import Workspace
from layerwise_app.web.access.asking import KEY
from layerwise_app.web.app import build, without_configs
from layerwise_app.web.lean import lean_drawing
from layerwise_app.web.site import Site
from layerwise_app.web.swap import Mounted, SwappableApp, new_prefix
from layerwise_app.web.template import adapt_template
from layerwise_app.web.theme import ICON, STYLES, theme

if TYPE_CHECKING:
    from layerwise.registry import Snapshot

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
REFRESH_SECONDS = 30.0


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
