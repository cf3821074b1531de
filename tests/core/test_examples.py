"""The plugins in examples/, each as its reader would have it: installed, trained, asked, and tested by its own tests,
which hold it to the contract."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fresh_process import run_python
from plugins_sample.samples import describe

import layerwise
from layerwise import jobs
from layerwise.datasets.sample_data import write_sample

EXAMPLES = Path(__file__).parents[2] / "examples"
LINEAR = EXAMPLES / "linear-baseline"


def project_of(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def plugin(site, monkeypatch):
    """`plugin(folder)`: an example is there as `pip install -e` leaves it, for this process and those it starts."""

    def add(folder):
        project = project_of(folder)
        points = project["entry-points"]["layerwise.plugins"]
        lines = ["[layerwise.plugins]", *(f"{name} = {module}" for name, module in points.items())]
        describe(site, project["name"], "\n".join(lines) + "\n", version=project["version"])
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ["PYTHONPATH"]]))

    return add


@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda folder: folder.name)
def test_each_is_a_distribution_with_an_entry_point(folder):
    project = project_of(folder)
    (module,) = project["entry-points"]["layerwise.plugins"].values()
    assert (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file()
    assert list(folder.glob("test_*.py"))
    assert any(text.startswith("layerwise>=") for text in project["dependencies"])
    code = f"""
        import json, sys
        import {module}
        print(json.dumps([name for name in ("keras", "sklearn", "pyspiel") if name in sys.modules]))
    """
    done = run_python(code, PYTHONPATH=os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    assert json.loads(done.stdout) == [], done.stderr
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "pip install -e ." in readme
    assert "layerwise train " in readme


@pytest.mark.slow
def test_the_linear_baseline_learns_stops_goes_on_and_answers(plugin, home, tmp_path):
    plugin(LINEAR)
    with layerwise.open_workspace(home) as workspace:
        spec = workspace.registry.snapshot().model("vision/linear")
        sample = tmp_path / "sample"
        write_sample(spec.task, sample)
        run = jobs.start(workspace.runs, spec, data=sample)
        assert list(jobs.follow(run))[-1]["event"] == "finished", run.log_text()
        assert run.history()[-1]["accuracy"] > 0.9
        workspace.versions.promote(spec, run)
        picture = sorted(sample.rglob("*.png"))[0]
        label = picture.parent.name
        answer = workspace.predictor.predict("vision/linear", {"image": picture})
        assert answer["label"] == label
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda folder: folder.name)
def test_each_passes_its_own_tests(folder, plugin):
    plugin(folder)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "1000", str(folder)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
