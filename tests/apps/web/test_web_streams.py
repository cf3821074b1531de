"""Answers and runs as server-sent events, from a server on this machine."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests


def events(response):
    """The events of a response: (kind, value, id)."""
    found = {}
    for line in response.iter_lines(chunk_size=None):
        if line:
            name, _, text = line.decode().partition(":")
            found[name] = text.strip()
        elif "data" in found:
            yield found["event"], json.loads(found["data"]), found.get("id")
            found = {}


def ask(address, name, inputs, **options):
    return requests.post(f"{address}/api/v1/stream/{name}", json={"inputs": inputs}, stream=True, timeout=60, **options)


def test_a_reply_grows_and_ends(address):
    with ask(address, "demo/talk", "slowly now") as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        stream = events(response)
        replies = [next(stream)[1]["answer"]["reply"] for _ in range(3)]
    assert len(set(replies)) == 3
    assert all(replies[-1].startswith(reply) for reply in replies)
    with ask(address, "demo/talk", "hello there") as response:
        found = [*events(response)]
    assert [kind for kind, _, _ in found][-2:] == ["answer", "end"]
    last = found[-2][1]
    assert (last["model"], last["variant"], last["version"]) == ("demo/talk", "default", "code")
    assert last["answer"]["reply"] == "Message **1**: hello there"
    assert last["answer"]["note"] == "It only repeats."


@pytest.mark.parametrize(
    ("name", "inputs", "status", "said"),
    [
        ("demo/talk", "forbidden", 422, "may not be said"),
        ("demo/ecco", "a", 404, "did you mean demo/echo"),
        ("demo/echo", {"colour": "red"}, 422, "give text"),
        ("demo/echo", "bug", 400, "mistake in its code"),
    ],
)
def test_what_fails_before_the_first_part_has_a_status(address, name, inputs, status, said):
    with ask(address, name, inputs) as response:
        assert response.status_code == status
        assert said in response.json()["error"]["message"]


def test_what_fails_on_the_way_is_an_event(address, workspace, monkeypatch):
    def failing(*_, **__):
        yield {"text": "one"}
        time.sleep(0.1)
        raise ZeroDivisionError

    monkeypatch.setattr(workspace.predictor, "stream", failing)
    with ask(address, "demo/echo", "a") as response:
        found = [*events(response)]
    assert [kind for kind, _, _ in found] == ["answer", "error"]
    assert "should not have" in found[-1][1]["error"]["message"]


def test_one_who_leaves_cancels_the_work(address, workspace, monkeypatch):
    seen, closed = [], threading.Event()

    def endless(reference, inputs, cancelled):
        seen.append(cancelled)
        try:
            while not cancelled.is_set():
                yield {"text": "on"}
                time.sleep(0.05)
        finally:
            closed.set()

    monkeypatch.setattr(workspace.predictor, "stream", endless)
    with ask(address, "demo/echo", "a") as response:
        assert next(events(response))[0] == "answer"
    assert closed.wait(10)
    assert seen[0].is_set()


def test_many_streams_at_a_time_leave_room_for_other_requests(address, workspace):
    over = threading.Event()

    def listen(_):
        with ask(address, "demo/talk", "slowly") as response:
            for _ in events(response):
                if over.is_set():
                    return

    with ThreadPoolExecutor(20) as executor:
        listening = executor.map(listen, range(20))
        try:
            wait_for(lambda: sum(workspace.predictor.loads().get("demo/talk:default", ())) == 20, 30)
            begin = time.monotonic()
            assert requests.get(f"{address}/api/v1/health", timeout=10).status_code == 200
            answer = requests.post(f"{address}/api/v1/predict/demo/echo", json={"inputs": "a"}, timeout=30)
            assert answer.json()["answer"] == {"text": "a"}
            assert time.monotonic() - begin < 10
        finally:
            over.set()
        list(listening)


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def follow(address, run, **options):
    return requests.get(f"{address}/api/v1/runs/{run.id}/stream", stream=True, timeout=60, **options)


def test_a_run_is_followed_to_its_end(address, make_run):
    run = make_run("demo/brightness", {"event": "started", "num_epochs": 2, "device": "CPU"}, ending="")
    with run.lock(), follow(address, run) as response:
        stream = events(response)
        assert [next(stream)[::2] for _ in range(2)] == [("queued", "0"), ("started", "1")]
        run.append("epoch", epoch=1, loss=0.5)
        kind, value, number = next(stream)
        assert (kind, value["loss"], number) == ("epoch", 0.5, "2")
        run.append("stopped", reason="Somebody asked it to stop.")
        assert [kind for kind, _, _ in stream] == ["stopped", "end"]


def test_one_who_was_cut_off_goes_on(address, make_run):
    run = make_run("demo/brightness", {"event": "epoch", "epoch": 1, "loss": 0.5})
    with follow(address, run, headers={"Last-Event-ID": "1"}) as response:
        found = [*events(response)]
    assert [(kind, number) for kind, _, number in found] == [("finished", "2"), ("end", None)]
    assert found[-1][1] == {"state": "finished", "reason": ""}
    with follow(address, run, params={"start": 1}) as response:
        assert [kind for kind, _, _ in events(response)] == ["epoch", "finished", "end"]


def test_a_run_that_is_not_there(address):
    answer = requests.get(f"{address}/api/v1/runs/nothing/stream", timeout=10)
    assert answer.status_code == 404
