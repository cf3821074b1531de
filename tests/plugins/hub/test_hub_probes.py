"""Probes: trained on the vectors of a published network, asked, and refused with another one."""

import subprocess
import sys
import time

import hub_samples
import numpy as np
import pytest
from hub_samples.files import change
from hub_samples.own_data import write_pictures, write_texts
from hub_samples.words import TEXTS as SAMPLES

from layerwise import jobs, open_workspace
from layerwise.errors import NotFoundError, WeightsError
from layerwise.evaluation import evaluate
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.splits import Split

pytest.importorskip("torch", reason='published models need torch: pip install "layerwise[hub]"')
pytest.importorskip("transformers")
library = pytest.importorskip("layerwise_hub.library")
probed = pytest.importorskip("layerwise_hub.probed")

NAME = "language/local-encoder-probe"
TEXTS = {"cat": SAMPLES[0], "music": SAMPLES[2]}


@pytest.fixture
def encoder(home, tmp_path, monkeypatch):
    """The folder of a tiny encoder that was added."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "encoder"
    folder.mkdir()
    hub_samples.write("sentence_encoder", folder)
    library.add(library.look(str(folder)), lambda *_: None)
    probed.encoder_of.cache_clear()
    return folder


@pytest.fixture
def task(encoder, home):
    return Registry(home).snapshot().model(NAME).task.fitted(texts(), None)


@pytest.fixture
def table(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    write_texts(folder)
    return folder / "texts.csv"


@pytest.fixture(params=["vit", "resnet", "swin"])
def classifier(request, home, tmp_path, monkeypatch):
    """The name of a tiny classifier of pictures that was added."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / request.param
    folder.mkdir()
    hub_samples.write(request.param, folder)
    probed.encoder_of.cache_clear()
    return library.add(library.look(str(folder)), lambda *_: None).name


def texts(count=5):
    return Split(np.array([f"text {number}" for number in range(count)], object), np.zeros(count, "int32"))


def test_whoever_adds_an_encoder_can_train_a_probe_on_it(encoder, home):
    spec = Registry(home).snapshot().model(NAME)
    assert spec.is_trainable
    assert [variant.name for variant in spec.variants] == ["linear", "dense", "lora"]
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
    change(encoder / "config.json", layer_norm_eps=0.5)
    library.add(library.look(str(encoder)), lambda *_: None)
    probed.encoder_of.cache_clear()
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


def test_the_numbers_inside_are_of_all_tokens_without_padding(task):
    """Each text alone, where nothing is padded; hidden states as transformers gives them."""
    import torch

    encoder = probed.encoder_of(task.encoder, task.digest)
    texts = ["the cat", "music is louder in the evening than all night"]
    found = encoder.insides(texts)
    np.testing.assert_allclose(found[:1], encoder.insides(texts[:1]), atol=1e-5)
    network = encoder.network
    with torch.inference_mode():
        states = network(**encoder.encoded(texts[:1]), output_hidden_states=True).hidden_states
    width, neurons = network.config.hidden_size, network.config.intermediate_size
    assert found.shape == (2, len(states) * width + 2 * (len(states) - 1) * neurons)
    np.testing.assert_allclose(found[0, :width], states[-1][0].mean(0), atol=1e-5)
    mean, greatest = found[:, width : width + neurons], found[:, width + neurons : width + 2 * neurons]
    assert (greatest >= mean - 1e-5).all()
    assert (greatest > mean + 1e-3).any()
    second = slice(width + 2 * neurons, 2 * width + 2 * neurons)
    np.testing.assert_allclose(found[0, second], states[-2][0].mean(0), atol=1e-5)


def test_whoever_adds_a_classifier_of_pictures_can_train_a_probe_on_it(classifier, home):
    spec = Registry(home).snapshot().model(f"{classifier}-probe")
    assert spec.is_trainable
    assert spec.task.type_name == "probed-pictures"
    assert spec.task.labels == ("cat", "dog", "fish")
    assert [variant.name for variant in spec.variants] == ["linear", "dense", "lora"]


