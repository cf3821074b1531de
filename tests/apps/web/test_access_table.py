"""Which role may what: requests, and the events of pages, however a hostile visitor calls them."""

import json
from pathlib import Path

import pytest
from access_samples import HTML

from layerwise_app.accounts import Role
from layerwise_app.web import chat
from layerwise_app.web.access.events import CheckedBlocks
from layerwise_app.web.access.table import EVENTS, RULES, role_of_event, rule_of


def event(client, function, data, session="a-session"):
    """Call the function of an event as a page does. Returns what Gradio says at its end."""
    join = {"fn_index": function, "data": data, "session_hash": session}
    joined = client.post("/gradio_api/queue/join", json=join)
    assert joined.status_code == 200, joined.text
    text = client.get("/gradio_api/queue/data", params={"session_hash": session}).text
    said = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    return next(message for message in said if message["msg"] == "process_completed")


def functions(pages):
    """The functions of all events: their number by what the table calls them."""
    apps = [route.app for route in pages.mount.current.app.routes if hasattr(route, "app")]
    blocks = next(app.get_blocks() for app in apps if hasattr(app, "get_blocks"))
    assert isinstance(blocks, CheckedBlocks)
    found = {}
    for number, item in blocks.fns.items():
        found.setdefault(f"{getattr(item.fn, '__module__', '')}:{getattr(item.fn, '__qualname__', '')}", number)
    return found, blocks


REQUESTS = [
    # method, path, the least role that may
    ("GET", "/", "viewer"),
    ("GET", "/demo", "viewer"),
    ("GET", "/models", "viewer"),
    ("GET", "/train", "editor"),
    ("GET", "/train/", "editor"),
    ("GET", "//train", "editor"),
    ("GET", "/snapshot-9-abc/train", "editor"),
    ("GET", "/tune", "editor"),
    ("GET", "/compare", "editor"),
    ("GET", "/plugins", "admin"),
    ("GET", "/api/v1/models/demo/echo", "viewer"),
    ("GET", "/api/v1/runs", "viewer"),
    ("GET", "/api/v1/data", "editor"),
    ("GET", "/api/v1/data/x/report", "editor"),
    ("PUT", "/api/v1/data/x.csv", "editor"),
    ("DELETE", "/api/v1/data/x", "editor"),
    ("POST", "/api/v1/predict/demo/echo", "viewer"),
    ("POST", "/api/v1/runs", "editor"),
    ("POST", "/api/v1/runs/x/promote", "editor"),
    ("DELETE", "/api/v1/runs/x", "editor"),
    ("POST", "/api/v1/studies", "editor"),
    ("POST", "/api/v1/models/demo/echo/export", "editor"),
    ("POST", "/api/v1/models/demo/echo/rollback", "editor"),
    ("POST", "/api/v1/plugins/x", "admin"),
    ("WEBSOCKET", "/api/v1/play/demo/echo", "viewer"),
    ("POST", "/gradio_api/queue/join", "viewer"),
    ("POST", "/gradio_api/upload", "viewer"),
    ("GET", "/gradio_api/file=/tmp/x.png", "viewer"),
    ("GET", "/gradio_api/file=http://169.254.169.254/", "nobody"),
    ("GET", "/gradio_api/file=FTP://somewhere/", "nobody"),
    ("GET", "/gradio_api/proxy=https://example.org", "nobody"),
    ("GET", "/gradio_api/dev/reload", "nobody"),
    ("GET", "/gradio_api/deep_link", "nobody"),
    ("GET", "/gradio_api/token", "nobody"),
    ("POST", "/gradio_api/process_recording", "nobody"),
    ("GET", "/monitoring/summary", "nobody"),
    ("TRACE", "/", "admin"),
    ("POST", "/something", "admin"),
]


@pytest.mark.parametrize(("method", "path", "least"), REQUESTS)
def test_the_table(method, path, least):
    assert rule_of(method, path).role.word == least


ASKING = ("/api/v1/predict/", "/api/v1/stream/", "/api/v1/beside")


def test_every_route_of_the_api_has_a_row(guarded):
    """The rows `GET /api/v1/*` and `* /api/v1/*` are the least that a route which somebody adds gets."""
    schema = guarded[0].app.openapi()["paths"]
    assert len(schema) > 15
    for path, methods in schema.items():
        for method in methods:
            assert rule_of(method.upper(), path) in RULES, (method, path)
            if method != "get" and not path.startswith(ASKING):
                assert rule_of(method.upper(), path).role >= Role.EDITOR, (method, path)


def test_refusals_say_who_may(visit):
    vera = visit("vera")
    page = vera.get("/train", headers=HTML)
    assert page.status_code == 403
    for text in ("The page Train is for the role editor", "You are signed in as vera, viewer."):
        assert text in page.text
    answer = vera.post("/api/v1/runs", json={"model": "demo/echo"})
    assert answer.status_code == 403
    assert answer.json()["error"]["what"] == "This is for the role editor"
    assert visit("emil").get("/train", headers=HTML).status_code == 200
    assert visit("emil").get("/plugins", headers=HTML).status_code == 403
    assert visit("anna").get("/plugins", headers=HTML).status_code == 200


