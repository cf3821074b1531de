"""Published models of each family: added from a folder, they answer exactly as transformers itself does."""

from __future__ import annotations

import contextlib
import itertools
import threading

import hub_samples
import numpy as np
import pytest
from hub_samples.files import change
from PIL import Image

from layerwise.errors import InputError, WeightsError
from layerwise.registry import Registry
from layerwise.runner import last_answer, make_runner
from layerwise.serving.in_use import find_version
from layerwise.versions import VersionStore

pytest.importorskip("torch", reason='published models need torch: pip install "layerwise[hub]"')
pytest.importorskip("transformers")
hub = pytest.importorskip("layerwise_hub.library")
from layerwise_hub import task_making  # noqa: E402 (after what it needs)
from layerwise_hub.repository import Folder  # noqa: E402

TEXTS = ["the cat sat on the mat", "a dog", "music is louder in the evening than all night"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def added(home, tmp_path):
    """`added(family)`: the spec, the runner and the folder of a tiny model, added and registered."""
    with contextlib.ExitStack() as stack:

        def make(family, task=None, name=None, **settings):
            folder = tmp_path / (name or family)
            folder.mkdir()
            hub_samples.write(family, folder, **settings)
            entry = hub.add(hub.look(str(folder), task=task), lambda *_: None)
            spec = Registry(home).snapshot().model(entry.name)
            version = find_version(VersionStore(home), spec, None, None)
            runner = stack.enter_context(contextlib.closing(make_runner(spec, version)))
            return spec, runner, folder

        yield make


def ask(runner, **inputs):
    return last_answer(runner.run(inputs, None, threading.Event()))


def picture(width=80, height=60, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), "uint8"))


def sound(seconds=2.0):
    return np.random.default_rng(0).normal(0, 0.1, int(16_000 * seconds)).astype("float32")


def pipe(task, folder):
    from transformers import logging, pipeline

    logging.set_verbosity_error()
    return pipeline(task, model=str(folder))


@pytest.mark.parametrize("family", ["vit", "resnet", "convnext", "swin"])
def test_pictures_are_classified(added, family):
    spec, runner, folder = added(family)
    assert spec.name == f"vision/local-{family}"
    assert spec.task.labels == ("cat", "dog", "fish")
    assert not spec.is_trainable
    expected = {row["label"]: row["score"] for row in pipe("image-classification", folder)(picture())}
    answer = ask(runner, image=picture())
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-5)
    assert answer["label"] == max(expected, key=expected.get)
    batch = runner.run_batch([{"image": picture()}, {"image": picture(40, 40, 1)}])
    assert batch[0]["probabilities"] == pytest.approx(expected, abs=1e-5)
    pixels = np.stack([np.asarray(picture(32, 32, seed)) for seed in range(3)])
    logits = runner.outputs(pixels)
    assert logits.shape == (3, 3)
    again = ask(runner, image=Image.fromarray(pixels[1]))["probabilities"]
    assert runner.task.decode(logits)[1]["probabilities"] == pytest.approx(again, abs=1e-5)


def test_classes_of_one_name_are_told_apart(added):
    spec, _, _ = added("vit", labels={0: "crane", 1: "dog", 2: "crane"})
    assert spec.task.labels == ("crane", "dog", "crane (2)")


def test_things_are_found(added):
    spec, runner, folder = added("yolos")
    assert spec.task.type_name == "object-detection"
    expected = pipe("object-detection", folder)(picture(), threshold=0.1)
    found = ask(runner, image=picture(), threshold=0.1)["objects"].found
    assert len(found) == len(expected) > 0
    for mine, right in zip(found, sorted(expected, key=lambda row: -row["score"]), strict=True):
        assert mine.score == pytest.approx(right["score"], abs=1e-5)
        assert mine.label == right["label"]
        # The pipeline gives whole pixels.
        assert mine.box == pytest.approx(tuple(right["box"][side] for side in ("xmin", "ymin", "xmax", "ymax")), abs=1)
    assert ask(runner, image=picture(), threshold=0.95)["objects"].found == ()
    measured = runner.outputs(np.asarray(picture())[None])
    assert measured[0].boxes.shape[1] == 4
    assert (np.diff(measured[0].scores) <= 0).all()


