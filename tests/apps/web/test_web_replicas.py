"""Two replicas by Ray Serve on this machine, on one home: both answer, and a promoted version is in use by both."""

import base64
import contextlib
import http.client
import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image

PATIENCE = 240.0


def has_ray_serve():
    return all(importlib.util.find_spec(name) for name in ("ray", "grpc_reflection", "aiohttp"))


def test_without_ray_serve_it_says_what_to_install(monkeypatch):
    from layerwise.errors import MissingDependencyError
    from layerwise_app.replicas import deploy

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "layerwise\[replicas\]"'):
        deploy(2)


class Replicas:
    """The command that serves, and requests to it."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "layerwise_app.replicas", "--replicas", "2", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def call(self, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            content = None if body is None else json.dumps(body)
            method = "GET" if body is None else "POST"
            connection.request(method, f"/api/v1/{path}", content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status in (200, 201), content
            return json.loads(content)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not has_ray_serve(), reason="needs ray[serve]")
def test_two_replicas_answer_and_share_promoted_versions(home, snapshot_path):
    replicas = Replicas()
    try:
        assert "in 2 replicas" in replicas.process.stdout.readline()
        started = {replicas.call("health")["started"] for _ in range(40)}
        assert len(started) == 2
        runs = []
        for _ in range(2):
            runs.append(replicas.call("runs", {"model": "toy/bars", "config": {"num_epochs": 1}})["id"])
            end = time.monotonic() + PATIENCE
            while replicas.call(f"runs/{runs[-1]}")["state"] in ("queued", "running"):
                assert time.monotonic() < end
                time.sleep(0.2)
        file = io.BytesIO()
        Image.linear_gradient("L").resize((8, 8)).save(file, "PNG")
        asked = {"inputs": {"image": base64.b64encode(file.getvalue()).decode()}}
        for run in runs:
            replicas.call(f"runs/{run}/promote", {})
            assert {replicas.call("predict/toy/bars", asked)["version"] for _ in range(10)} == {run}
    finally:
        replicas.process.terminate()
        replicas.process.wait(60)
        replicas.process.stdout.close()


@pytest.fixture
def snapshot_path(monkeypatch):
    """The toy plugin, for every process that is started."""
    from pathlib import Path

    # Ray gives up on what a busy machine does not start within five seconds.
    for name in ("READY_CHECK", "HEALTH_CHECK"):
        monkeypatch.setenv(f"RAY_SERVE_PROXY_{name}_TIMEOUT_S", str(PATIENCE))
    toy = Path(__file__).parents[2] / "plugins_sample" / "toy"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(toy), os.environ.get("PYTHONPATH")))))
