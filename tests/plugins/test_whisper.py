"""Whisper against transformers, and against itself with a cache; the rules of what it writes; and what it answers."""

import itertools
import os
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_samples import (
    SHAPE,
    SPECIAL,
    loaded,
    logits_of,
    publish,
    small_whisper,
    sounds,
    text_tokenizer,
    write_settings,
)

from layerwise import engines
from layerwise.errors import InputError, SpecError
from layerwise.fetching import fetch
from layerwise.inspection.attention import attention_layers, attention_scores
from layerwise.runner import last_answer, make_runner
from layerwise.text.text_file import TextFile
from layerwise.versions import VersionStore
from layerwise_speech.whisper import cache as kv_cache
from layerwise_speech.whisper import decoding
from layerwise_speech.whisper.cache import KeyValueCache
from layerwise_speech.whisper.decoding import (
    Segment,
    Written,
    allowed,
    compression_ratio,
    segments_of,
    write,
    write_down,
)
from layerwise_speech.whisper.model import WHISPER
from layerwise_speech.whisper.network import Whisper
from layerwise_speech.whisper.runner import WhisperRunner
from layerwise_speech.whisper.spectrogram import LogMel, mel_filters
from layerwise_speech.whisper.task import DETECTED, WANTED, Transcription

PROMPT = SPECIAL.prompt("de")
TOKENS = [[*PROMPT, 315, 20, 30, 40, 330, 331, 9, 11, 340, 300], [*PROMPT, 311, 1, 2, 3, 4, 5, 6, 70, 361, 300]]


def compiled(whisper):
    compile_predict = engines.current().compile_predict
    return compile_predict(whisper.reader()), compile_predict(whisper.writer())


# Against transformers


@pytest.mark.parametrize("bands", [80, 128])
def test_the_spectrogram_is_that_of_the_feature_extractor(bands):
    transformers = pytest.importorskip("transformers")
    extractor = transformers.WhisperFeatureExtractor(feature_size=bands, chunk_length=2)
    np.testing.assert_allclose(mel_filters(bands), extractor.mel_filters, atol=1e-8)
    audio = sounds(3, 2.0)
    audio[2] = 0
    right = extractor(list(audio), sampling_rate=16_000, return_tensors="np").input_features
    found = keras.ops.convert_to_numpy(LogMel(bands, 32_000, "spectrogram")(audio))
    np.testing.assert_allclose(found, right.transpose(0, 2, 1), atol=1e-4)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A network of transformers, and the folder that it was saved into."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("published")
    write_settings(folder)
    config = transformers.WhisperConfig.from_pretrained(folder, init_std=0.15, attn_implementation="eager")
    network = transformers.WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "norm" in name or "bias" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    network.save_pretrained(folder)
    write_settings(folder)
    network.generation_config = transformers.GenerationConfig.from_pretrained(folder)
    return network, folder


def features(audio):
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(chunk_length=1)
    return extractor(list(audio), sampling_rate=16_000, return_tensors="pt").input_features


def test_it_hears_and_says_what_the_whisper_of_transformers_does(theirs):
    import torch

    network, folder = theirs
    whisper = loaded(folder)
    assert whisper.shape == SHAPE
    audio = sounds(2)
    with torch.no_grad():
        right = network(input_features=features(audio), decoder_input_ids=torch.tensor(TOKENS), output_attentions=True)
    heard = compiled(whisper)[0](audio)["heard"]
    np.testing.assert_allclose(heard, right.encoder_last_hidden_state.numpy(), atol=1e-4)
    np.testing.assert_allclose(logits_of(whisper, audio, TOKENS), right.logits.numpy(), atol=1e-3)
    model = whisper.whole()
    batch = {"audio": audio, "tokens": np.array(TOKENS, "int32")}
    found = attention_scores(SimpleNamespace(model=model), batch, list(attention_layers(model)))
    for kind, name, wanted in (
        ("encoder", "attention", right.encoder_attentions),
        ("decoder", "attention", right.decoder_attentions),
        ("decoder", "sound", right.cross_attentions),
    ):
        for number, scores in enumerate(wanted, start=1):
            np.testing.assert_allclose(found[f"{kind}_{number}_{name}"][0], scores.numpy(), atol=1e-4)


