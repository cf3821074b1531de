"""The gate before the server: who is let in, and which requests are refused whoever makes them."""

import re

import pytest
from access_samples import HTML, PASSWORD

from layerwise_app.web.access.attempts import Rates
from layerwise_app.web.access.gate import Gate


@pytest.mark.slow
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


def test_without_accounts_everybody_may(client, guarded):
    assert client.get("/api/v1/models").status_code == 200
    from fastapi.testclient import TestClient

    open_to_all = TestClient(Gate(app=client.app), follow_redirects=False)
    assert open_to_all.get("/api/v1/account").json()["role"] == "admin"
    assert open_to_all.get("/login").headers["location"] == "./"
    assert open_to_all.get("/gradio_api/proxy=https://example.org").status_code == 404
