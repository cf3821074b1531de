"""fetch: published weights come, are shown, and answer; what goes wrong is a sentence, and Ctrl-C leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layerwise.versions import VersionStore

PLUGIN = Path(__file__).parents[2] / "plugins_sample" / "published"


@pytest.fixture
def published(toy, monkeypatch):
    """The home of somebody who has installed the plugin whose weights are published."""
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN), prepend=":")
    monkeypatch.syspath_prepend(str(PLUGIN))
    return toy


@pytest.fixture
def shelf(tmp_path):
    return Path(shutil.copytree(PLUGIN / "shelf", tmp_path / "shelf"))


@pytest.mark.slow
def test_from_nothing_to_an_answer(layerwise, published, shelf):
    missing = layerwise("predict", "words/mood", "good")
    assert missing.status == 1
    assert "layerwise fetch words/mood:short (about 3.0 MiB)" in missing.error
    assert "none yet: layerwise fetch words/mood:short" in layerwise("show", "words/mood").output
    fetched = layerwise("fetch", "words/mood")
    assert fetched.status == 0
    folder = VersionStore(published).last_fetched("words/mood", "short")
    size = next(folder.glob("weights-*")).stat().st_size
    for said in ("words/mood:short@fetched", str(PLUGIN / "shelf"), "CC0-1.0", f"{folder} ({size} bytes)"):
        assert said in fetched.output
    (found,) = layerwise("predict", "words/mood", "good", "--json").json
    assert found["answer"]["mood"]["for"] > 0.9
    shown = layerwise("show", "words/mood", "--json").json
    short, long = shown["variants"]
    assert (short["version"], long["version"], long["published"]) == ("fetched", None, None)
    assert short["published"] == {"source": str(PLUGIN / "shelf"), "bytes": 3 * 2**20, "licence": "CC0-1.0"}
    assert [version["id"] for version in shown["versions"]] == ["fetched"]
    (shelf / "times.txt").write_text("3")
    again = layerwise("fetch", "words/talk", "--from", str(shelf), "--json").json
    assert again == {
        "name": "words/talk",
        "variant": "parrot",
        "version": "fetched",
        "source": str(shelf),
        "licence": "CC0-1.0",
        "num_parameters": 1,
        "bytes": again["bytes"],
        "folder": str(VersionStore(published).last_fetched("words/talk", "parrot")),
        "in_use": "fetched",
    }
    (found,) = layerwise("predict", "words/talk", "so", "--json").json
    assert found["answer"] == {"reply": "so so so"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("words/mood", "--from", "nowhere"), "There is no scores.csv in nowhere. What to do: name the folder"),
        (("words/mood:long",), "words/mood:long has no published weights. What to do: choose one of words/mood:short"),
        (("words/mood:wide",), "choose one of short, long"),
        (("words/mod",), "did you mean words/mood"),
        (("words/mood@fetched",), "name the model and the variant only"),
        (("toy/bars",), "toy/bars:small has no published weights"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(layerwise, published, words, expected):
    result = layerwise("fetch", *words)
    assert result.status == 1
    assert expected in result.error
    assert "Traceback" not in result.error
    assert result.output == ""


def test_a_promoted_version_stays_in_use_and_that_is_said(layerwise, published):
    import numpy as np

    from layerwise.registry import Registry
    from layerwise.runs import RunStore
    from layerwise.weights import save_arrays

    spec = Registry(published).snapshot().model("words/talk")
    run = RunStore(published).create(spec, None, spec.variants[0].config)
    record = {"name": spec.name, "variant": "parrot", "task": {}, "config": {}}
    save_arrays({"kernel": np.ones((1, 1), np.float32)}, run.folder / "version", record)
    assert layerwise("promote", run.id).status == 0
    assert f"In use is still words/talk:parrot@{run.id}." in layerwise("fetch", "words/talk").output
    assert layerwise("rollback", "words/talk").output == "In use again: words/talk:parrot@fetched\n"


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_there(layerwise, published, shelf):
    assert layerwise("fetch", "words/talk").status == 0
    store = VersionStore(published)
    former = store.last_fetched("words/talk", "parrot")
    (shelf / "wait").touch()
    words = [sys.executable, "-m", "layerwise_app.cli", "fetch", "words/talk", "--from", str(shelf)]
    # Tests that run in the background ignore Ctrl-C, and so would what they start.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy())
    signal.signal(signal.SIGINT, usual)
    try:
        end = time.monotonic() + 60
        while not (shelf / "waiting").exists():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert output == ""
    assert list(former.parent.iterdir()) == [former]
    assert json.loads((former / "version.json").read_text())["source"] == str(PLUGIN / "shelf")
