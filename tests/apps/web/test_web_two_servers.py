"""Two server processes on one home, as behind a proxy: runs, promoted versions and switches are the same for both."""

import base64
import contextlib
import http.client
import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

TOY = Path(__file__).parents[2] / "plugins_sample" / "toy"
START_SECONDS, PATIENCE = 200.0, 200.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Server:
    """A server process on a port of its own."""

    def __init__(self):
        # Any free port, which it prints.
        command = [sys.executable, "-m", "layerwise_app.cli", "serve", "--port", "0", "--no-browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = 0

    def wait(self):
        line = self.process.stdout.readline()
        self.port = int(line.strip().rpartition(":")[2])

    def call(self, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            content = None if body is None else json.dumps(body)
            method = "GET" if body is None else "POST"
            connection.request(method, f"/api/v1/{path}", content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")

    def get(self, path, body=None):
        status, content = self.call(path, body)
        assert status in (200, 201), content
        return content

    def version_in_use(self):
        return self.get("models/toy/bars")["variants"]["small"]["version"]

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    home = tmp_path_factory.mktemp("two")
    path = os.pathsep.join(filter(None, (str(TOY), os.environ.get("PYTHONPATH"))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_HOME", str(home))
        patch.setenv("PYTHONPATH", path)
        started = [Server(), Server()]
        try:
            for server in started:
                server.wait()
            yield started
        finally:
            for server in started:
                server.close()


def ended(server, identifier):
    end = time.monotonic() + PATIENCE
    while (state := server.get(f"runs/{identifier}")["state"]) in ("queued", "running"):
        assert time.monotonic() < end
        time.sleep(0.1)
    return state


def picture():
    file = io.BytesIO()
    Image.linear_gradient("L").resize((8, 8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_two_servers_share_runs_and_versions(servers):
    first, second = servers
    asked = {"inputs": {"image": picture()}}
    config = {"num_epochs": 1}
    runs = [server.get("runs", {"model": "toy/bars", "config": config})["id"] for server in (first, second)]
    # Each sees what the other one has started, and its end.
    for server in servers:
        assert {*runs} <= {run["id"] for run in server.get("runs")}
    assert [ended(server, run) for server, run in zip((second, first), runs, strict=True)] == ["finished"] * 2
    # Who promotes at one sees it at the other with the next request, also the way back.
    for server, other, run in ((first, second, runs[0]), (second, first, runs[1])):
        server.get(f"runs/{run}/promote", {})
        assert [one.get("predict/toy/bars", asked)["version"] for one in (server, other)] == [run, run]
    second.get("models/toy/bars/rollback", {})
    assert [one.get("predict/toy/bars", asked)["version"] for one in servers] == [runs[0]] * 2


def test_a_storm_of_promotions_by_both_ends_with_one_version_and_a_whole_history(servers):
    first = servers[0]
    runs = [run["id"] for run in first.get("runs") if run["state"] == "finished"][:2]

    def promote(number):
        server, run = servers[number % 2], runs[(number // 2) % 2]
        return server.call(f"runs/{run}/promote", {})[0]

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(promote, range(40))) == {200}
    found = [one.version_in_use() for one in servers]
    assert found[0] == found[1]
    assert found[0] in runs
    first.get("models/toy/bars/rollback", {})
    found = [one.version_in_use() for one in servers]
    assert found[0] == found[1]


def test_a_run_is_stopped_at_the_other_server_and_goes_on_once(servers):
    first, second = servers
    run = first.get("runs", {"model": "toy/bars", "config": {"num_epochs": 5000}})["id"]
    end = time.monotonic() + PATIENCE
    while not second.get(f"runs/{run}")["history"]:
        assert time.monotonic() < end
        time.sleep(0.1)
    second.get(f"runs/{run}/stop", {})
    assert ended(first, run) == "stopped"
    # Both are asked to let it go on at the same moment: one of them does.
    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(lambda server: server.call(f"runs/{run}/resume", {})[0], servers))
    assert statuses == [200, 409]
    first.call(f"runs/{run}/stop", {})
    ended(second, run)
    epochs = [event["epoch"] for event in first.get(f"runs/{run}")["history"]]
    assert epochs == list(range(1, len(epochs) + 1))


def test_when_one_server_is_killed_its_runs_and_the_other_go_on(servers):
    first, second = servers
    run = first.get("runs", {"model": "toy/bars", "config": {"num_epochs": 300}})["id"]
    first.process.kill()
    first.process.wait(30)
    assert second.get("predict/toy/bars", {"inputs": {"image": picture()}})["answer"]
    assert ended(second, run) == "finished"
