"""The scaffolder: names, refusals, and a plugin of each task as it is written, registered and built."""

import errno
import keyword
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fresh_process import run_python
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins_sample.samples import describe

from layerwise.errors import InputError, NotFoundError, PluginError
from layerwise.registry import Registry
from layerwise.scaffold import DEFAULT_TASK, NewPlugin, check_name, create, rendered, tasks
from layerwise.specs import check_name as check_spec_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = ("q", "bird-songs", "a234567890-b23456789-c23456789-d23456789")
"""The shortest, a usual and the longest name: what is written must be formatted with all of them."""


@pytest.fixture
def made(site, monkeypatch):
    """`made(task)`: a plugin of that task, installed as an editable distribution is, and what is registered then."""

    def make(task):
        plugin = NewPlugin(name="bird-songs", task=task)
        folder = create(plugin, site / "bird-songs", Registry().snapshot())
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        ((group, points),) = project["entry-points"].items()
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        describe(site, project["name"], f"[{group}]\n{lines}", version=project["version"])
        monkeypatch.syspath_prepend(str(folder))
        return plugin, Registry().snapshot()

    return make


@pytest.mark.parametrize("name", [*NAMES, "x1", "top-10", "match"])
def test_usable_names(name):
    check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "Bird", "bird_songs", "bird songs", "3d", "-a", "a-", "a--b", "vögel", "a/b", "../a", "a" * 41, "a.b", "a\n"],
)
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match="no usable name"):
        check_name(name)


@pytest.mark.parametrize(
    ("typed", "offered"), [("Bird Songs", "bird-songs"), ("bird_songs", "bird-songs"), ("3d", "b")]
)
def test_a_near_name_is_offered(typed, offered):
    with pytest.raises(InputError, match=f"a name such as {offered}"):
        check_name(typed)


@pytest.mark.parametrize("name", ["class", "import", "tests", "build"])
def test_words_that_mean_something_else_are_refused(name):
    with pytest.raises(InputError, match=f"my-{name}"):
        check_name(name)


@settings(deadline=None)
@given(st.text("ab1-_.", min_size=1, max_size=6))
def test_a_name_that_passes_can_be_used_everywhere(name):
    try:
        plugin = NewPlugin(name=name)
    except InputError:
        return
    assert plugin.module.isidentifier()
    assert not keyword.iskeyword(plugin.module)
    check_spec_name("", plugin.model, parts=2)
    check_spec_name("", name)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("json", "the module json"),
        ("scikit-learn", "the distribution scikit-learn"),
        ("layerwise-vision", "the module layerwise_vision"),
        ("vision", "the plugin vision"),
        ("fashion", "the model vision/fashion"),
        ("sst2", "the data set sst2"),
    ],
)
def test_names_that_are_taken_are_refused(name, what, home, tmp_path):
    with pytest.raises(PluginError, match=what):
        create(NewPlugin(name=name), tmp_path / "new", Registry(home).snapshot())
    assert not (tmp_path / "new").exists()


def test_the_name_of_a_plugin_that_is_a_file_is_taken(home, tmp_path):
    (home / "plugins").mkdir()
    code = "from layerwise import hookimpl\n\n\n@hookimpl\ndef layerwise_models():\n    return []\n"
    (home / "plugins" / "my_lone_pets.py").write_text(code)
    snapshot = Registry(home).snapshot()
    with pytest.raises(PluginError, match="the plugin my-lone-pets and the module my_lone_pets"):
        create(NewPlugin(name="my-lone-pets"), tmp_path / "new", snapshot)


def test_an_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(NotFoundError, match=", ".join(tasks())):
        NewPlugin(name="bird-songs", task="poetry")


def test_the_default_task_stands_first_and_the_documents_name_all():
    assert tasks()[0] == DEFAULT_TASK
    assert len(tasks()) >= 5
    document = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
    _, _, section = document.partition("## From nothing, in one command")
    assert [task for task in tasks() if f"`{task}`" not in section.partition("\n## ")[0]] == []


def test_a_folder_with_anything_in_it_is_left_alone(home, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    for place in (folder, folder / "mine.txt"):
        with pytest.raises(InputError, match="is there already"):
            create(NewPlugin(name="bird-songs"), place, Registry(home).snapshot())
    assert [path.name for path in tmp_path.iterdir() if path != home] == ["new"]
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]


def test_an_empty_folder_is_filled_and_missing_ones_are_made(home, tmp_path):
    (tmp_path / "empty").mkdir()
    inode = (tmp_path / "empty").stat().st_ino
    plugin, snapshot = NewPlugin(name="bird-songs"), Registry(home).snapshot()
    for place in (tmp_path / "empty", tmp_path / "a" / "b"):
        folder = create(plugin, place, snapshot)
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert files == rendered(plugin).keys()
        assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
    assert (tmp_path / "empty").stat().st_ino == inode


