"""Probes: trained on the vectors of a published network, asked, and refused with another one."""

import csv
import os

import hub_samples
import numpy as np
import pytest

from layerwise import jobs, open_workspace
from layerwise.errors import NotFoundError, WeightsError
from layerwise.registry import Registry
from layerwise.splits import Split

pytest.importorskip("torch", reason='published models need torch: pip install "layerwise[hub]"')
pytest.importorskip("transformers")
library = pytest.importorskip("layerwise_hub.library")
probes = pytest.importorskip("layerwise_hub.probes")

NAME = "language/local-encoder-probe"
TEXTS = {"cat": "the cat sat on the mat", "music": "music is louder in the evening"}


@pytest.fixture
def encoder(home, tmp_path, monkeypatch):
    """The folder of a tiny encoder that was added."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "encoder"
    folder.mkdir()
    hub_samples.sentence_encoder(folder)
    library.add(library.look(str(folder)), lambda *_: None)
    probes.encoder_of.cache_clear()
    return folder


@pytest.fixture
def task(encoder, home):
    return Registry(home).snapshot().model(NAME).task


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        rows.writerows((f"{text} {number}", label) for label, text in TEXTS.items() for number in range(30))
    return path


def texts(count=5):
    return Split(np.array([f"text {number}" for number in range(count)], object), np.zeros(count, "int32"))


def test_whoever_adds_an_encoder_can_train_a_probe_on_it(encoder, home):
    spec = Registry(home).snapshot().model(NAME)
    assert spec.is_trainable
    assert [variant.name for variant in spec.variants] == ["linear", "dense"]
    with open_workspace(home) as workspace, pytest.raises(NotFoundError, match="has no weights yet"):
        workspace.predictor.predict(NAME, {"text": "a cat"})
    library.remove("language/local-encoder")
    assert NAME not in Registry(home).snapshot().models


def test_vectors_are_those_of_the_encoder_and_computed_once(task):
    told = []
    found = task.prepared(texts(), "five texts", lambda *progress: told.append(progress))
    np.testing.assert_allclose(found.inputs, task.encode_batch(texts().inputs), atol=1e-6)
    np.testing.assert_allclose(found.inputs[1:2], task.encode({"text": "text 1"}), atol=1e-5)
    assert told == [(0, 5), (5, 5)]
    again = task.prepared(texts(), "five texts", lambda *_: pytest.fail("they are known"))
    np.testing.assert_array_equal(again.inputs, found.inputs)
    more = task.prepared(texts(6), "five texts", lambda *progress: told.append(progress))
    assert len(more.inputs) == 6
    assert len(told) == 4


def test_another_encoder_is_refused(encoder, task):
    task.encode({"text": "a cat"})
    hub_samples._change(encoder / "config.json", layer_norm_eps=0.5)
    library.add(library.look(str(encoder)), lambda *_: None)
    probes.encoder_of.cache_clear()
    with pytest.raises(WeightsError, match=f"layerwise train {NAME}"):
        task.encode({"text": "a cat"})
    library.remove("language/local-encoder")
    with pytest.raises(NotFoundError, match="local-encoder"):
        task.encode({"text": "a cat"})


@pytest.mark.slow
def test_a_probe_is_trained_on_a_table_promoted_and_asked(encoder, home, table):
    with open_workspace(home) as workspace:
        spec = workspace.registry.snapshot().model(NAME)
        config = spec.variants[0].config
        run = workspace.runs.create(spec, "linear", config, data=table)
        jobs.start(run).wait(timeout=200)
        assert (run.state, run.reason) == ("finished", "")
        assert {"what", "done", "total"} <= next(event for event in run.events() if "what" in event).keys()
        assert run.history()[-1]["val_accuracy"] > 0.9
        workspace.versions.promote(spec, run)
        for label, text in TEXTS.items():
            assert workspace.predictor.predict(NAME, {"text": f"{text} 99"})["label"] == label
        assert workspace.predictor.predict_batch(NAME, [{"text": text} for text in TEXTS.values()])


@pytest.mark.slow
def test_a_stop_while_texts_are_read_is_a_stop(encoder, home, table):
    with open_workspace(home) as workspace:
        spec = workspace.registry.snapshot().model(NAME)
        run = workspace.runs.create(spec, "linear", spec.variants[0].config, data=table)
        run.request_stop()
        jobs.start(run).wait(timeout=200)
        assert run.state == "stopped"


def test_the_server_needs_no_torch_for_it(encoder, home):
    assert os.environ.get("KERAS_BACKEND") != "torch"
