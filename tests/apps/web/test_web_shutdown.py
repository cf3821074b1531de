"""A server that is told to end, as a process of its own: what it still does, and what it writes down."""

import http.client
import json
import signal
import threading
import time

import pytest
import requests
from served import serving

from layerwise.client import Client, UnavailableError
from layerwise.runs import RunStore

pytestmark = pytest.mark.slow


def asked_slowly(address, got):
    """Ask for a reply that takes its time, and keep what comes of it; returns when it has begun."""
    begun = threading.Event()

    def ask():
        try:
            with Client(address) as client:
                for part in client.stream("demo/talk", "slowly"):
                    got.append(part["reply"])
                    begun.set()
                got.append("whole")
        except UnavailableError as error:
            got.append(str(error))
        begun.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert begun.wait(120)
    return thread


def test_it_says_so_first_finishes_what_it_has_and_lets_trainings_go_on(tmp_path):
    options = ("--log-format", "json", "--drain", "3", "--grace", "120", "--mcp")
    with serving(tmp_path / "home", *options, DEMO_LENGTH="30") as served, Client(served.address) as client:
        assert requests.get(f"{served.address}/readyz", timeout=10).status_code == 200
        client.predict("demo/echo", "a secret")
        with pytest.raises(Exception, match="mistake in its code"):
            client.predict("demo/echo", "a secret bug")
        job = client.train("rl/cartpole", num_epochs=10_000)
        events = job.follow()
        assert next(events)["event"] == "queued"
        got = []
        thread = asked_slowly(served.address, got)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        # While it drains it takes requests, and says that it should get none.
        ready = requests.get(f"{served.address}/readyz", timeout=10)
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["The server is shutting down."])
        assert requests.get(f"{served.address}/healthz", timeout=10).status_code == 200
        assert client.predict("demo/echo", "b") == {"text": "b"}
        time.sleep(4)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{served.address}/healthz", timeout=10)
        assert served.process.poll() is None, "it still answers the slow one"
        thread.join(300)
        assert got[-1] == "whole"
        assert served.process.wait(60) == 0
    run = RunStore(tmp_path / "home").get(job.id)
    assert run.is_active, "the training goes on"
    run.request_stop()
    assert not list((tmp_path / "home" / "uploads").glob(".temporary-*")), "temporary files are gone"
    lines = [json.loads(line) for line in served.lines]
    assert {line["route"] for line in lines if line["message"] == "request"} >= {"/api/v1/predict", "/api/v1/stream"}
    assert any("ZeroDivisionError" in json.dumps(line.get("errors", [])) for line in lines)
    assert "secret" not in "".join(served.lines)


def test_it_waits_no_longer_than_it_may(tmp_path):
    with serving(tmp_path / "home", "--grace", "1") as served:
        got = []
        asked_slowly(served.address, got)
        begin = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(60)
        assert time.monotonic() - begin < 25


def test_a_second_signal_ends_it_at_once(tmp_path):
    with serving(tmp_path / "home", "--grace", "600", "--drain", "600") as served:
        got = []
        asked_slowly(served.address, got)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert served.process.poll() is None
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(60)


def test_a_connection_that_clients_keep_is_not_closed_under_their_next_request(tmp_path):
    with serving(tmp_path / "home") as served:
        host, port = served.address.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        for pause in (0, 7):  # Uvicorn's own limit is 5 seconds
            time.sleep(pause)
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            kept = connection.sock
            assert kept is not None, "it has said that it closes the connection"
        begin = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(30)
        assert time.monotonic() - begin < 10, "nobody waits for those who keep a connection"