def test_every_event_of_the_table_is_one_of_a_page(guarded):
    found, _ = functions(guarded[1])
    missing = {name for _, name in EVENTS} - found.keys()
    # No model of conversation is among those of the test.
    assert missing <= {"layerwise_app.web.chat:_wire.<locals>.fetched"}
    assert "def fetched(" in Path(chat.__file__).read_text(encoding="utf-8")
    assert role_of_event("layerwise_app.web.demo:Demo.fetched", "demo") is Role.EDITOR
    assert role_of_event("layerwise_app.web.demo:Demo.fetched", "plugins") is Role.ADMIN
    assert role_of_event("layerwise_app.web.pages.train:_Setup.draw_form.<locals>.begin", "") is Role.EDITOR
    assert role_of_event("anything", "demo") is Role.VIEWER


@pytest.mark.parametrize(
    ("function", "data", "least"),
    [
        ("layerwise_app.web.pages.models:_Page.roll_back", ["demo/echo:default"], "editor"),
        ("layerwise_app.web.pages.train:_Setup.open", [""], "editor"),
        ("layerwise_app.web.pages.plugins:draw.<locals>.<lambda>", [], "admin"),
    ],
)
def test_an_event_is_refused_however_it_is_called(visit, guarded, function, data, least):
    number = functions(guarded[1])[0][function]
    for name in ("vera", "emil"):
        ended = event(visit(name), number, data, session=f"{name}-{number}")
        error = str(ended["output"].get("error"))
        is_refused = f"is for the role {least}" in error
        assert is_refused == (name == "vera" or least == "admin"), error


def test_what_is_drawn_later_has_the_role_of_its_page(guarded):
    _, blocks = functions(guarded[1])
    drawing = [item for item in blocks.fns.values() if getattr(item.fn, "__qualname__", "") == "Renderable.apply"]
    assert {item.page for item in drawing} == {"train"}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "http://169.254.169.254/latest", "file:///etc/passwd", "../../../../etc/passwd", "\0"]
)
@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_an_event_takes_no_file_that_nobody_uploaded(visit, guarded, png, tmp_path, path, meta):
    """Gradio takes the path of a picture without "meta" for one that it has checked."""
    if path == "/etc/passwd":
        hidden = tmp_path / "hidden.png"
        hidden.write_bytes(png(200))
        path = str(hidden)
    client = visit("vera")
    _, blocks = functions(guarded[1])
    number = next(
        number
        for number, item in blocks.fns.items()
        if getattr(item.fn, "__qualname__", "") == "Demo.answer"
        and any(block.get_block_name() == "image" for block in item.inputs)
    )
    data = [
        {"path": path, **meta} if block.get_block_name() == "image" else getattr(block, "value", None)
        for block in blocks.fns[number].inputs
    ]
    ended = event(client, number, data, session=f"file-{abs(hash((path, str(meta))))}")
    assert not ended["success"]
    assert "This file was not uploaded here" in ended["output"]["error"]
    assert "bright" not in json.dumps(ended)


def test_inputs_nested_deep_are_refused(visit, guarded):
    number = functions(guarded[1])[0]["layerwise_app.web.pages.home:draw.<locals>.<lambda>"]
    deep = "x"
    for _ in range(100):
        deep = [deep]
    assert "nested too deep" in event(visit("vera"), number, [deep], session="deep")["output"]["error"]


def test_editors_name_uploads_and_only_admins_paths_and_clusters(visit, tmp_path, workspace):
    emil, anna = visit("emil"), visit("anna")
    (tmp_path / "secret").mkdir()
    body = {"model": "vision/fashion", "data": str(tmp_path / "secret")}
    refused = emil.post("/api/v1/runs", json=body)
    assert refused.status_code == 403
    assert "to name a path of the server is for the role admin" in refused.json()["error"]["message"]
    assert emil.post("/api/v1/studies", json=body).status_code == 403
    assert anna.post("/api/v1/runs", json=body).status_code != 403
    cluster = {"model": "vision/fashion", "cluster": "ray://evil.example:10001"}
    assert emil.post("/api/v1/runs", json=cluster).json()["error"]["what"] == "To name a cluster is for the role admin"
    table = tmp_path / "own.csv"
    table.write_text("a,b\n1,2\n")
    upload = workspace.uploads.add([table])
    answer = emil.post("/api/v1/runs", json={"model": "demo/echo", "data": upload.id})
    assert answer.status_code != 403, answer.text


def test_a_run_says_whose_it_is(visit, workspace, monkeypatch):
    monkeypatch.setattr("layerwise.jobs.launch", lambda run: None)
    answer = visit("emil").post("/api/v1/runs", json={"model": "vision/fashion"})
    assert answer.status_code == 201, answer.text
    run = workspace.runs.get(answer.json()["id"])
    try:
        assert answer.json()["by"] == run.by == "emil"
    finally:
        run.append("stopped", reason="")
        workspace.runs.delete(run.id)
