"""What the tests of the plugin door, those of real trainings and those of the predictor share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sample_models as samples

from layerwise.predictor import Predictor
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.versions import VersionStore

TOY = Path(__file__).parents[1] / "plugins_sample" / "toy"


@pytest.fixture
def site(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for plugins on the path of this process and of those that it starts, where the toy plugin is
    installed already. Its modules are forgotten after the test."""
    folder = tmp_path / "site"
    folder.mkdir()
    for path in (folder, TOY):
        monkeypatch.syspath_prepend(str(path))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(filter(None, (str(folder), str(TOY), os.environ.get("PYTHONPATH"))))
    )
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def snapshot(home, monkeypatch):
    """What is registered, here and in every process that is started: the built-ins and the toy plugin."""
    monkeypatch.setenv("PYTHONPATH", str(TOY))
    monkeypatch.syspath_prepend(str(TOY))
    return Registry(home).snapshot()


@pytest.fixture
def spec(snapshot):
    """A model that trains in a second."""
    return snapshot.model("toy/bars")


@pytest.fixture
def runs(home):
    """The runs of the test's own home. What still goes on at the end is stopped."""
    store = RunStore(home)
    yield store
    for run in store.list():
        run.request_stop()


@pytest.fixture
def processes(monkeypatch):
    """The processes that are started, the newest last."""
    started = []
    real = subprocess.Popen

    def start(*arguments, **options):
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return started


@pytest.fixture
def predictor_of(tmp_path):
    """`predictor_of(spec, ...)`: a predictor of these models, below `tmp_path`."""
    made = []

    def make(*specs):
        made.append(Predictor(samples.shelf(*specs), VersionStore(tmp_path)))
        return made[-1]

    yield make
    for predictor in made:
        predictor.close()
