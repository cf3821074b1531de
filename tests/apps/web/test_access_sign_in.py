"""Signing in: sessions, passwords that are guessed, tokens."""

import time

import pytest
from access_samples import HTML, PASSWORD

from layerwise_app.accounts import AccountFile, Role
from layerwise_app.web.access.attempts import Attempts
from layerwise_app.web.access.gate import COOKIE, Gate
from layerwise_app.web.access.table import PAGES


@pytest.mark.slow
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
