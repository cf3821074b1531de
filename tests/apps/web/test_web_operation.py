"""Whether a server lives and is ready, its figures, and what is written down of requests."""

import asyncio
import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from layerwise import logs
from layerwise.errors import InputError, SpecError
from layerwise_app.web import operation as operations
from layerwise_app.web.api import make_api
from layerwise_app.web.health import make_health
from layerwise_app.web.metrics import Metrics
from layerwise_app.web.observed import HEADER, Observed, route_of
from layerwise_app.web.operation import Operation


@pytest.fixture
def operation(workspace):
    return Operation(workspace, lambda: 1)


@pytest.fixture
def metrics(operation, workspace):
    made = Metrics(operation)
    yield made
    workspace.predictor.listeners.remove(made.answered)


@pytest.fixture
def watched(operation, metrics):
    app = FastAPI()
    app.include_router(make_health(operation, metrics))
    app.include_router(make_api(operation))
    with TestClient(Observed(app, metrics), raise_server_exceptions=False) as opened:
        yield opened


def figures(client):
    """The samples of /metrics by their names and labels."""
    text = client.get("/metrics").text
    families = text_string_to_metric_families(text)
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_a_server_that_answers_lives_and_is_ready(watched):
    assert watched.get("/healthz").json() == {"status": "ok"}
    ready = watched.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": [], "warnings": []})
    assert ready.headers["cache-control"] == "no-store"


def test_a_server_that_ends_lives_but_is_not_ready(watched, operation):
    operation.is_closing = True
    assert watched.get("/healthz").status_code == 200
    ready = watched.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["reasons"] == ["The server is shutting down."]


def test_without_pages_it_is_not_ready(workspace):
    assert Operation(workspace, lambda: None).readiness().reasons == ("The pages are being drawn.",)


def test_a_full_disk_is_a_reason(operation, monkeypatch):
    monkeypatch.setattr(operations, "RESERVE_BYTES", 2**70)
    assert operation.readiness().reasons[0].startswith("The disk is full: ")


def test_without_a_model_it_is_not_ready_and_a_broken_one_is_a_warning(operation, workspace, monkeypatch):
    from layerwise.errors import WeightsError

    real = workspace.predictor.version

    def broken(reference):
        if reference.name == "vision/fashion":
            raise WeightsError("The record is unreadable")
        return real(reference)

    monkeypatch.setattr(workspace.predictor, "version", broken)
    found = operation.readiness()
    assert found.is_ready
    assert "vision/fashion:conv cannot be loaded. The record is unreadable." in found.warnings

    def none(_):
        raise WeightsError("Nothing can be read")

    monkeypatch.setattr(workspace.predictor, "version", none)
    assert Operation(workspace, lambda: 1).readiness().reasons == ("No model can be loaded.",)


def test_it_looks_no_more_often_than_it_must(operation, workspace, monkeypatch):
    looks = []
    monkeypatch.setattr(operation, "_disk", lambda: looks.append(1) or "")
    for _ in range(50):
        operation.readiness()
    assert len(looks) == 1


def test_who_leaves_while_sending_is_counted_and_no_mistake_of_the_server(watched, metrics):
    async def app(scope, receive, send):
        await Request(scope, receive).body()

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "headers": []}
    asyncio.run(Observed(app, metrics)(scope, receive, send))
    key = ("layerwise_requests_total", ("method", "POST"), ("route", "/gradio_api"), ("status", "499"))
    assert figures(watched)[key] == 1


def test_requests_answers_and_errors_are_counted(watched):
    assert watched.post("/api/v1/predict/demo/echo", json={"inputs": "a"}).status_code == 200
    assert watched.post("/api/v1/predict/demo/echo", json={"inputs": "forbidden"}).status_code == 422
    assert watched.post("/api/v1/predict/demo/nothing", json={"inputs": "a"}).status_code == 404
    found = figures(watched)
    echo = ("model", "demo/echo")
    assert found["layerwise_answers_total", echo, ("outcome", "ok"), ("variant", "default")] == 1
    assert found["layerwise_answers_total", echo, ("outcome", "InputError"), ("variant", "default")] == 1
    assert found["layerwise_answer_seconds_count", echo, ("variant", "default")] == 2
    for status in ("200", "422", "404"):
        key = ("layerwise_requests_total", ("method", "POST"), ("route", "/api/v1/predict"), ("status", status))
        assert found[key] == 1
    assert not [key for key in found if "nothing" in str(key)]
    assert found["layerwise_ready",] == 1
    assert found["layerwise_models", ("state", "ready")] >= 1
    assert found["process_resident_memory_bytes",] > 10_000_000