def test_nothing_is_left_when_the_disk_is_full(home, tmp_path, monkeypatch):
    snapshot, write, written = Registry(home).snapshot(), Path.write_text, []

    def fail_at_third(path, *arguments, **options):
        written.append(path)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", fail_at_third)
    with pytest.raises(InputError, match="No space left on device"):
        create(NewPlugin(name="bird-songs"), tmp_path / "new" / "plugin", snapshot)
    assert len(written) == 3
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("task", tasks())
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_clean(name, task, tmp_path):
    plugin = NewPlugin(name=name, task=task)
    files = rendered(plugin)
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
        assert content.endswith("\n"), path
        assert not content.endswith("\n\n"), path
        assert "{%" not in content, path
        assert "{{" not in content or path.endswith("test.yml"), path
    # The rules of this repository, with what is written as the code of one's own; and the rules that it brings itself.
    ours = ["--config", str(ROOT / "pyproject.toml"), "--config", 'src=["."]']
    for words in (["check", *ours], ["format", "--check", *ours], ["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "."]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("task", tasks())
def test_its_dependencies_are_those_of_layerwise(task):
    project = tomllib.loads(rendered(NewPlugin(name="bird-songs", task=task))["pyproject.toml"])["project"]
    known = {text.partition(",")[0] for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]}
    own, *others = project["dependencies"]
    assert own.startswith("layerwise>=")
    assert {*others, *project["optional-dependencies"]["dev"]} <= known
    assert PROJECT["requires-python"].startswith(project["requires-python"])
    assert project["license"] == PROJECT["license"]


@pytest.mark.parametrize("task", tasks())
def test_it_is_registered(task, made):
    plugin, snapshot = made(task)
    (report,) = [report for report in snapshot.plugins if report.name == "bird-songs"]
    assert (report.status, report.reason, report.models) == ("loaded", "", (plugin.model,))
    spec = snapshot.model(plugin.model)
    assert spec.task.type_name == task
    assert spec.data == "bird-songs"
    card = spec.card
    assert all((card.title, card.summary, card.description, card.limits, card.licence, card.sources))
    # It is there now: nobody begins another one of that name.
    with pytest.raises(PluginError, match="the plugin bird-songs and the model"):
        create(plugin, Path("elsewhere"), snapshot)


@pytest.mark.parametrize("task", tasks())
def test_registering_it_imports_nothing_heavy(task, made, site):
    made(task)
    code = "import sys, bird_songs.model; print(*{name.partition('.')[0] for name in sys.modules})"
    done = run_python(code, PYTHONPATH=f"{site / 'bird-songs'}:{ROOT / 'core'}")
    assert "bird_songs" in done.stdout, done.stderr
    assert not set(done.stdout.split()) & {"keras", "tensorflow", "numpy", "PIL", "gradio"}


@pytest.mark.parametrize("task", tasks())
def test_its_networks_and_its_data_fit(task, made):
    import numpy as np

    from layerwise.data import load

    plugin, snapshot = made(task)
    spec = snapshot.model(plugin.model)
    splits, again = (load(snapshot.datasets[spec.data]).splits for _ in range(2))
    assert all(np.array_equal(splits[name].inputs, again[name].inputs) for name in splits)
    known, others = ({np.asarray(row).tobytes() for row in splits[name].inputs} for name in ("train", "test"))
    assert not known & others
    fitted = spec.task.fitted(splits["train"], None)
    batch = fitted.to_train_on(splits["test"].select(np.arange(4)))
    for variant in spec.variants:
        network = spec.build(variant.config, fitted)
        outputs = network(np.asarray(batch.inputs))
        assert np.isfinite(float(fitted.loss(variant.config)(np.asarray(batch.targets), outputs)))
        for example in spec.examples():
            assert np.isfinite(np.asarray(network(fitted.encode(example.inputs)))).all()


@pytest.mark.slow
@pytest.mark.parametrize("task", tasks())
def test_it_learns(task, made, home):
    import layerwise
    from layerwise.context import Context
    from layerwise.evaluation import evaluate
    from layerwise.training import fit

    plugin, snapshot = made(task)
    spec = snapshot.model(plugin.model)
    with layerwise.open_workspace(home) as workspace:
        run = workspace.runs.create(spec, None, spec.variants[0].config)
        fit(Context.of(run, snapshot))
        workspace.versions.promote(spec, run)
        metrics = evaluate(workspace, plugin.model)["metrics"]
        # As the tests that it brings say it.
        assert eval(plugin.facts["learned"], {"metrics": metrics}), metrics
        for example in spec.examples():
            known = {"pytest": pytest, "example": example}
            answer = workspace.predictor.predict(plugin.model, example.inputs)
            assert eval(plugin.facts["answered"], known | {"answer": answer}), (example, answer)
