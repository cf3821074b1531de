"""The gate before the server: who is let in, how, and what is refused to whom."""

import json
import re
import time
from pathlib import Path

import pytest

from layerwise_app.accounts import AccountFile, Role
from layerwise_app.web import chat
from layerwise_app.web.access.attempts import Attempts, Rates
from layerwise_app.web.access.events import CheckedBlocks
from layerwise_app.web.access.gate import COOKIE, Gate
from layerwise_app.web.access.table import EVENTS, PAGES, RULES, role_of_event, rule_of

PASSWORD = "correct horse"
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    """vera tries, emil edits, anna manages."""
    file = AccountFile(tmp_path_factory.mktemp("accounts") / "accounts.json")
    for name, role in (("vera", Role.VIEWER), ("emil", Role.EDITOR), ("anna", Role.ADMIN)):
        file.add(name, PASSWORD, role)
    return file


@pytest.fixture(scope="module")
def guarded(workspace, accounts):
    """The whole server with accounts."""
    from fastapi.testclient import TestClient

    from layerwise_app.web.served_pages import Pages
    from layerwise_app.web.server import make_app

    pages = Pages(workspace, "http://testserver", has_accounts=True)
    with TestClient(make_app(pages, workspace), raise_server_exceptions=False) as opened:
        yield opened, pages


@pytest.fixture
def visit(guarded, accounts, tmp_path):
    """`visit("vera")`: a browser in which somebody has signed in, None for nobody; all at one new gate."""
    from fastapi.testclient import TestClient

    gate = Gate(app=guarded[0].app, accounts=accounts, home=tmp_path)

    def opened(name=None, **options):
        client = TestClient(gate, raise_server_exceptions=False, follow_redirects=False, **options)
        client.portal = guarded[0].portal  # one loop for all, as in a server
        client.gate = gate
        if name is not None:
            assert client.post("/login", data={"username": name, "password": PASSWORD}).json() == {"success": True}
        return client

    return opened


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


def test_a_stranger_is_led_to_the_sign_in_and_a_program_is_told_so(visit):
    stranger = visit()
    page = stranger.get("/models?model=demo/echo", headers=HTML)
    assert (page.status_code, page.headers["location"]) == (303, "./login?next=models%3Fmodel%3Ddemo/echo")
    assert stranger.get("/deep/er", headers=HTML).headers["location"] == "../login?next=deep/er"
    asked = stranger.post("/api/v1/predict/demo/echo", json={"inputs": {"text": "a"}})
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer" in asked.json()["error"]["remedy"]
    for path in (
        "/config",
        "/gradio_api/info",
        "/theme.css",
        "/gradio_api/queue/data?session_hash=x",
        "/api/v1/models",
        "/metrics",
        "/mcp",
    ):
        assert stranger.get(path).status_code == 401, path
    for path in ("/api/v1/health", "/healthz", "/readyz", "/login", "/favicon.ico", "/api/v1/account"):
        assert stranger.get(path).status_code == 200, path


def test_a_web_socket_is_closed_before_it_is_opened(visit):
    from starlette.websockets import WebSocketDisconnect

    for client, headers in ((visit(), {}), (visit("vera"), {"origin": "http://evil.example"})):
        path = "/api/v1/play/demo/echo"
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(path, headers=headers):
            pass
        assert closed.value.code == 1008


def test_signing_in_and_out(visit):
    client = visit()
    form = client.get("/login?next=models", headers=HTML)
    assert 'name="next" value="./models"' in form.text
    wrong = client.post("/login", data={"username": "vera", "password": "x" * 9}, headers=HTML)
    assert wrong.status_code == 401
    assert "The name or the password is wrong" in wrong.text
    nobody = client.post("/login", data={"username": "<b>x", "password": "x"}, headers=HTML)
    assert "The name or the password is wrong" in nobody.text
    assert "<b>x" not in nobody.text
    right = client.post("/login", data={"username": " Vera", "password": PASSWORD, "next": "./models"}, headers=HTML)
    assert (right.status_code, right.headers["location"]) == (303, "./models")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # this is no https
    assert client.get("/api/v1/account").json() == {
        "name": "vera",
        "role": "viewer",
        "refused": list(PAGES),
        "has_accounts": True,
    }
    assert client.get("/models", headers=HTML).status_code == 200
    stolen = client.cookies[COOKIE]
    assert client.post("/logout").status_code == 303
    client.cookies.set(COOKIE, stolen)
    assert client.get("/api/v1/models").status_code == 401


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "login", "[", "\n"]
)
def test_signing_in_leads_to_no_other_place(visit, target):
    answer = visit().post("/login", data={"username": "vera", "password": PASSWORD, "next": target}, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] in ("./", "./evil.example", "./[")


