"""Plugins of one file: in the home, named by the variable, changed while a process looks, and wrong in every way."""

import json
import os
import sys

import pytest
from fresh_process import run_python
from plugins_sample.samples import GOOD, HEAD

from layerwise.errors import InputError
from layerwise.plugins import files
from layerwise.registry import Registry


@pytest.fixture
def own(home, site, monkeypatch):
    """`own(name, code)` puts a plugin into the home. Its modules and its folder are forgotten after the test."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv(files.VARIABLE, raising=False)
    folder = home / files.FOLDER
    folder.mkdir()

    def write(name, code=GOOD):
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
        return folder / f"{name}.py"

    yield write
    for name in set(sys.modules) - before:
        if hasattr(sys.modules[name], "__layerwise_digest__"):
            del sys.modules[name]


def report(snapshot, name):
    return next(report for report in snapshot.plugins if report.name == name)


def registering(name):
    return HEAD + f"@hookimpl\ndef layerwise_models():\n    return [model('sample/{name}')]\n"


def test_a_file_in_the_home_is_a_plugin(own, home):
    path = own("my_pets")
    snapshot = Registry(home).snapshot()
    found = report(snapshot, "my-pets")
    assert (found.status, found.source, found.built_in) == ("loaded", str(path), False)
    assert found.models == ("sample/good",)
    assert "sample/good" in snapshot.models


def test_functions_are_found_by_name_here_and_in_another_process(own, home):
    code = registering("good").replace('"json:dumps"', '"my_pets:build"')
    own("my_pets", code + "\n\ndef build(config, task):\n    return 42\n")
    done = run_python(
        """
        import pickle
        from layerwise.registry import Registry
        from layerwise.specs import resolve
        build = resolve(Registry().snapshot().model("sample/good").build)
        assert pickle.loads(pickle.dumps(build)) is build
        print(build(None, None))
        """
    )
    assert done.stdout.strip() == "42", done.stderr


def test_files_beside_it_can_be_imported_and_are_no_plugins(own, home):
    own("_names", "NAME = 'sample/beside'")
    own("uses", HEAD + "import _names\n@hookimpl\ndef layerwise_models():\n    return [model(_names.NAME)]\n")
    snapshot = Registry(home).snapshot()
    assert report(snapshot, "uses").models == ("sample/beside",)
    assert not any("names" in found.name for found in snapshot.plugins)


def test_one_that_comes_changes_and_goes_is_seen(own, home):
    registry = Registry(home)
    first = registry.snapshot()
    path = own("pets", registering("one"))
    second = registry.check()
    assert (second.number, "sample/one" in second.models) == (first.number + 1, True)
    assert registry.check() is second
    assert registry.reload() is second, "nothing is different"
    own("pets", registering("two"))  # of the same length, within the same second
    third = registry.check()
    assert third.number == second.number + 1
    assert "sample/two" in third.models
    assert "sample/one" not in third.models
    path.unlink()
    assert "sample/two" not in registry.check().models


def test_a_mistake_in_a_change_is_reported_and_mended(own, home):
    registry = Registry(home)
    own("pets", registering("one"))
    assert "sample/one" in registry.snapshot().models
    own("pets", "def layerwise_models(:\n")
    broken = registry.check()
    assert "sample/one" not in broken.models
    assert report(broken, "pets").reason == "Running its file raised SyntaxError: invalid syntax (pets.py, line 1)."
    own("pets", registering("two"))
    assert "sample/two" in registry.check().models


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("json", GOOD, "json.py is called like the module json, which is there already"),
        ("colorsys", GOOD, "colorsys.py is called like the module colorsys"),  # not imported yet
        ("two words", GOOD, "two words.py cannot be imported. Expected: a name of letters, digits and underscores."),
        ("hollow", "answer = 42", "It implements no hook"),
        ("raises", "1 / 0", "Running its file raised ZeroDivisionError: division by zero."),
        ("leaves", "import sys\nsys.exit()", "Running its file raised SystemExit"),
    ],
)
def test_one_that_is_wrong_says_why_and_others_go_on(own, home, name, code, reason):
    own("fine", registering("fine"))
    own(name, code)
    snapshot = Registry(home).snapshot()
    found = report(snapshot, name)
    assert (found.status, found.models) == ("failed", ())
    assert reason in found.reason
    assert {"sample/fine", "vision/fashion"} <= set(snapshot.models)
    if "ZeroDivision" in reason:
        assert "1 / 0" in found.traceback
        assert files.__file__ not in found.traceback
    assert sys.modules["json"] is json


def test_one_that_would_kill_the_process_is_found_before(own, home):
    own("deadly", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    look = "from layerwise.registry import Registry\nprint(len(Registry().snapshot().models))"
    assert run_python(look).returncode == 0
    assert run_python(look).returncode == 0
    assert report(Registry(home).snapshot(), "deadly").status == "quarantined"


def test_a_name_is_taken_once(own, home, tmp_path, monkeypatch):
    own("pets")
    other = tmp_path / "elsewhere" / "pets.py"
    other.parent.mkdir()
    other.write_text(registering("other"), encoding="utf-8")
    monkeypatch.setenv(files.VARIABLE, str(other))
    snapshot = Registry(home).snapshot()
    assert "sample/good" in snapshot.models
    assert "sample/other" not in snapshot.models
    assert [found.status for found in snapshot.plugins if found.name == "pets"] == ["loaded", "failed"]


def test_the_variable_names_files_and_folders(own, home, tmp_path, monkeypatch):
    folder = tmp_path / "more"
    folder.mkdir()
    for name in ("ant", "bee"):
        (folder / f"{name}.py").write_text(registering(name), encoding="utf-8")
    monkeypatch.setenv(files.VARIABLE, os.pathsep.join([str(folder / "bee.py"), str(folder), "/not/there.py"]))
    snapshot = Registry(home).snapshot()
    assert [name for name in snapshot.models if name.startswith("sample/")] == ["sample/bee", "sample/ant"]
    assert "Its file cannot be read" in report(snapshot, "there").reason


def test_use_adds_to_the_variable(own, tmp_path, monkeypatch):
    path = own("pets")
    monkeypatch.setenv(files.VARIABLE, "/one.py")
    for _ in range(2):
        files.use([path])
    assert os.environ[files.VARIABLE] == os.pathsep.join(["/one.py", str(path)])
    for wrong in (tmp_path / "nowhere.py", tmp_path):
        with pytest.raises(InputError, match=r"There is no plugin .* Expected: a Python file, such as my_pets\.py"):
            files.use([wrong])
