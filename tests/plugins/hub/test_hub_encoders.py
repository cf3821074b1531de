"""Published encoders of pictures and of sounds: vectors as transformers gives them, of which the nearest are found."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import threading
import wave

import hub_samples
import numpy as np
import pytest
from hub_samples.files import change, without
from PIL import Image

from layerwise.errors import InputError, WeightsError
from layerwise.registry import Registry
from layerwise.runner import last_answer, make_runner
from layerwise.serving.in_use import find_version
from layerwise.versions import VersionStore

pytest.importorskip("torch", reason='published models need torch: pip install "layerwise[hub]"')
pytest.importorskip("transformers")
hub = pytest.importorskip("layerwise_hub.library")

RATE = 16_000


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def added(home, tmp_path):
    """`added(family, task, part)`: the spec, the runner and the folder of a tiny encoder, whose weights lack a part if
    one is named."""
    with contextlib.ExitStack() as stack:

        def make(family, task=None, part=""):
            folder = tmp_path / family
            folder.mkdir()
            hub_samples.write(family, folder)
            if part:
                without(folder, part)
            entry = hub.add(hub.look(str(folder), task=task), lambda *_: None)
            spec = Registry(home).snapshot().model(entry.name)
            version = find_version(VersionStore(home), spec, None, None)
            return spec, stack.enter_context(contextlib.closing(make_runner(spec, version))), folder

        yield make


def ask(runner, **inputs):
    return last_answer(runner.run(inputs, None, threading.Event()))


def picture(seed=0, width=80, height=60):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), "uint8"))


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def tone(hertz, seconds=1.0):
    time = np.arange(int(RATE * seconds)) / RATE
    return (0.4 * np.sin(2 * np.pi * hertz * time) + np.random.default_rng(0).normal(0, 0.02, len(time))).astype(
        "float32"
    )


def wav(waveform):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((waveform * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def outputs_of(folder, processor, **given):
    """What transformers itself gives."""
    import torch
    import transformers

    network = transformers.AutoModel.from_pretrained(folder).eval()
    batch = getattr(transformers, processor).from_pretrained(folder)(**given, return_tensors="pt")
    with torch.inference_mode():
        return network(**batch)


@pytest.mark.parametrize(
    ("family", "vector"),
    [
        ("vit_encoder", lambda found: found.pooler_output),
        ("dinov2", lambda found: found.last_hidden_state[:, 0]),
        ("ijepa", lambda found: found.last_hidden_state.mean(1)),
        ("swin_encoder", lambda found: found.last_hidden_state.mean(1)),
        ("convnext_encoder", lambda found: found.pooler_output),
        ("resnet_encoder", lambda found: found.last_hidden_state.mean((2, 3))),
        ("clip_vision", lambda found: found.pooler_output),
        ("siglip_vision", lambda found: found.pooler_output),
    ],
)
def test_pictures_become_vectors(added, family, vector):
    spec, runner, folder = added(family)
    assert (spec.task.type_name, spec.task.of, spec.task.dimensions) == ("embedding", "image", 16)
    assert spec.name == f"vision/local-{family.replace('_', '-')}"
    right = vector(outputs_of(folder, "AutoImageProcessor", images=picture())).numpy()
    assert right.shape == (1, 16)
    assert ask(runner, image=picture())["vector"] == pytest.approx(right[0], abs=1e-5)
    pixels = np.stack([np.asarray(picture(seed)) for seed in range(3)])
    assert runner.outputs(pixels)[0] == pytest.approx(right[0], abs=1e-5)


@pytest.mark.parametrize(("family", "task"), [("dino", None), ("vit", "image-embedding")])
def test_without_a_trained_pooler_it_is_the_class_token(added, family, task):
    spec, runner, folder = added(family, task)
    right = outputs_of(folder, "AutoImageProcessor", images=picture()).last_hidden_state[0, 0].numpy()
    assert ask(runner, image=picture())["vector"] == pytest.approx(right, abs=1e-5)
    assert spec.task.of == "image"


def test_the_nearest_pictures_come_first_and_all_are_on_the_map(added, tmp_path):
    _, runner, _ = added("vit_encoder")
    path = tmp_path / "the same.png"
    picture(1).save(path)
    others = [{"name": f"{seed}.png", "content": png(picture(seed, 40 + seed, 50))} for seed in range(2, 20)]
    parts = list(runner.run({"image": picture(1), "others": [*others, path]}, None, threading.Event()))
    assert [len(part["nearest"]) for part in parts] == [16, 19, 19]
    answer = parts[-1]
    assert answer["nearest"][0] == {"file": "the same.png", "similarity": 1.0}
    assert {row["file"] for row in answer["nearest"]} == {"the same.png", *(f"{seed}.png" for seed in range(2, 20))}
    assert [line.label for line in answer["map"][0].lines][:2] == ["your picture", "2.png"]
    assert answer["pictures"].size == (960, 640)
    by_neighbours = ask(runner, image=picture(1), others=others, method="neighbours stay neighbours (t-SNE)")
    assert "t-SNE" in by_neighbours["map"][0].title
    alone = ask(runner, image=picture(1))
    assert (alone["nearest"], alone["map"], "pictures" in alone) == ([], [], False)
    cancelled = threading.Event()
    cancelled.set()
    assert list(runner.run({"image": picture(1), "others": others}, None, cancelled)) == []


def test_pictures_that_cannot_be_used_are_named(added):
    _, runner, _ = added("vit_encoder")
    bad = {"name": "../notes.txt", "content": b"no picture"}
    with pytest.raises(
        InputError, match=r"^notes.txt cannot be used: This file cannot be read as a picture.*a text file"
    ):
        ask(runner, image=picture(), others=[png(picture(1)), bad])
    with pytest.raises(InputError, match=r"^file 1 cannot be used: The picture is an empty file"):
        ask(runner, image=picture(), others=[b""])
    with pytest.raises(InputError, match=r"too many files.*at most 200"):
        ask(runner, image=picture(), others=[b""] * 201)
    with pytest.raises(InputError, match=r"^There is no picture"):
        ask(runner, others=[png(picture())])
    with pytest.raises(InputError, match="How the map is made is not known"):
        ask(runner, image=picture(), method="by magic")


@pytest.mark.parametrize("family", ["wav2vec2_encoder", "hubert", "wavlm", "spectrogram_transformer"])
def test_sounds_become_vectors(added, family):
    spec, runner, folder = added(family)
    assert (spec.task.of, spec.task.rate, spec.task.dimensions) == ("audio", RATE, 16)
    assert spec.name == f"speech/local-{family.replace('_', '-')}"
    found = outputs_of(folder, "AutoFeatureExtractor", raw_speech=tone(440), sampling_rate=RATE)
    right = found.pooler_output if family == "spectrogram_transformer" else found.last_hidden_state.mean(1)
    answer = ask(runner, audio=(RATE, tone(440)))
    assert answer["vector"] == pytest.approx(right[0].numpy(), abs=1e-5)
    audio = np.empty(1, object)
    audio[0] = tone(440)
    assert runner.outputs(audio)[0] == pytest.approx(right[0].numpy(), abs=1e-5)
    others = [{"name": f"{hertz}.wav", "content": wav(tone(hertz))} for hertz in (120, 440, 3000)]
    parts = list(runner.run({"audio": (RATE, tone(440)), "others": others}, None, threading.Event()))
    assert [len(part["nearest"]) for part in parts] == [1, 2, 3, 3]
    assert parts[-1]["nearest"][0]["file"] == "440.wav"
    assert parts[-1]["nearest"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    assert [line.label for line in parts[-1]["map"][0].lines] == ["your sound", "120.wav", "440.wav", "3000.wav"]
    # Shorter than what some networks make a moment of, and longer than what they take at once.
    for seconds in (0.02, 70):
        assert np.isfinite(ask(runner, audio=(RATE, tone(300, seconds)))["vector"]).all()
    with pytest.raises(InputError, match=r"^a.wav cannot be used: This file cannot be read as a sound"):
        ask(runner, audio=(RATE, tone(440)), others=[{"name": "a.wav", "content": b"no sound"}])
    with pytest.raises(InputError, match=r"too long.*at most 5 minutes"):
        ask(runner, audio=(RATE, np.zeros(301 * RATE, "float32")))


def test_of_a_long_sound_the_vector_is_the_mean_over_its_parts(added):
    from layerwise_hub.runners.speech import pieces

    _, runner, _ = added("wav2vec2_encoder")
    waveform = tone(440, 70)
    parts = pieces(waveform, RATE)
    vectors = [np.array(ask(runner, audio=(RATE, waveform[start:end]))["vector"]) for start, end in parts]
    weights = [end - start for start, end in parts]
    assert ask(runner, audio=(RATE, waveform))["vector"] == pytest.approx(np.average(vectors, 0, weights), abs=1e-5)
    short = pieces(waveform[: 5 * RATE], RATE, 2.0)
    assert all(0 < end - start <= 2 * RATE for start, end in short)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(short))


def test_what_hides_sounds_in_training_may_be_missing(added):
    for family in ("wav2vec2_encoder", "wav2vec2"):
        _, runner, _ = added(family, part="masked_spec_embed")
        assert ask(runner, audio=(RATE, tone(440)))


def test_an_encoder_of_texts_needs_no_pooler(added):
    _, runner, _ = added("sentence_encoder", part="pooler")
    assert ask(runner, text="the cat", others="the cat\na dog")["nearest"][0] == {"text": "the cat", "similarity": 1.0}


def test_an_encoder_whose_weights_lack_more_is_refused(added):
    with pytest.raises(WeightsError, match="are missing in the weights"):
        added("dinov2", part="layernorm")


@pytest.mark.parametrize(
    ("family", "task", "said"),
    [
        ("clip", "image-embedding", "cannot be added as an encoder of pictures"),
        ("wav2vec2", "image-embedding", "cannot be added as an encoder of pictures"),
        ("whisper", "audio-embedding", "cannot be added as an encoder of sounds"),
        ("vit", "audio-embedding", "cannot be added as an encoder of sounds"),
        ("bert_classifier", "image-embedding", "lacks a file"),
    ],
)
def test_what_is_no_such_encoder_is_refused(family, task, said, tmp_path):
    hub_samples.write(family, tmp_path)
    with pytest.raises(WeightsError, match=said):
        hub.look(str(tmp_path), task=task)


def test_a_masked_autoencoder_is_refused(tmp_path):
    hub_samples.write("vit_encoder", tmp_path)
    change(tmp_path / "config.json", architectures=["ViTMAEModel"], model_type="vit_mae")
    with pytest.raises(WeightsError, match="sees all of them"):
        hub.look(str(tmp_path), task="image-embedding")


def test_vectors_of_another_length_than_settings_say_are_refused(added, tmp_path, monkeypatch):
    from layerwise_hub import task_making

    monkeypatch.setattr(task_making, "_width", lambda config, repository: 7)
    _, runner, _ = added("vit_encoder")
    with pytest.raises(WeightsError, match=r"not as long as its config.json says.*7 numbers.*16"):
        ask(runner, image=picture())


@pytest.mark.slow
def test_from_a_folder_to_the_http_api_and_away_again(home, tmp_path, monkeypatch):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from layerwise import open_workspace
    from layerwise_app.web.api import make_api
    from layerwise_app.web.operation import Operation
    from layerwise_app.web.schemas import body_schema, example_inputs

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for family in ("dinov2", "hubert"):
        hub_samples.write(family, tmp_path / family)
        hub.add(hub.look(str(tmp_path / family)), lambda *_: None)
    name = "vision/local-dinov2"
    with open_workspace(home) as workspace:
        spec = workspace.registry.snapshot().model(name)
        inputs = example_inputs(spec, spec.task)
        assert inputs["others"][0]["name"] == "a blue square.png"
        json.dumps(body_schema(spec, spec.task))
        app = FastAPI()
        app.include_router(make_api(Operation(workspace, lambda: 1)))
        with TestClient(app) as client:
            answer = client.post(f"/api/v1/predict/{name}", json={"inputs": inputs}).json()["answer"]
            assert len(answer["nearest"]) == 3
            assert answer["pictures"].startswith("data:image/png;base64,")
            files = [
                ("image", ("mine.png", png(picture()))),
                *(("others", (f"{n}.png", png(picture(n)))) for n in (0, 1)),
            ]
            answer = client.post(f"/api/v1/predict/{name}", files=files).json()["answer"]
            assert answer["nearest"][0] == {"file": "0.png", "similarity": 1.0}
            refused = client.post(f"/api/v1/predict/{name}", json={"inputs": {**inputs, "others": "/etc/passwd"}})
            assert (refused.status_code, "Expected: a list of files." in refused.text) == (422, True)
            files = [("audio", ("a.wav", wav(tone(440)))), ("others", ("b.wav", wav(tone(440))))]
            answer = client.post("/api/v1/predict/speech/local-hubert", files=files).json()["answer"]
            assert answer["nearest"] == [{"file": "b.wav", "similarity": 1.0}]
            for kept in (name, "speech/local-hubert"):
                hub.remove(kept)
            workspace.registry.check()
            assert client.post(f"/api/v1/predict/{name}", json={"inputs": inputs}).status_code == 404
