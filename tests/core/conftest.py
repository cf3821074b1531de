"""What the tests of the plugin door, those of real trainings and those of the predictor share."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sample_models as samples

from layerwise.datasets.uploads import UploadStore
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
def workspace_of(tmp_path):
    """`workspace_of(spec, ...)`: what belongs to these models, below `tmp_path`; `datasets` are those beside GRADES."""
    with contextlib.ExitStack() as stack:

        def make(*specs, datasets=()):
            registry, versions = samples.shelf(*specs, datasets=datasets), VersionStore(tmp_path)
            predictor = Predictor(registry, versions)
            stack.callback(predictor.close)
            uploads = UploadStore(tmp_path)
            return SimpleNamespace(
                home=tmp_path, registry=registry, versions=versions, uploads=uploads, predictor=predictor
            )

        yield make


@pytest.fixture
def predictor_of(workspace_of):
    """`predictor_of(spec, ...)`: a predictor of these models, below `tmp_path`."""
    return lambda *specs: workspace_of(*specs).predictor


@pytest.fixture
def graders(tmp_path, workspace_of, monkeypatch):
    """A workspace with three versions of a model that is not Keras, and their names, not the best first."""
    monkeypatch.setenv("LAYERWISE_ISOLATION", "off")
    runs = [
        samples.save_version(tmp_path, samples.NUMPY, {"centroids": samples.shifted(shift)}, num_parameters=size)
        for shift, size in ((1.0, 30), (0.0, 20), (0.2, 10))
    ]
    return workspace_of(samples.NUMPY), [f"sample/centroids@{run.id}" for run in runs]