def test_areas_are_found(added):
    import io

    spec, runner, folder = added("segformer")
    assert spec.task.labels == ("cat", "dog")  # the first class is the ground
    expected = np.zeros((60, 80), int)
    for row in pipe("image-segmentation", folder)(picture(), subtask="semantic"):
        number = {"background": 0, "cat": 1, "dog": 2}[row["label"]]
        expected[np.asarray(row["mask"]) > 0] = number
    answer = ask(runner, image=picture())
    labels = np.asarray(Image.open(io.BytesIO(answer["labels"]["content"])))
    assert (labels == expected).all()
    assert "of 2 classes" in answer["summary"] or answer["summary"] == "Nothing was found."
    # A large picture is computed smaller and drawn at its size.
    large = ask(runner, image=picture(1400, 900))
    assert Image.open(io.BytesIO(large["labels"]["content"])).size == (1400, 900)


@pytest.mark.parametrize("family", ["clip", "chinese_clip", "siglip", "siglip2"])
def test_pictures_are_told_by_labels_that_somebody_names(added, family):
    spec, runner, folder = added(family)
    is_independent = "siglip" in family
    assert spec.task.type_name == "zero-shot-image-classification"
    assert spec.task.is_independent == is_independent
    labels = ["the moon", "a dog", "a cat, asleep"]
    judge = pipe("zero-shot-image-classification", folder)
    expected = {row["label"]: row["score"] for row in judge(picture(), candidate_labels=labels)}
    answer = ask(runner, image=picture(), labels="the moon\na dog\na cat, asleep")
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-5)
    assert answer["label"] == max(expected, key=expected.get)
    assert (sum(answer["probabilities"].values()) == pytest.approx(1)) is not is_independent
    template = "music about {} in the evening"
    expected = {
        row["label"]: row["score"] for row in judge(picture(), candidate_labels=labels, hypothesis_template=template)
    }
    answer = ask(runner, image=picture(), labels=labels, template=template)
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-5)
    # Those that are asked about the same labels are looked at together, and each keeps its place.
    asked = [{"image": picture(seed=seed), "labels": ["a cat", ("a dog", "the moon")[seed % 2]]} for seed in range(5)]
    for inputs, found in zip(asked, runner.run_batch(asked), strict=True):
        assert found["probabilities"] == pytest.approx(ask(runner, **inputs)["probabilities"], abs=1e-5)


def test_what_nobody_can_tell_a_picture_by_is_explained(added):
    _, runner, _ = added("clip")
    for labels, said in (
        ("", "no labels"),
        ("a cat, a cat", "twice"),
        (",".join(map(str, range(500))), "too many labels"),
        ("a cat, " + "zq" * 48, "'zqzq.* is too long for this network.*at most 64 tokens"),
    ):
        with pytest.raises(InputError, match=said):
            ask(runner, image=picture(), labels=labels)
    with pytest.raises(InputError, match="cannot be read as a picture"):
        ask(runner, image=b"no picture", labels="a cat, a dog")


