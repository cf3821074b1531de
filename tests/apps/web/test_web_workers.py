"""A model of a stranger that ends its process: what the API answers, and what the pages show of it."""

import contextlib
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layerwise_app.web.pages import cards

FAULTS = Path(__file__).parents[2] / "plugins_sample" / "faults"
DEADLY = {"text": "a", "fault": "os-exit", "place": "run"}


@pytest.fixture
def served(home, monkeypatch):
    from fastapi.testclient import TestClient

    from layerwise.workspace import open_workspace
    from layerwise_app.web.served_pages import Pages
    from layerwise_app.web.server import make_app

    monkeypatch.setenv("LAYERWISE_PLUGINS", str(FAULTS))
    monkeypatch.setenv("LAYERWISE_ANSWER_SECONDS", "3")
    with open_workspace(home) as workspace:
        pages = Pages(workspace, "http://testserver")
        with TestClient(make_app(pages, workspace)) as client:
            yield client, workspace, pages


def asked(client, inputs, name="faulty/echo"):
    return client.post(f"/api/v1/predict/{name}", json={"inputs": inputs})


def site_of(workspace):
    from layerwise_app.web.site import Site

    return Site(
        workspace=workspace, snapshot=workspace.registry.check(), address="http://testserver", refresh=lambda: None
    )


@pytest.mark.slow
def test_a_death_is_told_shown_and_ends_in_a_switch(served):
    client, workspace, _ = served
    answer = asked(client, DEADLY)
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == "WorkerError"
    assert "its process ended itself with exit status 3" in answer.json()["error"]["message"]
    assert asked(client, {"value": '"abc"'}, "steady/turn").json()["answer"]["value"] == "cba"

    site = site_of(workspace)
    card = cards.card_markdown(site, site.snapshot.model("faulty/echo"))
    assert "**Its plugin failed.** The process of faulty/echo:nothing ended itself with exit status 3." in card

    for _ in range(2):
        assert asked(client, DEADLY).status_code == 503
    workspace.registry.check()
    assert asked(client, {"text": "well"}).status_code == 404
    client.portal.call(served[2].update)
    page = client.get("/plugins").text
    assert "Try again: faulty" in page
    assert "died 3 times in a row" in page
    assert asked(client, {"value": '"abc"'}, "steady/turn").json()["answer"]["value"] == "cba"


@pytest.mark.slow
def test_many_who_wait_for_a_model_that_hangs_keep_nobody_else_waiting(served):
    client, _, _ = served
    asked(client, {"text": "well"})
    asked(client, {"value": '"abc"'}, "steady/turn")
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(asked, client, {**DEADLY, "fault": "gil"}) for _ in range(20)]
        time.sleep(0.5)
        begin = time.monotonic()
        assert asked(client, {"value": '"abc"'}, "steady/turn").json()["answer"]["value"] == "cba"
        assert client.get("/api/v1/health").status_code == 200
        assert time.monotonic() - begin < 2
        assert not any(answer.done() for answer in waiting)
    assert {answer.result().status_code for answer in waiting} <= {404, 500, 503}


def workers_of(home):
    """The processes that work in a home as workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes().split(b"\0")
            is_worker = any(entry.startswith(b"LAYERWISE_WORKER=") for entry in environment)
            if is_worker and f"LAYERWISE_HOME={home}".encode() in environment:
                found.append(int(folder.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
def test_a_server_ends_when_it_is_asked_to_while_a_model_hangs(home, monkeypatch):
    monkeypatch.setenv("LAYERWISE_PLUGINS", str(FAULTS))
    code = f"from layerwise_app.web.server import serve; serve(port=0, open_browser=False, home={str(home)!r}, grace=3)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().split()[-1]
        body = b'{"inputs": {"text": "a", "fault": "gil", "place": "run"}}'
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{address}/api/v1/predict/faulty/echo", body, headers)

        def ask():
            with contextlib.suppress(OSError):
                urllib.request.urlopen(asked, timeout=60).read()

        thread = threading.Thread(target=ask)
        thread.start()
        end = time.monotonic() + 30
        while not workers_of(home):
            assert time.monotonic() < end, "the worker was not started"
            time.sleep(0.1)
        time.sleep(2)  # it is loaded, and hangs
        server.terminate()
        begin = time.monotonic()
        server.wait(60)
        assert time.monotonic() - begin < 15
        thread.join()
    assert not workers_of(home)