def test_jobs_are_counted_by_their_state(watched, make_run):
    make_run("demo/brightness")
    make_run("demo/brightness", ending="failed")
    found = figures(watched)
    assert found["layerwise_runs", ("state", "finished")] == 1
    assert found["layerwise_runs", ("state", "failed")] == 1


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_there_are_few_routes_whatever_is_asked_for(text):
    for path in (f"/{text}", f"/api/v1/{text}", f"/api/v1/runs/{text}", f"/gradio_api/{text}"):
        assert len(route_of(path)) < 40
        assert route_of(path).count("/") <= 4


def test_many_paths_make_no_more_figures(watched):
    for number in range(30):
        watched.get(f"/{number}")
        watched.request(f"METHOD{number}", f"/api/v1/{number}")
    assert len([key for key in figures(watched) if key[0] == "layerwise_requests_total"]) <= 6


def test_a_request_keeps_its_id_and_gets_one(watched):
    assert watched.get("/healthz", headers={HEADER: "abc-1"}).headers[HEADER] == "abc-1"
    for bad in ("", "a b", "x" * 65, "a;b", '{"a":1}'):
        made = watched.get("/healthz", headers={HEADER: bad}).headers[HEADER]
        assert len(made) == 32
        assert made != bad


@pytest.fixture
def lines(monkeypatch):
    """What is logged, as JSON lines."""
    found = []

    class Keeping(logging.Handler):
        def emit(self, record):
            found.append(json.loads(self.format(record)))

    handler = Keeping()
    handler.setFormatter(logs.JsonFormatter())
    root, access = logging.getLogger(), logging.getLogger(logs.ACCESS)
    root.addHandler(handler)
    before = access.level
    access.setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    access.setLevel(before)


def test_a_request_is_a_line_without_what_it_brought(watched, lines):
    watched.post("/api/v1/predict/demo/echo?secret=1", json={"inputs": "a secret"}, headers={HEADER: "one"})
    watched.put("/api/v1/data/secret.zip", content=b"secret", headers={HEADER: "two"})
    watched.get("/healthz")
    found = [line for line in lines if line["logger"] == logs.ACCESS]
    assert [(line["request_id"], line["method"], line["route"], line["status"]) for line in found] == [
        ("one", "POST", "/api/v1/predict", 200),
        ("two", "PUT", "/api/v1/data", 422),
    ]
    assert all(line["seconds"] > 0 and line["time"].endswith("+00:00") for line in found)
    assert "secret" not in json.dumps(lines)


def test_a_mistake_is_logged_with_the_request_and_without_the_input(watched, workspace, lines, monkeypatch):
    def failing(*_, **__):
        raise ValueError("could not convert 'secret'") from KeyError("secret")

    monkeypatch.setattr(workspace.predictor, "predict", failing)
    answer = watched.post("/api/v1/predict/demo/echo", json={"inputs": "secret"}, headers={HEADER: "one"})
    assert answer.status_code == 500
    line = next(line for line in lines if line["level"] == "ERROR")
    assert line["request_id"] == "one"
    assert [error["type"] for error in line["errors"]] == ["ValueError", "KeyError"]
    assert any("in_thread" in frame or "predict" in frame for frame in line["errors"][0]["stack"])
    assert "secret" not in json.dumps(lines)


def test_an_error_that_hides_another_one_is_one_error(lines):
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise InputError("outer") from None
    except InputError:
        logging.getLogger("layerwise.sample").exception("It failed")
    assert [error["type"] for error in lines[-1]["errors"]] == ["InputError"]


def test_a_format_that_is_not_there(monkeypatch):
    monkeypatch.setenv(logs.VARIABLE, "xml")
    with pytest.raises(SpecError, match="text or json"):
        logs.configure()
    with pytest.raises(SpecError, match="text or json"):
        logs.configure("yaml")