def test_a_video_is_no_picture(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    hub_samples.write("clip", folder)
    change(folder / "config.json", architectures=["XCLIPModel"])
    with pytest.raises(WeightsError, match="No task here shows what"):
        hub.look(str(folder))


@pytest.mark.parametrize(
    ("family", "settings", "farthest"),
    [
        ("depth_anything", {}, None),
        ("depth_anything", {"depth_estimation_type": "metric", "max_depth": 80}, 80),
        ("dpt", {}, None),
        ("glpn", {}, 10),
        ("zoedepth", {}, 10),
    ],
)
def test_how_far_away_things_are(added, family, settings, farthest, monkeypatch):
    import io

    from torch.nn.functional import interpolate
    from transformers.models.zoedepth import image_processing_pil_zoedepth

    class Resizing:
        """What transformers 5.24 takes of torchvision here, whether that is installed or not."""

        class InterpolationMode:
            BICUBIC = "bicubic"

        @staticmethod
        def resize(depth, size, interpolation, antialias):
            assert not antialias
            return interpolate(depth[None], size=size, mode=interpolation, align_corners=False)[0]

    monkeypatch.setattr(image_processing_pil_zoedepth, "tvF", Resizing, raising=False)
    spec, runner, folder = added(family, **settings)
    assert spec.task.type_name == "depth-estimation"
    assert (spec.task.is_metric, spec.task.grows_nearer) == (farthest is not None, farthest is None)
    assert spec.task.farthest == farthest
    teller = pipe("depth-estimation", folder)
    for size in ((80, 60), (33, 100)):
        right = teller(picture(*size))["predicted_depth"].numpy()
        assert np.ptp(right) > 1e-4
        answer = ask(runner, image=picture(*size))
        assert answer["depth"].size == size
        values = np.asarray(Image.open(io.BytesIO(answer["map"]["content"]))).astype(float)
        if farthest is None:
            assert values == pytest.approx(65_535 * (right - right.min()) / np.ptp(right), abs=2)
        else:
            steps = 1000 if farthest == 10 else 100
            assert values / steps == pytest.approx(right, abs=0.5 / steps + 1e-4)
            assert f"{right.max():.2f} m (dark)" in answer["summary"]
    for size, shown in (((7, 5), (7, 5)), ((1, 20), (1, 20)), ((3000, 1500), (1448, 724))):
        assert ask(runner, image=picture(*size))["depth"].size == shown
    with pytest.raises(InputError, match="too narrow"):
        ask(runner, image=picture(2, 60))


@pytest.mark.parametrize(
    ("config", "meaning"),
    [
        ({"model_type": "dpt", "add_projection": True}, (True, None)),
        ({"model_type": "dpt"}, (False, None)),
        ({"model_type": "zoedepth", "bin_configurations": [{"max_depth": 10}, {"max_depth": 80.0}]}, (True, 80.0)),
        ({"model_type": "depth_pro"}, (True, None)),
        ({"model_type": "depth_anything", "max_depth": 1}, (False, None)),
    ],
)
def test_what_depths_mean_is_told_by_the_family(config, meaning, tmp_path):
    task = task_making.depth_estimation(config, Folder(tmp_path))
    assert (task.is_metric, task.farthest) == meaning
    with pytest.raises(WeightsError, match=r"mean is not known here.*chmv2"):
        task_making.depth_estimation({"model_type": "chmv2"}, Folder(tmp_path))


@pytest.mark.parametrize("family", ["bert_classifier", "distilbert_classifier", "roberta_classifier"])
def test_texts_are_classified(added, family):
    _, runner, folder = added(family)
    judge = pipe("text-classification", folder)
    for text, answer in zip(TEXTS, runner.run_batch([{"text": text} for text in TEXTS]), strict=True):
        expected = {row["label"]: row["score"] for row in judge(text, top_k=None)}
        assert answer["probabilities"] == pytest.approx(expected, abs=1e-5)
    logits = runner.outputs(np.array(TEXTS, object))
    assert logits.shape == (3, 3)
    # Longer than the network has places for: the beginning is read.
    assert ask(runner, text="the cat sat on the mat " * 60)["label"] in ("cat", "dog", "fish")


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_texts_are_gone_on_with(added, family):
    _, runner, folder = added(family, **({"chat": False} if family == "llama" else {}))
    right = pipe("text-generation", folder)("the cat sat", max_new_tokens=12, do_sample=False, repetition_penalty=1.0)
    asked = {"text": "the cat sat", "temperature": 0, "repetition_penalty": 1, "max_tokens": 12}
    parts = list(runner.run(asked, None, threading.Event()))
    assert parts[-1]["text"] == right[0]["generated_text"]
    assert len(parts) > 1  # it streams
    cancelled = threading.Event()
    stream = runner.run({**asked, "max_tokens": 50}, None, cancelled)
    next(stream)
    cancelled.set()
    assert len(list(stream)) <= 1
    measured = runner.outputs(np.array(TEXTS, object))
    import torch

    row = torch.tensor([runner.tokenizer(TEXTS[0]).input_ids])
    with torch.inference_mode():
        loss = float(runner.network(input_ids=row, labels=row).loss)
    assert measured["nats"][0] / measured["tokens"][0] == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_it_talks_by_its_own_chat_template(added, family):
    spec, runner, folder = added(family)
    assert spec.task.type_name == "dialogue"
    history = [{"role": "user", "content": "a dog"}, {"role": "assistant", "content": "barked"}]
    messages = [*history, {"role": "user", "content": "the cat"}]
    right = pipe("text-generation", folder)(messages, max_new_tokens=10, do_sample=False, repetition_penalty=1.0)
    answer = ask(
        runner, message="the cat", history=history, temperature=0, repetition_penalty=1, max_tokens=10, top_p=1
    )
    assert answer["reply"].strip() == right[0]["generated_text"][-1]["content"].strip()


def test_whisper_writes_down_with_times(added):
    spec, runner, folder = added("whisper")
    assert spec.name == "speech/local-whisper"
    right = pipe("automatic-speech-recognition", folder)(
        sound(), return_timestamps=True, generate_kwargs={"task": "transcribe", "num_beams": 1}
    )
    answer = ask(runner, audio=(16_000, sound()))
    assert answer["text"] == right["text"].strip()
    assert all(0 <= row["from (s)"] <= row["to (s)"] <= 2.0 for row in answer["words"])
    assert all(0 <= row["confidence"] <= 1 for row in answer["words"])
    assert ask(runner, audio=(16_000, np.zeros(16_000, "float32")))["text"] == ""


def test_letters_are_heard_one_by_one(added):
    _, runner, folder = added("wav2vec2")
    right = pipe("automatic-speech-recognition", folder)(sound())
    answer = ask(runner, audio=(16_000, sound()))
    assert answer["text"] == right["text"].strip()
    assert all(row["from (s)"] < row["to (s)"] <= 2.01 for row in answer["words"])
    audio = np.empty(1, object)
    audio[0] = sound()
    assert runner.outputs({"audio": audio, "speaker": np.array(["a"], object)})["text"][0] == answer["text"]


def test_long_sounds_are_cut_where_they_are_quiet():
    from layerwise_hub.runners.speech import pieces

    waveform = np.ones(70 * 1000, "float32")
    waveform[27_000:27_200] = waveform[52_000:52_200] = 0
    found = pieces(waveform, 1000)
    assert found[0][0] == 0
    assert found[-1][1] == len(waveform)
    assert 27_000 <= found[0][1] <= 27_200
    assert 52_000 <= found[1][1] <= 52_200
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(found))