@pytest.mark.parametrize(("language", "is_translated"), [("de", False), ("zh", True)])
def test_it_writes_the_same_tokens_as_transformers(theirs, language, is_translated):
    import torch

    network, folder = theirs
    whisper = loaded(folder)
    read, write_tokens = compiled(whisper)
    for audio in sounds(2, seed=3):
        with torch.no_grad():
            right = network.generate(
                features(audio[None]),
                language=language,
                task="translate" if is_translated else "transcribe",
                return_timestamps=True,
                force_unique_generate_call=True,
                max_new_tokens=30,
            )[0].tolist()
        prompt = SPECIAL.prompt(language, is_translated=is_translated)
        assert right[:3] == list(prompt)
        cache = KeyValueCache(write_tokens, whisper.shape, read(audio[None]))
        tokens, _ = write(cache, cache.extend(prompt)[-1], SPECIAL, temperature=0.0, most=30)
        assert list(tokens) == [token for token in right[3:] if token != SPECIAL.end]


@given(seed=st.integers(0, 10_000), spread=st.sampled_from([1.0, 3.0, 8.0]))
@settings(deadline=None)
def test_what_is_allowed_is_what_transformers_allows(seed, spread):
    transformers = pytest.importorskip("transformers")
    import torch

    settings = transformers.GenerationConfig(eos_token_id=SPECIAL.end)
    settings.no_timestamps_token_id = SPECIAL.no_timestamps
    settings.max_initial_timestamp_index = SPECIAL.latest_start
    process = transformers.WhisperTimeStampLogitsProcessor(settings, begin_index=3)
    random, written = np.random.default_rng(seed), []
    while len(written) < 10 and written[-1:] != [SPECIAL.end]:
        given = random.normal(0, spread, SHAPE.vocab_size).astype("float32")
        found = allowed(given, written, SPECIAL)
        given[[*SPECIAL.suppressed, *(() if written else SPECIAL.suppressed_first)]] = -np.inf
        right = process(torch.tensor([[*PROMPT, *written]]), torch.tensor(given[None]))[0].numpy()
        np.testing.assert_array_equal(found, right)
        written.append(int(random.choice(np.flatnonzero(np.isfinite(found)))))


# With a cache


def test_with_a_cache_it_says_what_it_says_of_all_at_once(monkeypatch):
    monkeypatch.setattr(kv_cache, "ROOM", 6)  # a text that goes beyond it
    whisper, audio = small_whisper(), sounds(2)
    text = np.random.default_rng(3).integers(0, 362, 30).tolist()
    right = logits_of(whisper, audio, [text, text])[1]
    read, write_tokens = compiled(whisper)
    cache = KeyValueCache(write_tokens, whisper.shape, read(audio[1:]))
    np.testing.assert_allclose(cache.extend(text[:3]), right[:3], atol=1e-4)
    cache.extend([5, 6])
    cache.rewind(3)
    for place in range(3, 30):
        np.testing.assert_allclose(cache.extend(text[place : place + 1])[0], right[place], atol=1e-4)
    assert cache.tokens == text


def test_what_comes_later_changes_nothing():
    whisper, audio = small_whisper(), sounds()
    one, other = ([[*TOKENS[0][:8], last, last]] for last in (3, 70))
    found = [logits_of(whisper, audio, tokens) for tokens in (one, other)]
    np.testing.assert_allclose(found[0][:, :8], found[1][:, :8], atol=1e-5)
    assert np.abs(found[0][:, 8:] - found[1][:, 8:]).max() > 0.1


def test_numbers_that_do_not_fit_together_are_refused():
    with pytest.raises(SpecError, match="even multiple of 5"):
        replace(SHAPE, encoder_attention_heads=5)
    with pytest.raises(SpecError, match="multiple of 320"):
        Transcription(samples=16_001)
    with pytest.raises(SpecError, match="16000"):
        Transcription(rate=8_000)


