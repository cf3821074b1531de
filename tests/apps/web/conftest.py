"""The web app with the demo plugin beside it, in this process."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from access_samples import PASSWORD
from served import running

from layerwise.errors import LayerwiseError
from layerwise.workspace import Workspace, open_workspace
from layerwise_app.accounts import AccountFile, Role

PLUGIN = Path(__file__).with_name("sample_plugin")


@pytest.fixture(scope="module")
def demo_plugin() -> Iterator[None]:
    """The demo plugin, installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGIN))
        yield


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, demo_plugin: None) -> Iterator[Workspace]:
    """A workspace that sees the demo plugin, shared by the tests of a module."""
    with open_workspace(tmp_path_factory.mktemp("web")) as opened:
        opened.registry.snapshot()
        yield opened


@pytest.fixture
def site(workspace: Workspace) -> Any:
    """What pages are drawn from."""
    from layerwise_app.web.site import Site

    return Site(
        workspace=workspace,
        snapshot=workspace.registry.snapshot(),
        address="http://127.0.0.1:7860",
        refresh=lambda: None,
    )


@pytest.fixture(scope="module")
def client(workspace: Workspace) -> Iterator[Any]:
    """A client of the running app."""
    from fastapi.testclient import TestClient

    from layerwise_app.web.served_pages import Pages
    from layerwise_app.web.server import make_app

    pages = Pages(workspace, "http://testserver")
    with TestClient(make_app(pages, workspace), raise_server_exceptions=False) as opened:
        opened.pages = pages
        yield opened


@pytest.fixture(scope="module")
def api(workspace: Workspace) -> Any:
    """The app without its pages, which take the time."""
    from fastapi import FastAPI

    from layerwise_app.web.api import make_api
    from layerwise_app.web.openapi import add_openapi
    from layerwise_app.web.operation import Operation

    app = FastAPI(openapi_url=None)
    add_openapi(app, workspace)
    app.include_router(make_api(Operation(workspace, lambda: 1)))
    return app


@pytest.fixture(scope="module")
def address(api: Any) -> Iterator[str]:
    """The address of the API on this machine."""
    with running(api) as found:
        yield found


@pytest.fixture
def spec(site: Any) -> Callable[[str], Any]:
    """`spec("demo/echo")`: a registered model."""
    return site.snapshot.model


@pytest.fixture
def make_run(workspace: Workspace) -> Iterator[Callable[..., Any]]:
    """`make_run("demo/brightness", ...)`: a run as its process would have left it. Deleted after the test."""
    import numpy as np

    from layerwise import weights

    shared, made = workspace, []

    def make(
        name: str,
        *events: dict[str, Any],
        workspace: Workspace = shared,
        ending: str = "finished",
        threshold: float | None = 0.5,
        **task: Any,
    ):
        found = workspace.registry.snapshot().model(name)
        run = workspace.runs.create(found, None, found.variants[0].config)
        made.append((workspace, run))
        for event in events:
            run.append(**event)
        if threshold is not None:
            record = {
                "name": name,
                "variant": run.variant,
                "task": {**found.task.parameters(), **task},
                "config": {},
                "created": "2026-11-24T20:00:00+00:00",
                "num_parameters": 1234,
                "metrics": {"loss": 0.5, "val_accuracy": 0.875},
            }
            weights.save_arrays({"threshold": np.array(threshold, np.float32)}, run.folder / "version", record)
        if ending:
            run.append(ending, reason="Somebody asked it to stop." if ending == "stopped" else "")
        return run

    yield make
    for owner, run in made:
        if run.folder.exists() and run.is_active:
            run.append("stopped", reason="")
        with contextlib.suppress(LayerwiseError):  # in use, or deleted by the test
            owner.runs.delete(run.id)


@pytest.fixture
def png() -> Callable[[int], bytes]:
    """`png(200)`: a picture of mean brightness 200, not of a single colour."""

    def make(level: int) -> bytes:
        import numpy as np
        from PIL import Image

        array = np.full((16, 16), level, np.uint8)
        array[::2] -= 5
        array[1::2] += 5
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG")
        return buffer.getvalue()

    return make


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> AccountFile:
    """vera tries, emil edits, anna manages."""
    file = AccountFile(tmp_path_factory.mktemp("accounts") / "accounts.json")
    for name, role in (("vera", Role.VIEWER), ("emil", Role.EDITOR), ("anna", Role.ADMIN)):
        file.add(name, PASSWORD, role)
    return file


@pytest.fixture(scope="module")
def guarded(workspace: Workspace, accounts: AccountFile) -> Iterator[Any]:
    """The whole server with accounts."""
    from fastapi.testclient import TestClient

    from layerwise_app.web.served_pages import Pages
    from layerwise_app.web.server import make_app

    pages = Pages(workspace, "http://testserver", has_accounts=True)
    with TestClient(make_app(pages, workspace), raise_server_exceptions=False) as opened:
        yield opened, pages


@pytest.fixture
def visit(guarded: Any, accounts: AccountFile, tmp_path: Path) -> Callable[..., Any]:
    """`visit("vera")`: a browser in which somebody has signed in, None for nobody; all at one new gate."""
    from fastapi.testclient import TestClient

    from layerwise_app.web.access.gate import Gate

    gate = Gate(app=guarded[0].app, accounts=accounts, home=tmp_path)

    def opened(name: str | None = None, **options: Any) -> Any:
        client = TestClient(gate, raise_server_exceptions=False, follow_redirects=False, **options)
        client.portal = guarded[0].portal  # one loop for all, as in a server
        client.gate = gate
        if name is not None:
            assert client.post("/login", data={"username": name, "password": PASSWORD}).json() == {"success": True}
        return client

    return opened
