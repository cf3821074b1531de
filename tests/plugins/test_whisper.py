"""Whisper's network and its spectrogram against transformers, and against itself with a cache and on each backend."""

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from whisper_samples import SHAPE, SPECIAL, compiled, loaded, logits_of, small_whisper, sounds, write_settings

from layerwise.errors import SpecError
from layerwise.inspection.attention import attention_layers, attention_scores
from layerwise_speech.whisper import cache as kv_cache
from layerwise_speech.whisper.cache import KeyValueCache
from layerwise_speech.whisper.decoding import write
from layerwise_speech.whisper.network import Whisper
from layerwise_speech.whisper.spectrogram import LogMel, mel_filters
from layerwise_speech.whisper.task import Transcription

PROMPT = SPECIAL.prompt("de")
TOKENS = [[*PROMPT, 315, 20, 30, 40, 330, 331, 9, 11, 340, 300], [*PROMPT, 311, 1, 2, 3, 4, 5, 6, 70, 361, 300]]


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_in_sixteen_bits_it_says_about_the_same(sixteen_bits):
    narrow, audio = small_whisper(), sounds(2)
    found = logits_of(narrow, audio, TOKENS)
    keras.config.set_dtype_policy("float32")
    right = logits_of(small_whisper(), audio, TOKENS)
    assert found.dtype == "float32"
    assert np.abs(found - right).mean() < 0.1 * np.abs(right).mean()


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
