"""Plugins with a Python of their own: two side by side that need different versions of one package, which the
environment of Layerwise does not have at all."""

import dataclasses
import importlib.util
import json
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import numpy as np
import pytest
from plugins_sample.samples import install
from worker_helpers import mark_of, marked, opened

import layerwise
from layerwise import jobs
from layerwise.errors import InputError, LayerwiseError
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.specs import ForeignSpec
from layerwise.tasks import ImageClassification
from layerwise.workers.descriptions import described, restored

ROOT = Path(layerwise.__file__).parents[2]
PLUGIN = """
from dataclasses import dataclass

import tiny_package
from layerwise import DatasetSpec, ModelCard, ModelSpec, Source, TrainingConfig, Variant, hookimpl, setting, tasks
from layerwise.runner import Runner

TASK = tasks.ImageClassification(labels=("a", "b"), size=(8, 8), channels=1)


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    unused = ("batch_size",)
    units: tuple[int, ...] = setting((4,), "Units", minimum=1, unit="units")
    manner: str = setting("plain", "Manner", choices=("plain", "other"), advanced=True)


class Version(Runner):
    def __init__(self, version):
        print("is made")

    def run(self, inputs, session, cancelled):
        assert inputs["image"].shape == (8, 8)
        return {"label": tiny_package.VERSION, "probabilities": {tiny_package.VERSION: 1.0}}


def build(config, task):
    raise NotImplementedError


def train(context):
    print("trained with", tiny_package.VERSION, context.config.units)
    context.started(num_parameters=1, examples=1, steps_per_epoch=1)
    context.finished_epoch(epoch=1, loss=0.5)


def read(files):
    return {}


@hookimpl
def layerwise_datasets():
    return [DatasetSpec(name="NAME-data", title="D", sources=(Source(name="made", read=read, licence="CC0-1.0"),))]


@hookimpl
def layerwise_models():
    card = ModelCard(title="Version", summary="Says which version it has.", sources=("a", "b"))
    shared = {"task": TASK, "card": card, "build": build, "config": Config}
    variants = (
        Variant(name="small", config=Config(num_epochs=1)),
        Variant(name="large", config=Config(units=(8, 9)), task={"labels": ("c", "d")}),
    )
    return [
        ModelSpec(name="NAME/version", runner=Version, **shared),
        ModelSpec(name="NAME/trained", train="MODULE:train", data="NAME-data", variants=variants, **shared),
    ]
"""


