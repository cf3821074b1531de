"""What visitors see of a model that too many ask."""

from types import SimpleNamespace

import pytest

from layerwise.versions import Reference


@pytest.fixture
def full(workspace, monkeypatch):
    """A model at which nobody is let in, and whose queue is full."""
    with workspace.predictor.using("demo/echo") as loaded:
        gate, runner = workspace.predictor._gate(loaded), loaded.runner
    monkeypatch.setattr("layerwise.predictor.most_at_once", lambda asked: 0 if asked is runner else 8)
    monkeypatch.setattr(gate, "most_waiting", 0)
    gate.set_most_inside(0)
    return gate


@pytest.mark.slow
def test_the_api_says_when_to_come_again(client, full):
    answer = client.post("/api/v1/predict/demo/echo", json={"inputs": {"text": "hello"}})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    error = answer.json()["error"]
    assert error["type"] == "BusyError"
    assert "demo/echo:default is busy" in error["message"]
    assert "you would be number 1 of those who wait" in error["message"]
    # Other models go on.
    assert client.post("/api/v1/predict/demo/weight", json={"inputs": {"size": 1}}).status_code != 503


def test_when_there_is_room_again_it_answers(client, workspace):
    assert client.post("/api/v1/predict/demo/echo", json={"inputs": {"text": "hello"}}).status_code == 200


def test_a_page_says_which_place_a_visitor_has(workspace, site, full):
    from layerwise_app.web.demo import said_meanwhile

    assert said_meanwhile(site, Reference("demo/echo")) == (
        "Many ask at the moment. You are number 1 of those who wait …"
    )
    others = SimpleNamespace(predictor=SimpleNamespace(state=lambda _: "ready", position=lambda _: 0))
    assert said_meanwhile(others, Reference("demo/echo")) == ""


def test_visitors_who_wait_for_a_model_leave_threads_to_the_others(client):
    from gradio.routes import App

    from layerwise_app.web.app import CONCURRENCY, MOST_THREADS

    (inner,) = (
        route.app for route in client.pages.mount.current.app.routes if isinstance(getattr(route, "app", None), App)
    )
    blocks = inner.get_blocks()
    assert blocks.limiter.total_tokens == blocks._queue.max_thread_count == MOST_THREADS > 20 * CONCURRENCY
