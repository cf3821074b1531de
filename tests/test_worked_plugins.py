"""The worked examples of the documents, done as their reader would: files written, blocks run, commands typed, the tab
looked at."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
SHORT = "plugin-bird-songs.md"
BLOCK = re.compile(r"^```(python|toml|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.\w+)\n")
PAGES = {
    "writing-a-plugin.md": ("vision/pets", "Cats and dogs"),
    SHORT: ("sounds/birds", "Bird songs"),
    "plugin-own-task.md": ("series/forecast", "Forecast"),
    "plugin-environment.md": ("rl/warm-house", "A warm house"),
    "plugin-transformers.md": ("texts/moods", "Moods"),
}
"""What each page makes: a model, and the title of its card."""


def blocks(name):
    """The blocks of a page in their order, each with its language."""
    text = (DOCS / name).read_text(encoding="utf-8")
    # What `layerwise new-plugin` writes is tried in tests/core/test_scaffold_install.py.
    return BLOCK.findall(text.partition("## The module")[2] or text)


class Reader:
    """Somebody who does what a page says, in an empty folder."""

    def __init__(self, folder, home, name):
        self.folder, self.model, self.title = folder, *PAGES[name]
        self.home, self.site = home, folder / "site"
        path = os.pathsep.join((str(self.site), os.environ.get("PYTHONPATH", "")))
        self.environment = {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
        self.said = {}

    def does(self, language, code):
        """Write the file that a block is, or run it."""
        if named := FILE.match(code):
            (self.folder / named[1]).write_text(code, encoding="utf-8")
        elif language == "python":
            self.run(sys.executable, "-c", code)
        else:
            for line in code.splitlines():
                self.types(*shlex.split(line, comments=True))

    def types(self, *words):
        """Type a command."""
        match words:
            case ("layerwise", *_, "serve"):
                self.looks_at_the_tab(words)
            case ("layerwise", *rest):
                self.said[" ".join(words)] = self.run(*self.layerwise(*rest), may_fail="check-plugin" in words)
            case ("python", "-m", "build"):
                self.run(sys.executable, "-m", "build", "--wheel", "--no-isolation")
            case ("pip", "install", *_, what):
                # Beside this environment, and without asking for Layerwise, which is here.
                beside = ("--quiet", "--no-deps", "--no-build-isolation", "--upgrade", "--target", str(self.site))
                self.run(sys.executable, "-m", "pip", "install", *beside, what)
            case ("twine", *_):
                pass  # leaves this machine
            case _:
                pytest.fail(f"nobody knows how to try {words}")

    def layerwise(self, *words):
        return (sys.executable, "-m", "layerwise_app.cli", *words)

    def run(self, *words, may_fail=False):
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0 or (may_fail and done.returncode == 1), done.stdout + done.stderr[-3000:]
        return done.stdout

    def looks_at_the_tab(self, words):
        """The card, the tab and the endpoint are there; what was trained answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = self.layerwise(*words[1:], "--port", str(port), "--no-browser")
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(words, cwd=self.folder, env=self.environment, **silent)
        try:
            address = f"http://127.0.0.1:{port}"
            described = json.loads(get(f"{address}/api/v1/models/{self.model}", server))
            (variant,) = described["variants"].values()
            assert variant["version"], "it is trained, and in use"
            assert self.title in get(f"{address}/{self.model.partition('/')[0]}", server)
            if self.model == "series/forecast":
                assert "Turn a wave" in get(f"{address}/waves", server)
        finally:
            server.terminate()
            server.wait(60)


def get(address, server, seconds=300):
    """What an address says, as soon as there is something."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=60) as reply:
                return reply.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert server.poll() is None, "the server has ended"
        assert time.monotonic() < end, f"{address} says nothing"
        time.sleep(0.3)


@pytest.fixture
def read(tmp_path, home):
    """`read(page)`: what its commands printed, by the command, once its reader has done all that it says."""

    def do(name):
        reader = Reader(tmp_path, home, name)
        for language, code in blocks(name):
            reader.does(language, code)
        return reader.said

    return do


def said(answers, command):
    return next(text for words, text in answers.items() if command in words.split())


@pytest.mark.parametrize("name", PAGES)
def test_every_file_of_a_page_is_python_that_compiles(name):
    files = [code for language, code in blocks(name) if language == "python" and FILE.match(code)]
    assert files
    for code in files:
        compile(code, FILE.match(code)[1], "exec")


def test_the_unfamiliar_application_takes_at_most_forty_lines():
    (plugin,) = (code for _, code in blocks(SHORT) if FILE.match(code))
    lines = [line for line in plugin.splitlines() if line.strip()]
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 120, "and they are lines"
    assert f"one file of {len(lines)} lines" in (DOCS / SHORT).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_birds_are_known_by_their_songs(read):
    answers = read(SHORT)
    assert "36 sounds of 3 classes" in said(answers, "check")
    assert "label: owls" in said(answers, "predict")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_stock_task_from_nothing_to_published(read):
    pytest.importorskip("setuptools", reason="needs setuptools, which pip would otherwise download")
    answers = read("writing-a-plugin.md")
    assert "label: cross" in said(answers, "predict")
    assert "my-pets 1.0" in said(answers, "plugins"), "the wheel is installed"
    # Everything but the card, which the page says is not complete.
    checked = said(answers, "check-plugin")
    assert re.findall(r"✗ ([^:\n]*)", checked) == ["its card is complete"], checked


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_task_of_ones_own_with_a_page(read):
    answers = read("plugin-own-task.md")
    assert len([text for words, text in answers.items() if "train" in words.split() and "Finished" in text]) == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_agent_learns_in_a_world_of_ones_own(read):
    answers = read("plugin-environment.md")
    found = float(re.search(r"mean_return +(-[\d.]+)", said(answers, "evaluate"))[1])
    assert found > -3.5, "better than a thermostat, as the page says"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_network_of_transformers_answers_and_conforms(read):
    pytest.importorskip("transformers", reason='needs transformers: pip install "layerwise[hub]"')
    pytest.importorskip("torch", reason='needs PyTorch: pip install "layerwise[hub]"')
    answers = read("plugin-transformers.md")
    assert re.search(r"label: (against|for) it", said(answers, "predict"))
    assert "moods conforms" in said(answers, "check-plugin")
