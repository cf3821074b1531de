"""Probes: trained on the vectors of a published network, asked, and refused with another one."""

import csv
import subprocess
import sys
import time

import hub_samples
import numpy as np
import pytest

from layerwise import jobs, open_workspace
from layerwise.errors import NotFoundError, WeightsError
from layerwise.registry import Registry
from layerwise.runs import RunStore
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
    return Registry(home).snapshot().model(NAME).task.fitted(texts(), None)


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


def test_texts_are_read_once(task):
    told = []
    found = task.prepared(texts(), "five texts", lambda *progress: told.append(progress))
    np.testing.assert_allclose(found.inputs, task.encode_batch(texts().inputs), atol=2e-3)
    np.testing.assert_allclose(found.inputs[1:2], task.encode({"text": "text 1"}), atol=2e-3)
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
        run = jobs.start(workspace.runs, spec, data=table)
        end = time.monotonic() + 200
        while run.is_active and time.monotonic() < end:
            time.sleep(0.2)
        assert (run.state, run.reason) == ("finished", "")
        read = [(event["done"], event["total"]) for event in run.events() if "what" in event]
        assert {done for done, _ in read} >= {0, max(total for _, total in read)}
        assert run.history()[-1]["val_accuracy"] > 0.9
        workspace.versions.promote(spec, run)
        for label, text in TEXTS.items():
            assert workspace.predictor.predict(NAME, {"text": f"{text} 7"})["label"] == label
        assert len(workspace.predictor.predict_batch(NAME, [{"text": text} for text in TEXTS.values()])) == 2


@pytest.mark.slow
def test_a_stop_while_texts_are_read_ends_the_training_there(encoder, home, table):
    spec = Registry(home).snapshot().model(NAME)
    run = RunStore(home).create(spec, "linear", spec.variants[0].config, data=table)
    run.request_stop()
    code = f"""
from pathlib import Path
from layerwise.context import Context
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.runs import Run
from layerwise_hub.probes import train
train(Context.of(Run(Path({str(run.folder)!r})), Registry().snapshot()))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)
    assert [event["event"] for event in run.events()] == ["queued"]


def test_the_numbers_inside_are_means_over_tokens_without_padding(task):
    """Each text alone, where nothing is padded; hidden states as transformers gives them."""
    import torch

    encoder = probes.encoder_of(task.encoder, task.digest)
    texts = ["the cat", "music is louder in the evening than all night"]
    found = encoder.insides(texts)
    np.testing.assert_allclose(found[:1], encoder.insides(texts[:1]), atol=1e-5)
    network = encoder.network
    with torch.inference_mode():
        states = network(**encoder.encoded(texts[:1]), output_hidden_states=True).hidden_states
    width, neurons = network.config.hidden_size, network.config.intermediate_size
    assert found.shape == (2, len(states) * width + (len(states) - 1) * neurons)
    np.testing.assert_allclose(found[0, :width], states[-1][0].mean(0), atol=1e-5)
    second = slice(width + neurons, 2 * width + neurons)
    np.testing.assert_allclose(found[0, second], states[-2][0].mean(0), atol=1e-5)