def test_a_cookie_is_secure_where_the_connection_is(visit):
    answer = visit(base_url="https://testserver").post("/login", data={"username": "vera", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


def test_sessions_outlive_the_server_and_end_with_the_password(guarded, accounts, visit):
    from fastapi.testclient import TestClient

    accounts.add("otto", PASSWORD, Role.VIEWER)
    first = visit("otto")
    again = TestClient(Gate(app=guarded[0].app, accounts=AccountFile(accounts.path), home=first.gate.home))
    again.cookies.set(COOKIE, first.cookies[COOKIE])
    assert again.get("/api/v1/account").json()["name"] == "otto"
    accounts.set_role("otto", Role.EDITOR)
    assert again.get("/api/v1/account").json()["role"] == "editor"
    accounts.set_password("otto", "another horse")
    assert again.get("/api/v1/account").json()["name"] is None
    assert first.cookies[COOKIE] not in "".join(
        path.name + path.read_text() for path in (first.gate.home / "sessions").iterdir()
    )
    accounts.remove("otto")


def test_a_session_ends_after_its_time(visit, monkeypatch):
    client = visit("vera")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 12 * 3600 + 1)
    assert client.get("/api/v1/models").status_code == 401


def test_wrong_passwords_cost_more_and_more_time():
    now = [0.0]
    attempts, waited = Attempts(lambda: now[0]), []
    for _ in range(12):
        attempts.failed("anna", "10.0.0.1")
        waited.append(attempts.wait("anna", "10.0.0.1"))
        now[0] += waited[-1]
    assert waited == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128]
    assert attempts.wait("anna", "10.0.0.2") == 0, "its owner elsewhere is not kept out"
    for _ in range(60):
        attempts.failed(f"name{_}", "10.0.0.1")
    assert 0 < attempts.wait("vera", "10.0.0.1") <= 300, "who guesses names waits, too"
    now[0] += 3601
    assert attempts.wait("anna", "10.0.0.1") == 0


def test_a_lock_out_is_said_and_the_right_password_does_not_count_meanwhile(visit):
    client = visit()
    for _ in range(5):
        assert client.post("/login", data={"username": "vera", "password": "wrong"}).status_code == 401
    locked = client.post("/login", data={"username": "Vera", "password": PASSWORD})
    assert locked.status_code == 429
    assert locked.headers["retry-after"] == "1"
    assert locked.json()["detail"] == "Signing in failed too often. What to do: try again in 1 second."


