"""The plugin of the README, installed by pip as its reader would: a card, a tab, an endpoint, a name in commands."""

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def readme_block(language, text):
    document = (ROOT / "README.md").read_text(encoding="utf-8")
    return next(b for b in re.findall(rf"^```{language}\n(.*?)^```", document, re.MULTILINE | re.DOTALL) if text in b)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a reader has put the two files of the README, and beside them, as a trap for setuptools, pictures of each
    label."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("my-pets")
    (folder / "my_pets.py").write_text(readme_block("python", "my_pets.py"), encoding="utf-8")
    (folder / "pyproject.toml").write_text(readme_block("toml", "my_pets"), encoding="utf-8")
    fading = Image.linear_gradient("L")  # from black above to white below
    for label, degrees in (("cat", 0), ("dog", 180)):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(20):
            picture = fading.rotate(degrees).resize((40 + number, 32))
            picture.save(folder / "photos" / label / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def python(folder, tmp_path_factory):
    """The Python of a fresh virtual environment that has Layerwise and, by `pip install .`, the plugin."""
    pytest.importorskip(
        "setuptools", reason="needs setuptools, which pip would otherwise download: pip install setuptools"
    )
    place = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    paths = {"base": str(place), "platbase": str(place)}
    python = Path(sysconfig.get_path("scripts", "venv", paths)) / "python"
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    # What this environment has, Layerwise among it, without a second installation of TensorFlow.
    (packages / "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    words = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "."]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (packages / "my_pets.py").exists()
    return python


@pytest.fixture(scope="module")
def layerwise(python, folder, tmp_path_factory):
    """`layerwise(words...)` runs a command and gives what it printed."""
    environment = {**os.environ, "LAYERWISE_HOME": str(tmp_path_factory.mktemp("home"))}

    def run(*words):
        command = [python, "-m", "layerwise_app.cli", *words]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.environment = environment
    return run


def test_it_is_loaded(layerwise):
    (pets,) = [report for report in json.loads(layerwise("plugins", "--json")) if report["name"] == "pets"]
    assert (pets["distribution"], pets["version"], pets["status"]) == ("my-pets", "1.0", "loaded")
    assert pets["models"] == ["vision/pets"]


def test_it_has_a_name_on_the_command_line(layerwise):
    assert "vision/pets" in [model["name"] for model in json.loads(layerwise("models", "--json"))]
    assert "Cats and dogs" in layerwise("show", "vision/pets")
    assert "--num-epochs" in layerwise("train", "vision/pets", "--help")


def test_it_is_trained_on_own_pictures_and_answers(layerwise, folder):
    layerwise("train", "vision/pets", "--data", "photos", "--num-epochs", "20", "--promote")
    for label in ("cat", "dog"):
        (found,) = json.loads(layerwise("predict", "vision/pets", f"photos/{label}/3.png", "--json"))
        assert found["answer"]["label"] == label


def test_it_has_a_tab_and_an_endpoint(layerwise, python):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [python, "-m", "layerwise_app.cli", "serve", "--port", str(port), "--no-browser"]
    server = subprocess.Popen(words, env=layerwise.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        described = json.loads(get(f"{address}/api/v1/models/vision/pets", server))
        assert described["name"] == "vision/pets"
        assert "Cats and dogs" in get(f"{address}/vision", server)
    finally:
        server.terminate()
        server.wait(30)


def get(address, server, seconds=90):
    """What a page says, as soon as there is one."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as reply:
                return reply.read().decode()
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None
            assert time.monotonic() < end, f"{address} does not answer"
            time.sleep(0.2)