@pytest.fixture
def sixteen_bits():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def test_in_sixteen_bits_it_says_about_the_same(sixteen_bits):
    narrow, audio = small_whisper(), sounds(2)
    found = logits_of(narrow, audio, TOKENS)
    keras.config.set_dtype_policy("float32")
    right = logits_of(small_whisper(), audio, TOKENS)
    assert found.dtype == "float32"
    assert np.abs(found - right).mean() < 0.1 * np.abs(right).mean()


# The rules of what is written


def logits(**favoured):
    """0 for all tokens but some, named like "t9"."""
    found = np.zeros(SHAPE.vocab_size, "float32")
    for name, value in favoured.items():
        found[int(name[1:])] = value
    return found


def test_a_text_begins_with_a_timestamp_of_the_beginning():
    found = np.flatnonzero(np.isfinite(allowed(logits(), [], SPECIAL)))
    assert found.tolist() == list(range(311, 311 + 21))
    anywhere = replace(SPECIAL, latest_start=None)
    assert np.isfinite(allowed(logits(), [], anywhere))[311:].all()


@pytest.mark.parametrize(
    ("written", "may", "may_not"),
    [
        ([311], {9, 300}, {311, 312, 7, 310}),  # text, nothing suppressed
        ([311, 9], {9, 300, 312}, {311}),  # later than the beginning
        ([311, 9, 320], {320, 321, 300}, {9, 319}),  # the next segment, or the end
        ([311, 9, 320, 320], {9, 300}, {320, 330}),  # text again
        ([311, 9, 320, 320, 9], {9, 300, 321}, {320}),
    ],
)
def test_timestamps_come_in_pairs_and_only_get_later(written, may, may_not):
    # So improbable that all timestamps together are less probable than a word.
    given = logits(**{f"t{token}": -9 for token in range(311, 362)})
    finite = np.isfinite(allowed(given, written, SPECIAL))
    assert finite[list(may)].all()
    assert not finite[list(may_not)].any()


def test_timestamps_that_are_probable_together_win():
    one = logits(t9=3.0)  # e^3 = 20 against 1 for each of 50 timestamps
    found = np.isfinite(allowed(one, [311, 9], SPECIAL))
    assert not found[:311].any()
    assert found[312:].all()
    assert np.isfinite(allowed(logits(t9=5.0), [311, 9], SPECIAL))[9]


def written_of(tokens, chance=-0.1, **changes):
    given = {"tokens": tuple(tokens), "log_probabilities": (chance,) * (len(tokens) + 1), "no_speech": 0.1}
    return Written(**{**given, "text": "some words", "temperature": 0.0, **changes})


@pytest.mark.parametrize(
    ("tokens", "segments", "steps"),
    [
        # One segment that ends: nothing is said after it.
        ([313, 1, 2, 331], [(2, 20, (1, 2))], 50),
        # Two, the second of which ends at once.
        ([311, 1, 321, 323, 2, 331], [(0, 10, (1,)), (12, 20, (2,))], 50),
        # The second is cut off: it is heard again from where the first ended.
        ([311, 1, 321, 321, 2, 3], [(0, 10, (1,))], 10),
        # Ends with a pair: something follows.
        ([311, 1, 321, 321], [(0, 10, (1,))], 10),
        # No end: it goes on to the end of the window.
        ([312, 1, 2], [(1, 50, (1, 2))], 50),
        ([311], [(0, 50, ())], 50),
    ],
)
def test_segments_lie_between_timestamps(tokens, segments, steps):
    found, done = segments_of(written_of(tokens), SPECIAL, 50)
    assert [(segment.start, segment.end, segment.tokens) for segment in found] == segments
    assert done == steps


def test_a_segment_is_as_probable_as_its_text():
    written = written_of([311, 1, 2, 321], log_probabilities=(-5.0, -1.0, -2.0, -7.0, -9.0))
    assert segments_of(written, SPECIAL, 50)[0] == [Segment(tokens=(1, 2), start=0, end=10, log_probability=-1.5)]


