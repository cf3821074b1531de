"""What the scaffolder writes, as its author uses it: installed by pip, tested by its own tests, trained and asked."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from layerwise.registry import Registry
from layerwise.scaffold import DEFAULT_TASK, NewPlugin, create

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of a fresh virtual environment that has what this one has, without a second installation of it."""
    pytest.importorskip("setuptools", reason="needs setuptools, which pip would otherwise download")
    place = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    paths = {"base": str(place), "platbase": str(place)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    (packages / "parent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    return Path(sysconfig.get_path("scripts", "venv", paths)) / "python"


@pytest.fixture
def run(python, home):
    """`run(folder, words...)`: what `python -m words...` prints in a folder; the test fails when it fails."""

    def run(folder, *words):
        done = subprocess.run([python, "-m", *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


# One that answers with labels and one that does not: their tests differ. test_scaffold.py trains the others.
@pytest.mark.parametrize("task", [DEFAULT_TASK, pytest.param("tabular-regression", marks=pytest.mark.long)])
def test_its_own_tests_pass(task, run, home, tmp_path):
    plugin = NewPlugin(name=f"sample-{task}", task=task)
    folder = create(plugin, tmp_path / "plugin", Registry(home).snapshot())
    run(folder, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", ".")
    assert "passed" in run(folder, "pytest", "-q", "-p", "no:cacheprovider")


def test_it_is_trained_and_asked_by_commands(run, home, tmp_path):
    from PIL import Image, ImageDraw

    plugin = NewPlugin(name="bird-songs", task=DEFAULT_TASK)
    folder = create(plugin, tmp_path / "plugin", Registry(home).snapshot())
    run(folder, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", ".")
    picture = Image.new("RGB", (64, 64), "navy")
    ImageDraw.Draw(picture).ellipse((16, 16, 48, 48), fill="gold")
    picture.save(tmp_path / "sun.png")
    # Elsewhere: the package that was installed answers, not its folder.
    cli = "layerwise_app.cli"
    run(tmp_path, cli, "train", plugin.model, "--promote")
    (found,) = json.loads(run(tmp_path, cli, "predict", plugin.model, "sun.png", "--json"))
    assert found["answer"]["label"] == "circle"
    assert json.loads(run(tmp_path, cli, "evaluate", plugin.model, "--json"))["metrics"]["accuracy"] > 0.9
    # Weights that lie in the package are a part of what is installed.
    run(folder, "layerwise.shipping", json.loads(run(tmp_path, cli, "runs", "--json"))[0]["id"], "bird_songs/weights")
    model = folder / "bird_songs" / "model.py"
    code = model.read_text(encoding="utf-8").replace(
        'summary="Three stages of convolutions",',
        'summary="Three stages of convolutions",\n            weights=Path(__file__).parent / "weights",',
    )
    model.write_text(f"from pathlib import Path\n\n{code}", encoding="utf-8")
    run(folder, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--force-reinstall", ".")
    shown = json.loads(run(tmp_path, cli, "--home", "fresh", "show", plugin.model, "--json"))
    assert shown["variants"][0]["version"] == "shipped"
    assert shown["variants"][0]["measured"]["metrics"]["accuracy"] > 0.9
