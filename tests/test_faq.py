"""The failures that docs/faq.md explains: each is brought about, and says the words that stand there."""

import importlib.util
import json
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import gradio
import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from layerwise import data, jobs, weights
from layerwise.errors import LayerwiseError
from layerwise.hardware.slots import parse_device
from layerwise.hyperparameters.tuning import need_keras_tuner
from layerwise.job_folders import liveness
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.versions import SHIPPED, read_version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def sections():
    """What is quoted below each heading: sentences, each in a line."""
    text = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    found = {}
    for title, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        blocks = re.findall(r"^```text\n(.*?)^```", body, re.MULTILINE | re.DOTALL)
        found[title] = [" ".join(part.split()) for block in blocks for part in block.split("\n\n")]
    return found


QUOTED = sections()


def is_quoted(title, said):
    """Whether a sentence stands below that heading, where dots stand for anything."""
    patterns = [".*".join(map(re.escape, sentence.split("..."))) for sentence in QUOTED[title]]
    return any(re.fullmatch(pattern, " ".join(said.split())) for pattern in patterns)


def said_by(function, *arguments, **named):
    with pytest.raises(LayerwiseError) as caught:
        function(*arguments, **named)
    return str(caught.value)


def test_there_are_ten_and_each_quotes_something():
    *failures, last = QUOTED.items()
    assert len(failures) == 10
    assert all(sentences for _, sentences in failures)
    assert last == ("Something else", [])


def test_pip_names_the_pythons_and_the_tensorflow_that_the_project_asks_for():
    wanted = SpecifierSet(PROJECT["requires-python"])
    tensorflow = next(Requirement(text) for text in PROJECT["dependencies"] if text.startswith("tensorflow"))
    first, second = QUOTED["It cannot be installed"]
    assert first.endswith(f"not in '{wanted}'")
    assert second.endswith(f" {tensorflow}")


def test_a_port_that_is_taken(home):
    from layerwise_app.web.server import serve

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = said_by(serve, "127.0.0.1", port, home=home)
    assert is_quoted("The port is taken", said.replace(str(port), "7860"))


def test_data_that_are_not_there(home, monkeypatch, tmp_path):
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path))
    spec = Registry(home).snapshot().dataset("fashion-mnist")
    assert is_quoted("Data are not there, or there is no internet", said_by(data.load, spec, offline=True))


def test_a_gpu_that_is_not_seen():
    assert is_quoted("The GPU is not seen", said_by(parse_device, "gpu", 0))


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert is_quoted("A package is missing", said_by(need_keras_tuner))


def death(path, **before):
    """What is said of a process that died, if the system had said this at its start."""
    liveness.sign_in(path)
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **before}), encoding="utf-8")
    return liveness.reason_of_death(path)


def test_memory_that_runs_out(tmp_path):
    title = "The memory runs out"
    assert is_quoted(title, jobs.sentence_of(MemoryError()))
    assert is_quoted(title, jobs.sentence_of(RuntimeError("RESOURCE_EXHAUSTED: Out of memory while allocating 1 GiB")))
    assert is_quoted(title, death(tmp_path / "process.json", killed_for_memory=-1))


def test_what_gradio_says_of_a_microphone_that_no_browser_hands_out():
    [sentence] = QUOTED["The microphone or the camera stays silent"]
    scripts = (Path(gradio.__file__).parent / "templates" / "frontend" / "assets").glob("*.js")
    assert any(sentence in script.read_text(encoding="utf-8") for script in scripts)


def test_a_plugin_that_ends_its_process(home, tmp_path):
    (tmp_path / "birds.py").write_text("import os\n\nos._exit(3)\n", encoding="utf-8")
    words = ["--home", str(home), "--plugin", str(tmp_path / "birds.py"), "plugins", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "layerwise_app.cli", *words], capture_output=True, text=True, check=False
    )
    [report] = [item for item in json.loads(done.stdout) if item["name"] == "birds"]
    assert is_quoted("A plugin is quarantined", report["reason"])


def test_a_training_that_was_stopped(home, tmp_path):
    title = "The training was stopped, or the machine was"
    assert is_quoted(title, death(tmp_path / "process.json"))
    assert is_quoted(title, death(tmp_path / "process.json", boot="another"))
    spec = Registry(home).snapshot().model("vision/fashion")
    run = RunStore(home).create(spec, "dense", spec.variant("dense").config)
    run.append("finished")
    assert is_quoted(title, said_by(jobs.resume, run))


def test_weights_that_do_not_fit(home, tmp_path):
    title = "Weights do not fit"
    spec = Registry(home).snapshot().model("vision/fashion")
    record = weights.read_record(spec.variant("dense").weights)

    def read(**changes):
        folder = tmp_path / "version"
        weights.save_arrays({"kernel": np.zeros((2, 3), "float32")}, folder, {**record, "config": {"no": 1}})
        kept = json.loads((folder / "version.json").read_text(encoding="utf-8"))
        (folder / "version.json").write_text(json.dumps({**kept, **changes}), encoding="utf-8")
        return folder

    assert is_quoted(title, said_by(read_version, spec, "dense", SHIPPED, read()))
    assert is_quoted(title, said_by(weights.read_record, read(format=2)))
    arrays = weights.read_arrays(read())
    said = said_by(weights.check_same_architecture, arrays, {"kernel": np.zeros((2, 4))}, tmp_path)
    assert is_quoted(title, said)
    [file] = read().glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1])
    assert is_quoted(title, said_by(weights.read_arrays, file.parent))