def test_pictures_are_seen_once(classifier, home):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), "uint8")
    pictures = Split(pixels, np.zeros(5, "int32"))
    task = Registry(home).snapshot().model(f"{classifier}-probe").task.fitted(pictures, None)
    told = []
    found = task.prepared(pictures, "five pictures", lambda *progress: told.append(progress))
    assert found.inputs.shape == (5, task.dimensions)
    np.testing.assert_allclose(found.inputs, task.encode_batch(pixels), atol=2e-3)
    assert told == [(0, 5), (5, 5)]
    again = task.prepared(pictures, "five pictures", lambda *_: pytest.fail("they are known"))
    np.testing.assert_array_equal(again.inputs, found.inputs)
    encoder = probed.encoder_of(task.encoder, task.digest)
    assert len(encoder.heads) == 1
    # First comes what the published network tells classes by: its head makes its logits of that.
    head = encoder.heads[0]
    values, bias = (part.detach().numpy() for part in (head.weight, head.bias))
    numbers = task.encode_batch(pixels)[:, : head.in_features]
    np.testing.assert_allclose(numbers @ values.T + bias, encoder.outputs(pixels), atol=1e-5)


@pytest.mark.parametrize("classifier", ["vit"], indirect=True)
def test_the_numbers_inside_are_means_over_places(classifier, home):
    import torch

    entry = library.Manifest().entry(classifier)
    encoder = probed.encoder_of(classifier, probed.digest_of(entry))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), "uint8")
    found = encoder.insides(pixels)
    with torch.inference_mode():
        batch = encoder.processor(images=list(pixels), return_tensors="pt")
        states = encoder.network(**batch, output_hidden_states=True).hidden_states
    width, neurons = encoder.network.config.hidden_size, encoder.network.config.intermediate_size
    assert found.shape == (2, width + len(states) * width + (len(states) - 1) * neurons)
    np.testing.assert_allclose(found[:, width : 2 * width], states[-1].mean(1), atol=1e-5)
    second = slice(2 * width + neurons, 3 * width + neurons)
    np.testing.assert_allclose(found[:, second], states[-2].mean(1), atol=1e-5)


@pytest.mark.parametrize("classifier", ["dinov2", "convnext_encoder"], indirect=True)
def test_a_probe_on_an_encoder_of_pictures_begins_with_its_vector(classifier, home):
    spec = Registry(home).snapshot().model(f"{classifier}-probe")
    assert (spec.data, len(spec.task.labels), spec.task.size) == ("cifar10", 10, (224, 224))
    encoder = probed.encoder_of(spec.task.encoder, spec.task.digest)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 40, 32, 3), "uint8")
    found, vectors = encoder.insides(pixels), encoder.outputs(pixels)
    np.testing.assert_allclose(found[:, : vectors.shape[1]], vectors, atol=1e-5)
    assert found.shape[1] > 2 * vectors.shape[1], "nothing of the layers"
    assert spec.task.fitted(Split(pixels, np.zeros(2, "int32")), None).dimensions == found.shape[1]


@pytest.mark.slow
@pytest.mark.parametrize("classifier", ["resnet", "dinov2"], indirect=True)
def test_a_probe_is_trained_on_a_folder_of_pictures_promoted_and_asked(classifier, home, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    write_pictures(folder)
    with open_workspace(home) as workspace:
        spec = workspace.registry.snapshot().model(f"{classifier}-probe")
        run = jobs.start(workspace.runs, spec, data=folder)
        assert [*jobs.follow(run)][-1]["event"] == "finished", run.log_text()
        assert {event["what"] for event in run.events() if "what" in event} == {
            "pictures seen by the published network"
        }
        assert run.history()[-1]["val_accuracy"] > 0.9
        version = workspace.versions.promote(spec, run)
        assert version.task.labels == ("blue", "red")
        for label in version.task.labels:
            asked = {"image": folder / label / "7.png"}
            assert workspace.predictor.predict(spec.name, asked)["label"] == label
        assert evaluate(workspace, spec.name, data=folder)["metrics"]["accuracy"] > 0.8