@pytest.mark.parametrize(
    ("changes", "is_silent", "is_doubtful"),
    [
        ({}, False, False),
        ({"chance": -1.5}, False, True),
        ({"text": "and then " * 30}, False, True),
        ({"chance": -1.5, "no_speech": 0.7}, True, False),
        ({"no_speech": 0.7}, False, False),  # the network is sure of the text
        ({"chance": -0.7, "no_speech": 0.7}, False, False),
        ({"chance": -0.7, "no_speech": 0.9}, True, False),
        ({"no_speech": 0.9}, False, False),
    ],
)
def test_what_is_silent_and_what_is_doubtful(changes, is_silent, is_doubtful):
    written = written_of([311, 1, 331], **changes)
    assert (written.is_silent, written.is_doubtful) == (is_silent, is_doubtful)


class Stuck:
    """A cache of a network that says one word again and again, and the end a little less probably."""

    def __init__(self, gap):
        self.tokens, self.temperatures = [], []
        self.gap = gap

    def extend(self, tokens):
        self.tokens += tokens
        if len(self.tokens) == 1:
            return logits(t311=20.0)[None]
        return logits(t9=20.0 + self.gap, t300=20.0)[None]

    def rewind(self, count):
        del self.tokens[count:]


def test_a_text_that_repeats_itself_is_written_again_with_chance():
    decode = text_tokenizer().decode
    stuck = Stuck(gap=0.3)
    found = write_down(stuck, [301], SPECIAL, decode, most=200)
    # At 0 it never ends, and 200 of one letter are compressed to little.
    assert found.temperature > 0
    assert len(found.tokens) < 60
    assert compression_ratio(decode([9] * 200)) > decoding.MOST_COMPRESSED
    assert found == write_down(Stuck(gap=0.3), [301], SPECIAL, decode, most=200)
    hopeless = write_down(Stuck(gap=40.0), [301], SPECIAL, decode, most=200)
    assert hopeless.temperature == 1.0
    assert len(hopeless.tokens) == 200


def test_writing_can_be_stopped():
    cancelled = threading.Event()
    cancelled.set()
    assert write_down(Stuck(gap=1.0), [301], SPECIAL, text_tokenizer().decode, most=9, cancelled=cancelled) is None


# What it answers


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


_PROBE = """
import numpy as np
from layerwise import engines
from layerwise_speech.whisper.cache import KeyValueCache
from layerwise_speech.whisper.network import Whisper
from layerwise_speech.whisper.shape import WhisperShape
shape = WhisperShape(vocab_size=100, d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=40,
                     decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=40, max_source_positions=50,
                     max_target_positions=40)
whisper = Whisper(shape, is_blank=True)
random = np.random.default_rng(0)
for variable in whisper.whole().variables:
    variable.assign(variable + random.normal(0, 0.1, variable.shape).astype("float32"))
compiled = engines.current().compile_predict
audio, text = random.normal(0, 0.1, (1, 16000)).astype("float32"), random.integers(0, 100, 30).tolist()
right = compiled(whisper.whole())({"audio": audio, "tokens": np.array([text], "int32")})[0]
cache = KeyValueCache(compiled(whisper.writer()), shape, compiled(whisper.reader())(audio))
np.testing.assert_allclose(cache.extend(text[:3]), right[:3], atol=1e-4)
for place in range(3, 30):
    np.testing.assert_allclose(cache.extend([text[place]])[0], right[place], atol=1e-4)
np.save(__import__("sys").argv[1], right)
"""


@pytest.mark.slow
def test_all_backends_say_the_same(tmp_path):
    found = {}
    for backend in ("tensorflow", "jax", "torch"):
        pytest.importorskip(backend)
        path = tmp_path / f"{backend}.npy"
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, str(path)],
            env={**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found[backend] = np.load(path)
    for backend in ("jax", "torch"):
        np.testing.assert_allclose(found[backend], found["tensorflow"], atol=1e-4)


def test_a_blank_network_is_made_of_the_same_weights():
    names = [[v.path for v in Whisper(SHAPE, is_blank=blank).whole().variables] for blank in (True, False)]
    assert names[0] == names[1]
    assert any(np.any(v) for v in Whisper(SHAPE).whole().variables)
