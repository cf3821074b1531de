"""`layerwise verify` as a person meets it, with a plugin that ships two small models."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from layerwise import shipping, weights
from layerwise.registry import Registry
from layerwise.versions import SHIPPED, VersionStore

PLUGIN = """
import time
from pathlib import Path

from layerwise import DatasetSpec, ModelCard, ModelSpec, Source, Variant, hookimpl, tasks
from layerwise.runner import Runner

FOLDER = Path(__file__).parent


class Brightest(Runner):
    def __init__(self, version):
        from layerwise.weights import read_arrays

        self.factors = read_arrays(version.folder)["factors"]

    def run(self, inputs, session, cancelled):
        return self.outputs(None)

    def outputs(self, batch):
        if (FOLDER / "slow").exists():
            (FOLDER / "begun").touch()
            time.sleep(60)
        return batch.reshape(len(batch), 2, -1).mean(axis=2) * self.factors


def read(files):
    import numpy as np

    from layerwise.data import Split

    pictures = np.random.default_rng(0).integers(0, 256, (300, 4, 4, 1)).astype("uint8")
    halves = pictures.reshape(300, 2, -1).mean(axis=2)
    return {"train": Split(pictures, halves.argmax(axis=1)), "test": Split(pictures, halves.argmax(axis=1))}


@hookimpl
def layerwise_datasets():
    return [DatasetSpec(name="halves", title="Halves", sources=(Source(name="drawn", read=read, licence="CC0-1.0"),))]


@hookimpl
def layerwise_models():
    return [
        ModelSpec(
            name=f"marks/{name}",
            task=tasks.ImageClassification(labels=("upper", "lower"), size=(4, 4), channels=1),
            build=print,
            runner=Brightest,
            data="halves",
            card=ModelCard(title="Brightest", summary="Which half of a picture is the brighter one."),
            variants=(Variant(name="default", weights=FOLDER / name),),
        )
        for name in ("first", "second")
    ]
"""


@pytest.fixture
def plugin(tmp_path, home, monkeypatch):
    """The file of the plugin, whose weights are measured."""
    file = tmp_path / "site" / "marks.py"
    file.parent.mkdir()
    file.write_text(PLUGIN, encoding="utf-8")
    monkeypatch.setenv("LAYERWISE_PLUGINS", str(file))
    # Of a test before this one, in whose folder its weights were.
    monkeypatch.delitem(sys.modules, file.stem, raising=False)
    snapshot = Registry(home).snapshot()
    for name in ("first", "second"):
        spec = snapshot.model(f"marks/{name}")
        record = {
            "name": spec.name,
            "variant": "default",
            "task": spec.task.parameters(),
            "config": {},
            "data": {"dataset": "halves", "folder": None},
            "command": f"layerwise train {spec.name}:default",
        }
        factors = np.array([1.0, 1.01 if name == "second" else 1.0], "float32")
        weights.save_arrays({"factors": factors}, file.parent / name, record)
        shipping.measured_again(snapshot, VersionStore(home).get(spec, None, SHIPPED))
    return file


def test_right_figures_are_shown_and_the_status_is_good(layerwise, plugin):
    result = layerwise("--plugin", str(plugin), "verify", "marks/first", "marks/second:default")
    assert result.status == 0, result.output + result.error
    first, second = (line.split() for line in result.output.splitlines() if line.lstrip().startswith("marks/"))
    assert first[:4] == ["marks/first:default", "1.0000", "1.0000", "right"]
    assert second[3] == "right"
    assert second[1] == second[2] < "1.0000"
    assert "2 right; " in result.output


def test_a_wrong_and_a_stale_figure_are_explained_and_the_status_is_bad(layerwise, plugin):
    folder = plugin.parent / "first"
    record = weights.read_record(folder)
    record["measured"]["metrics"]["accuracy"] = 0.5
    weights.write_record(folder, record)
    folder = plugin.parent / "second"
    weights.save_arrays({"factors": np.array([1.0, 1.2], "float32")}, folder, weights.read_record(folder))
    result = layerwise("--plugin", str(plugin), "verify", "marks/first", "marks/second")
    assert result.status == 1
    assert "accuracy is 1 and not 0.5" in result.output
    assert "It was measured with other weights than are there now." in result.output
    assert "1 wrong, 1 stale; " in result.output
    found = layerwise("--plugin", str(plugin), "verify", "marks/first", "--quick", "--json")
    assert (found.status, found.json["asked"]) == (1, 1)
    (model,) = found.json["models"]
    assert (model["state"], model["recorded"], model["measured"], model["examples"]) == ("wrong", 0.5, 1.0, 200)


def test_what_ships_nothing_is_said(layerwise, toy):
    result = layerwise("verify", "toy/bars")
    assert result.status == 1
    assert "toy/bars is nothing that is shipped" in result.error


@pytest.mark.slow
def test_ctrl_c_shows_what_was_found(plugin):
    (plugin.parent / "slow").touch()
    command = [sys.executable, "-m", "layerwise_app.cli", "verify", "vision/faces", "marks/first"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not (plugin.parent / "begun").exists():
        assert time.monotonic() < end, "it did not begin"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "vision/faces:default" in output
    assert "Stopped after 1 of 2." in output
    assert "Traceback" not in output + error