@pytest.mark.parametrize(("pooling", "is_normalised"), [("mean", True), ("cls", False)])
def test_texts_become_vectors(added, pooling, is_normalised):
    import torch

    spec, runner, _ = added("sentence_encoder", pooling=pooling, is_normalised=is_normalised)
    assert spec.task.dimensions == 16
    assert spec.card.licence == "apache-2.0"
    vectors = runner.outputs(np.array(TEXTS, object))
    for text, vector in zip(TEXTS, vectors, strict=True):
        with torch.inference_mode():
            states = runner.network(**runner.tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        right = states.mean(0) if pooling == "mean" else states[0]
        right = right / right.norm() if is_normalised else right
        assert vector == pytest.approx(right.numpy(), abs=1e-5)
    answer = ask(runner, text=TEXTS[0], others="a dog\n\nthe cat sat on the mat\nmoon")
    assert answer["nearest"][0] == {"text": TEXTS[0], "similarity": 1.0}
    assert len(answer["map"]) == 1
    assert len(answer["vector"]) == 16


@pytest.mark.slow
def test_texts_are_translated(added):
    import torch

    spec, runner, _ = added("t5")
    assert spec.task.directions == ("en to de",) or spec.task.directions == ("English to German",)
    answer = ask(runner, text="the cat sat")
    batch = runner.tokenizer("translate English to German: the cat sat", return_tensors="pt")
    batch.pop("token_type_ids", None)
    with torch.inference_mode():
        most = max(2 * batch["input_ids"].shape[1], 16)
        right = runner.network.generate(**batch, num_beams=4, do_sample=False, max_new_tokens=most)
    assert answer["translation"] == runner.tokenizer.decode(right[0], skip_special_tokens=True).strip()
    both = ask(runner, text="the cat sat. a dog barked.")
    assert both["alternatives"] == []
    measured = runner.outputs({"text": np.array(["the cat sat"], object), "direction": np.zeros(1, "int32")})
    assert measured["text"][0] == answer["translation"]


def test_marian_tells_its_languages_by_its_name(added):
    spec, runner, _ = added("marian", name="opus-mt-en-de")
    assert spec.task.directions == ("English to German",)
    answer = ask(runner, text="a dog")
    assert answer["alignment"][0].values.shape[0] >= 1


def test_files_that_have_changed_are_refused(added, home, tmp_path):
    spec, _, folder = added("vit")
    with (folder / "config.json").open("a") as file:
        file.write(" ")
    version = find_version(VersionStore(home), spec, None, None)
    with pytest.raises(WeightsError, match=r"not what it was when the model was added.*hub update vision/local-vit"):
        make_runner(spec, version)
    entry, is_changed = hub.update("vision/local-vit", lambda *_: None)
    assert is_changed
    assert entry.name == "vision/local-vit"
    make_runner(spec, version).close()
    assert hub.update("vision/local-vit", lambda *_: None)[1] is False


def test_weights_that_lack_the_head_are_refused(added, tmp_path):
    with pytest.raises(WeightsError, match="are missing in the weights"):
        added("sentence_encoder", task="text-classification")