def test_requests_that_come_too_often_are_refused_and_others_are_not(visit):
    vera, emil = visit("vera"), visit("emil")
    vera.gate.rates = Rates(0.5, 3, lambda: 0.0)
    assert [vera.get("/api/v1/models").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = vera.get("/api/v1/models")
    assert refused.headers["retry-after"] == "2"
    assert refused.json()["error"]["message"].startswith("These are too many requests. What to do: try again in ")
    assert emil.get("/api/v1/models").status_code == 200


def test_a_bucket_fills_again():
    now = [0.0]
    rates = Rates(2, 4, lambda: now[0])
    assert [rates.wait("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    now[0] += 0.5
    assert rates.wait("a") == 0
    assert rates.wait("a") == 0.5


def test_tokens_have_at_most_the_role_of_their_account(visit, accounts):
    client = visit()
    less, more = accounts.add_token("emil", Role.VIEWER), accounts.add_token("vera", Role.ADMIN)
    for token in (less, more):
        account = client.get("/api/v1/account", headers={"authorization": f"Bearer {token}"}).json()
        assert account["role"] == "viewer"
    assert less.split("_", 2)[2] not in accounts.path.read_text()
    headers = {"authorization": f"Bearer {less}"}
    answer = client.post("/api/v1/predict/demo/echo", json={"inputs": {"text": "hi"}}, headers=headers)
    assert answer.status_code == 200
    assert client.post("/api/v1/runs", json={"model": "demo/echo"}, headers=headers).status_code == 403
    accounts.remove_token("emil", less.split("_")[1])
    assert client.get("/api/v1/models", headers=headers).status_code == 401
    assert client.get("/api/v1/models", headers={"authorization": "Bearer lw_x_y"}).status_code == 401


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


def test_other_sites_and_foreign_names(guarded, tmp_path, visit):
    from fastapi.testclient import TestClient

    vera = visit("vera")
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = vera.post("/api/v1/predict/demo/echo", json={"inputs": {"text": "a"}}, headers=headers)
        assert answer.status_code == 403, headers
        assert vera.post("/gradio_api/queue/join", json={}, headers=headers).status_code == 403
        assert vera.post("/logout", headers=headers).status_code == 403
        assert vera.post("/login", data={"username": "vera", "password": PASSWORD}, headers=headers).status_code == 403
    answer = vera.get("/api/v1/models", headers={"origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = vera.options("/gradio_api/queue/join", headers={"origin": "http://evil.example"})
    assert preflight.status_code == 403
    # A page of evil.example whose name was made to lead to this machine.
    closed = TestClient(Gate(app=guarded[0].app, home=tmp_path, hosts={"localhost", "127.0.0.1", "[::1]"}))
    for host, status in (("127.0.0.1:7860", 200), ("[::1]:7860", 200), ("LOCALHOST", 200), ("evil.example", 421)):
        assert closed.get("/api/v1/health", headers={"host": host}).status_code == status
    assert "--allow-host" in closed.get("/", headers={"host": "evil.example:7860"}).json()["detail"]


def test_bodies_are_limited_whatever_they_say_of_their_length(visit):
    vera, emil = visit("vera"), visit("emil")
    huge = {"content-length": str(5 * 2**30)}
    assert vera.post("/api/v1/predict/demo/echo", headers=huge).status_code == 413
    assert emil.put("/api/v1/data/a.csv", headers=huge).status_code == 413
    assert vera.post("/login", content=b"a" * 20_000).status_code == 413
    assert vera.post("/gradio_api/upload", headers={"content-length": str(2**30)}).status_code == 413
    assert vera.post("/api/v1/predict/demo/echo", headers={"content-length": "1e3"}).status_code == 400

    def chunks():
        yield from [b" " * 2**20] * 33

    answer = vera.post("/gradio_api/queue/join", content=chunks(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "at most 32.0 MiB" in answer.text


def test_an_upload_that_the_disk_does_not_hold_is_refused(visit, monkeypatch):
    import shutil

    vera, sent = visit("vera"), {"files": {"files": ("a.txt", b"hello")}}
    assert vera.post("/gradio_api/upload", **sent).status_code == 200
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 2**30, 2**20))
    full = vera.post("/gradio_api/upload", **sent)
    assert full.status_code == 507
    assert "The upload does not fit on the disk" in full.json()["detail"]


def test_headers_keep_pages_to_this_server(visit):
    for path in ("/", "/login", "/api/v1/models", "/theme.css", "/nowhere"):
        headers = visit("vera").get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert not re.search(r"https?:|\*", " ".join(policy.values()))


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


def test_without_accounts_everybody_may(client, guarded):
    assert client.get("/api/v1/models").status_code == 200
    from fastapi.testclient import TestClient

    open_to_all = TestClient(Gate(app=client.app), follow_redirects=False)
    assert open_to_all.get("/api/v1/account").json()["role"] == "admin"
    assert open_to_all.get("/login").headers["location"] == "./"
    assert open_to_all.get("/gradio_api/proxy=https://example.org").status_code == 404
