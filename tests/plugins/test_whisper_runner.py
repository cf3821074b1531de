"""What Whisper answers: recordings window by window, silence, the language, and what one sees inside."""

import itertools
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest
from whisper_samples import SPECIAL, compiled, logits_of, publish, small_whisper, sounds

from layerwise.errors import InputError
from layerwise.fetching import fetch
from layerwise.runner import last_answer, make_runner
from layerwise.text.text_file import TextFile
from layerwise.versions import VersionStore
from layerwise_speech.whisper.cache import KeyValueCache
from layerwise_speech.whisper.decoding import segments_of, write_down
from layerwise_speech.whisper.model import WHISPER
from layerwise_speech.whisper.runner import WhisperRunner
from layerwise_speech.whisper.task import DETECTED, WANTED


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """With the weights of a small network that knows English and of one that knows three languages."""
    versions, folder = VersionStore(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("published")
    for variant, is_multilingual in (("tiny-en", False), ("tiny", True)):
        source = publish(small_whisper(), folder / variant, is_multilingual=is_multilingual)
        fetch(versions, WHISPER, variant, str(source))
    return versions


@pytest.fixture(scope="module")
def english(versions):
    return make_runner(WHISPER, versions.current(WHISPER, "tiny-en"))


@pytest.fixture(scope="module")
def multilingual(versions):
    return make_runner(WHISPER, versions.current(WHISPER, "tiny"))


@pytest.mark.slow
def test_a_published_network_becomes_a_version(versions, multilingual):
    assert isinstance(multilingual, WhisperRunner)
    version = versions.current(WHISPER, "tiny")
    assert version.id == "fetched"
    config, task = version.config, version.task
    assert (config.d_model, config.vocab_size, config.max_source_positions) == (32, 362, 50)
    assert task.special == SPECIAL
    assert task.samples == 16_000
    assert isinstance(task.tokenizer, TextFile)
    multilingual.warm()


@pytest.mark.slow
def test_it_answers_window_by_window(english):
    task, waveform = english.task, sounds(1, 2.5)[0]
    assert [item.name for item in task.inputs] == ["audio"]
    answers = list(english.run({"audio": (16_000, waveform)}, None, threading.Event()))
    assert len(answers) > 1
    assert "seconds were heard so far" in answers[0]["note"]
    assert "seconds were heard so far" not in answers[-1]["note"]
    for earlier, later in itertools.pairwise(answers):
        assert later["text"].startswith(earlier["text"])
        assert later["words"][: len(earlier["words"])] == earlier["words"]
    words = answers[-1]["words"]
    assert all(0 <= word["from (s)"] <= word["to (s)"] <= 2.5 for word in words)
    assert all(0 < word["confidence"] <= 1 for word in words)
    assert [word["from (s)"] for word in words] == sorted(word["from (s)"] for word in words)
    # The first window by hand.
    whisper = small_whisper()
    read, write_tokens = compiled(whisper)
    special = replace(SPECIAL, languages=())
    cache = KeyValueCache(write_tokens, whisper.shape, read(waveform[None, :16_000]))
    written = write_down(cache, [301], special, task.text_of_tokens, most=20)
    segments, _ = segments_of(written, special, 50)
    text = "".join(task.text_of_tokens(segment.tokens) for segment in segments)
    assert answers[0]["text"] == text.strip()


def test_several_recordings_are_measured(english):
    audio = np.empty(3, object)
    audio[:] = [sounds(1, 0.5)[0], np.zeros(8000, "float32"), sounds(1, 1.5, seed=4)[0]]
    speakers = np.array(["a", "b", "c"], object)
    found = english.outputs({"audio": audio, "speaker": speakers})
    assert found["speaker"] is speakers
    assert found["text"][1] == ""
    for place in (0, 2):
        answer = last_answer(english.run({"audio": (16_000, audio[place])}, None, threading.Event()))
        assert found["text"][place] == answer["text"]


def test_silence_is_no_text(english):
    waveform = np.zeros(40_000, "float32")
    answer = last_answer(english.run({"audio": (16_000, waveform)}, None, threading.Event()))
    assert answer["text"] == ""
    assert answer["words"] == []
    waveform[::100] = 0.0005
    answer = last_answer(english.run({"audio": (16_000, waveform)}, None, threading.Event()))
    assert answer["text"] == ""
    assert "Nobody was heard to speak" in answer["note"]
    with pytest.raises(InputError):
        english.run({"audio": None}, None, threading.Event())


@pytest.mark.slow
def test_the_language_is_detected_or_told(multilingual):
    task, waveform = multilingual.task, sounds(1, 0.9)[0]
    choices = {item.name: item.choices for item in task.inputs}
    assert choices["language"] == (DETECTED, "Chinese", "English", "German")
    window = task.window(waveform)
    right = logits_of(small_whisper(), window, [[301, 302]])[0, 0, 302:305]
    chances = np.exp(right) / np.exp(right).sum()
    name = ("English", "Chinese", "German")[chances.argmax()]
    inputs = {"audio": (16_000, waveform)}
    answer = last_answer(multilingual.run(inputs, None, threading.Event()))
    assert answer["language"] == f"{name} (detected, {chances.max():.0%})"
    texts = {"": answer["text"]}
    for language in choices["language"][1:]:
        for wanted in WANTED:
            given = {**inputs, "language": language, "wanted": wanted}
            answer = last_answer(multilingual.run(given, None, threading.Event()))
            assert answer["language"] == language
            texts[language, wanted] = answer["text"]
    assert texts[name, WANTED[0]] == texts[""]
    assert len(set(texts.values())) > 2


def test_it_stops_when_nobody_waits(english):
    cancelled = threading.Event()
    growing = english.run({"audio": (16_000, sounds(1, 5.0)[0])}, None, cancelled)
    next(growing)
    cancelled.set()
    assert list(growing) == []


def test_one_can_look_inside(multilingual):
    batch = multilingual.task.encode({"audio": (16_000, sounds(1, 2.0)[0]), "language": "German"})
    assert batch["audio"].shape == (1, 16_000)
    assert batch["tokens"].tolist() == [[301, 304, 306, 311]]
    names = multilingual.task.part_names(batch)["tokens"]
    assert names == ["<|startoftranscript|>", "<|de|>", "<|transcribe|>", "0.00 s"]
    outputs = multilingual.model(batch)
    assert outputs.shape == (1, 4, 362)
    assert multilingual.task.explained(outputs).shape == (1, 362)
    assert len(multilingual.task.decode(keras.ops.convert_to_numpy(outputs))) == 1