@pytest.fixture(scope="module")
def pythons(tmp_path_factory):
    """Two Pythons by the name of their plugin: each has it, Layerwise, and a version of the package of its own."""
    found = {}
    for name, version in (("first", "1.0"), ("second", "2.0")):
        place = tmp_path_factory.mktemp(name)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
        paths = {"base": str(place / "venv"), "platbase": str(place / "venv")}
        packages = Path(sysconfig.get_path("purelib", "venv", paths))
        # What this environment has, Layerwise among it.
        lines = [str(ROOT / part) for part in ("core", "plugins", "apps")]
        lines += [f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"]
        (packages / "parent.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (packages / "tiny_package.py").write_text(f"VERSION = {version!r}\n", encoding="utf-8")
        module = f"sample_{name}"
        code = PLUGIN.replace("NAME", name).replace("MODULE", module)
        install(packages, code, name=name, module=module, version=version)
        found[name] = Path(sysconfig.get_path("scripts", "venv", paths)) / "python"
    return found


@pytest.fixture(scope="module")
def workspace(pythons, tmp_path_factory):
    with opened(tmp_path_factory.mktemp("home"), PLUGINS="", PLUGIN_TIMEOUT="60") as workspace:
        for name, python in pythons.items():
            workspace.registry.set_python(name, python)
        yield workspace


def report_of(workspace, name):
    return next(report for report in workspace.registry.snapshot().plugins if report.name == name)


def ask(workspace, name):
    return workspace.predictor.predict(f"{name}/version", np.zeros((8, 8), np.uint8))["label"]


def test_both_answer_each_with_its_own_version_of_the_package(workspace):
    assert [ask(workspace, name) for name in ("first", "second", "first")] == ["1.0", "2.0", "1.0"]
    assert importlib.util.find_spec("tiny_package") is None
    assert not {"sample_first", "sample_second", "tiny_package"} & set(sys.modules)


def test_they_are_listed_with_their_python(workspace, pythons):
    report = report_of(workspace, "first")
    assert (report.status, report.version, report.python) == ("loaded", "1.0", str(pythons["first"]))
    assert report.models == ("first/version", "first/trained")
    assert (report.module, report.deprecated) == ("sample_first", ())
    assert report.source == f"first-plugin 1.0, run by {pythons['first']}"


def test_models_are_described_whole(workspace, pythons):
    spec = workspace.registry.snapshot().model("second/trained")
    assert isinstance(spec, ForeignSpec)
    assert spec.python == str(pythons["second"])
    assert spec.task == ImageClassification(labels=("a", "b"), size=(8, 8), channels=1)
    assert (spec.build, spec.train, spec.data) == ("sample_second:build", "sample_second:train", "second-data")
    assert spec.card.sources == ("a", "b")
    small, large = spec.variants
    assert (small.config.num_epochs, small.config.units, small.config.manner) == (1, (4,), "plain")
    assert large.config.units == (8, 9)
    assert spec.task_of(large).labels == ("c", "d")
    assert spec.config.unused == ("batch_size",)
    with pytest.raises(LayerwiseError, match="plain, other"):
        spec.config(manner="third")


def test_looking_again_changes_nothing(workspace):
    number = workspace.registry.snapshot().number
    assert workspace.registry.reload().number == number


def test_what_needs_the_network_here_says_where_it_can_be_had(workspace, pythons):
    with (
        pytest.raises(LayerwiseError, match=f"has a Python of its own.*{pythons['first']} -m layerwise_app.cli"),
        workspace.predictor.looking_inside("first/version"),
    ):
        pass


@pytest.mark.slow
def test_trainings_run_by_it_too(workspace, pythons):
    spec = workspace.registry.snapshot().model("second/trained")
    run = jobs.start(RunStore(workspace.home), spec)
    assert list(jobs.follow(run))[-1]["event"] == "finished", run.log_text()
    assert "trained with 2.0 (4,)" in run.log_text()
    assert run.request["python"] == str(pythons["second"])


def test_a_python_knows_itself_by_each_of_its_names(pythons):
    code = "import sys; from layerwise.workers.elsewhere import is_this; print(*map(is_this, sys.argv[1:]))"
    words = [pythons["first"].with_name("python3"), "-c", code, pythons["first"], pythons["second"]]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_it_can_be_taken_away_again(pythons, tmp_path):
    with opened(tmp_path, PLUGINS="") as workspace:
        workspace.registry.set_python("first", pythons["first"])
        assert ask(workspace, "first") == "1.0"
        workspace.registry.set_enabled("first", False)
        assert report_of(workspace, "first").status == "disabled"
        workspace.registry.set_enabled("first", True)
        assert ask(workspace, "first") == "1.0"
        mark = mark_of(workspace)
        workspace.registry.set_python("first", None)
        assert "first/version" not in workspace.registry.snapshot().models
        assert "pythons" not in json.loads((tmp_path / "plugins.json").read_text())
    assert not marked(mark)


def test_another_process_sees_it(pythons, home):
    code = "from layerwise.registry import Registry; print(*Registry().snapshot().models)"
    Registry(home).set_python("first", pythons["first"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "first/version" in done.stdout.split()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no')", "Importing it raised RuntimeError: no"),
        ("import os; os._exit(7)", "Its Python could not tell what it registers"),
        pytest.param("import time; time.sleep(60)", "did not finish loading within 5 seconds", marks=pytest.mark.slow),
    ],
)
def test_one_that_cannot_be_loaded_there_is_listed_and_the_others_go_on(pythons, tmp_path, code, reason, monkeypatch):
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", "5")
    python = pythons["first"]
    packages = next(path for path in python.parents[1].rglob("site-packages") if path.is_dir())
    module = f"sample_broken_{len(code)}"
    install(packages, code, name=f"broken-{len(code)}", module=module)
    snapshot = Registry(tmp_path).set_python(f"broken-{len(code)}", python)
    report = next(report for report in snapshot.plugins if report.name == f"broken-{len(code)}")
    assert report.status == "failed"
    assert reason in report.reason
    assert "vision/fashion" in snapshot.models


def test_a_python_that_is_none(tmp_path):
    registry = Registry(tmp_path)
    with pytest.raises(InputError, match="There is no Python"):
        registry.set_python("first", tmp_path / "nothing")
    (tmp_path / "python").write_text("no program")
    (tmp_path / "python").chmod(0o755)
    snapshot = registry.set_python("first", tmp_path / "python")
    report = next(report for report in snapshot.plugins if report.name == "first")
    assert "Its Python cannot be started" in report.reason


REFUSED = {
    "@hookimpl\ndef layerwise_pages():\n    return []": "layerwise_pages",
    "TASK = Own(labels=('a', 'b'), size=(8, 8))": "has a task of its own",
    "build = lambda config, task: None": "build of the model a/b cannot be found by its name",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_described_is_refused(home, tmp_path, monkeypatch, line):
    code = f"""
from dataclasses import dataclass
from layerwise import ModelCard, ModelSpec, hookimpl, tasks

@dataclass(frozen=True, kw_only=True)
class Own(tasks.ImageClassification):
    type_name = "own"

TASK = tasks.ImageClassification(labels=("a", "b"), size=(8, 8))
def build(config, task):
    pass
build_named = build
{line}

@hookimpl
def layerwise_models():
    return [ModelSpec(name="a/b", task=TASK, build=build, card=ModelCard(title="A", summary="B."))]
"""
    module = f"sample_refused_{len(line)}"
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(code), encoding="utf-8")
    monkeypatch.setenv("LAYERWISE_PLUGINS", str(tmp_path / f"{module}.py"))
    (plugin,) = [plugin for plugin in Registry(home).snapshot().loaded if not plugin.report.built_in]
    with pytest.raises(LayerwiseError, match=REFUSED[line]):
        described(plugin)


def test_a_description_comes_back_as_it_was(home, tmp_path, monkeypatch):
    (tmp_path / "sample_whole.py").write_text(
        PLUGIN.replace("import tiny_package", "").replace("NAME", "whole").replace("MODULE", "sample_whole")
    )
    monkeypatch.setenv("LAYERWISE_PLUGINS", str(tmp_path / "sample_whole.py"))
    (plugin,) = [plugin for plugin in Registry(home).snapshot().loaded if not plugin.report.built_in]
    back = restored(json.dumps(described(plugin)), "/a/python")
    for spec, known in zip(back["layerwise_models"], plugin.registered["layerwise_models"], strict=True):
        assert (spec.name, spec.task, spec.card, spec.data) == (known.name, known.task, known.card, known.data)
        for variant, former in zip(spec.variants, known.variants, strict=True):
            assert (variant.name, variant.task) == (former.name, former.task)
            assert dataclasses.asdict(variant.config) == dataclasses.asdict(former.config)
    assert back["layerwise_datasets"][0].sources[0].read == "sample_whole:read"
