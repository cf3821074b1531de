"""The Llama family's decoder against transformers, and against itself with a cache."""

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from llama_samples import SHAPE, TOKENS, loaded, logits_of, small_llama, text_tokenizer

from layerwise import engines
from layerwise.errors import SpecError
from layerwise.fine_tuning import add_lora
from layerwise.inspection.attention import attention_layers, attention_scores
from layerwise.weights import assign, merged_arrays, named_variables
from layerwise_language.llama import cache as kv_cache
from layerwise_language.llama.cache import KeyValueCache
from layerwise_language.llama.network import Llama
from layerwise_language.llama.published import variables_of


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def theirs(request, tmp_path):
    """A network of transformers, and the folder that it was saved into, in several files."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    torch.manual_seed(0)
    wanted = {name: getattr(SHAPE, name) for name in SHAPE.__dataclass_fields__ if name != "rope_theta"}
    wanted |= {"tie_word_embeddings": request.param, "initializer_range": 0.2, "attn_implementation": "eager"}
    rope = {"rope_type": "default", "rope_theta": SHAPE.rope_theta}
    network = transformers.LlamaForCausalLM(transformers.LlamaConfig(**wanted, rope_parameters=rope)).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "norm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    network.save_pretrained(tmp_path / "published", max_shard_size="100KB")
    (tmp_path / "published" / "tokenizer.json").write_text(text_tokenizer().to_str())
    return network, tmp_path / "published"


def test_it_says_what_the_llama_of_transformers_says(theirs):
    import torch

    network, folder = theirs
    assert len(list(folder.glob("*.safetensors"))) > 1
    llama = loaded(folder)
    assert llama.shape == replace(SHAPE, tie_word_embeddings=llama.shape.tie_word_embeddings)
    with torch.no_grad():
        right = network(torch.tensor(TOKENS), output_attentions=True)
    np.testing.assert_allclose(logits_of(llama), right.logits.numpy(), atol=1e-4)
    model = llama.whole()
    found = attention_scores(SimpleNamespace(model=model), {"tokens": TOKENS}, list(attention_layers(model)))
    assert list(found) == [f"block_{number}_attention" for number in (1, 2, 3)]
    for (scores,), expected in zip(found.values(), right.attentions, strict=True):
        np.testing.assert_allclose(scores, expected.numpy(), atol=1e-5)


def test_what_comes_later_and_what_fills_up_change_nothing():
    llama = small_llama()
    other = TOKENS.copy()
    other[:, 12:] = 0
    np.testing.assert_allclose(logits_of(llama)[:, :12], logits_of(llama, other)[:, :12], atol=1e-5)
    assert np.abs(logits_of(llama)[:, 12:] - logits_of(llama, other)[:, 12:]).max() > 0.1
    fixed = keras.ops.convert_to_numpy(llama.whole(20)(TOKENS))
    np.testing.assert_allclose(fixed, logits_of(llama), atol=1e-5)


@pytest.fixture
def small_cache(monkeypatch):
    """Sizes that a short text goes beyond."""
    for name, size in {"CHUNK": 8, "RECENT": 4, "SMALLEST": 8, "GROWTH": 2}.items():
        monkeypatch.setattr(kv_cache, name, size)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_with_a_cache_it_says_what_it_says_of_all_at_once(small_cache, tied):
    llama = small_llama(tie_word_embeddings=tied)
    text = np.random.default_rng(3).integers(0, 300, 64)
    right = logits_of(llama, text[None].astype("int32"))[0]
    cache = KeyValueCache(engines.current().compile_predict(llama.writer()), llama.shape)
    cache.warm()
    for length in (1, 2, 3, 5, 13, 14, 15, 16, 17, 30, 61, 62, 63, 64):
        np.testing.assert_allclose(cache.read(text[:length].tolist()), right[length - 1], atol=1e-4)
        assert cache.tokens == text[:length].tolist()
    again = cache.read(text.tolist())
    np.testing.assert_allclose(again, right[63], atol=1e-4)
    # Another text that begins in the same way, and one that is its beginning.
    other = np.concatenate([text[:21], (text[21:40] + 1) % 300])
    expected = logits_of(llama, other[None].astype("int32"))[0]
    np.testing.assert_allclose(cache.read(other.tolist()), expected[39], atol=1e-4)
    np.testing.assert_allclose(cache.read(text[:20].tolist()), right[19], atol=1e-4)
    np.testing.assert_allclose(cache.extend(text[20:23].tolist()), right[22], atol=1e-4)


@pytest.mark.slow
def test_what_is_the_same_is_not_read_again(small_cache):
    llama, sizes = small_llama(), []
    compiled = engines.current().compile_predict(llama.writer())

    def write(inputs):
        sizes.append(len(inputs["tokens"]))
        return compiled(inputs)

    cache = KeyValueCache(write, llama.shape)
    cache.read(list(range(20)))
    assert sizes == [8, 8, 8]
    cache.read([*range(19), 50])
    assert sizes == [8, 8, 8, 1]


def test_numbers_that_do_not_fit_together_are_refused():
    with pytest.raises(SpecError, match="multiple of 12"):
        replace(SHAPE, hidden_size=42)
    with pytest.raises(SpecError, match="multiple of 4"):
        replace(SHAPE, num_key_value_heads=4)


@pytest.mark.slow
def test_lora_changes_only_its_own_weights(tmp_path):
    llama = small_llama()
    before = logits_of(llama)
    former = {name: keras.ops.convert_to_numpy(variable) for name, (variable, _) in variables_of(llama).items()}
    former = {name: array.copy() for name, array in former.items()}
    model = llama.whole()
    add_lora(model, 2, [], seed=0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(TOKENS)), before, atol=1e-5)
    assert len(model.trainable_variables) == 3 * 7 * 2
    assert all("lora" in variable.path for variable in model.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer = engines.current().Trainer(model, keras.optimizers.Adam(0.01), loss, {}, xla=False)
    data = trainer.place(TOKENS[:, :-1], TOKENS[:, 1:])
    first = trainer.evaluate_batch(data, 0, 2)["loss"]
    trainer.train(data, np.tile(np.arange(2, dtype="int32"), (30, 1)), 0, 30)
    assert trainer.evaluate_batch(data, 0, 2)["loss"] < first / 2
    for name, (variable, _) in variables_of(llama).items():
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), former[name], err_msg=name)
    assert np.abs(logits_of(llama) - before).max() > 0.1
    right = logits_of(llama)
    merged = Llama(SHAPE, is_blank=True)
    assign(named_variables(merged.whole()), merged_arrays(model), tmp_path)
    np.testing.assert_allclose(logits_of(merged), right, atol=1e-4)
    for network in (llama, merged):
        cache = KeyValueCache(engines.current().compile_predict(network.writer()), llama.shape)
        np.testing.assert_allclose(cache.read(TOKENS[0].tolist()), right[0, -1], atol=1e-4)


def test_in_sixteen_bits_it_says_about_the_same(sixteen_bits):
    narrow = small_llama()
    keras.config.set_dtype_policy("float32")
    right = logits_of(small_llama())
    logits = narrow.whole()(TOKENS)
    assert logits.dtype == "float32"
    spread = np.abs(right).mean()
    assert np.abs(keras.ops.convert_to_numpy(logits) - right).mean() < 0.1 * spread
    writer = narrow.writer()
    cache = KeyValueCache(engines.current().compile_predict(writer), narrow.shape, writer.compute_dtype)
    assert np.abs(cache.read(TOKENS[0].tolist()) - right[0, -1]).mean() < 0.1 * spread


def test_from_scratch_it_learns():
    keras.utils.set_random_seed(0)
    model = Llama(replace(SHAPE, num_hidden_layers=1)).whole(19)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer = engines.current().Trainer(model, keras.optimizers.Adam(0.01), loss, {}, xla=False)
    data, order = trainer.place(TOKENS[:, :-1], TOKENS[:, 1:]), np.tile(np.arange(2, dtype="int32"), (60, 1))
    first = trainer.train(data, order, 0, 1)["loss"]
    assert first == pytest.approx(np.log(300), abs=0.3)
    trainer.train(data, order, 1, 60)
    assert trainer.evaluate_batch(data, 0, 2)["loss"] < 0.5


_PROBE = """
import numpy as np
from layerwise import engines
from layerwise.inspection.attention import attention_layers
from layerwise_language.llama.cache import KeyValueCache
from layerwise_language.llama.network import Llama
from layerwise_language.llama.shape import LlamaShape
llama = Llama(LlamaShape(vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, intermediate_size=40, max_position_embeddings=64))
compiled = engines.current().compile_predict
text = np.random.default_rng(0).integers(0, 50, 40).tolist()
right = compiled(llama.whole())(np.array([text], "int32"))[0]
cache = KeyValueCache(compiled(llama.writer()), llama.shape)
for length in (30, 31, 40):
    np.testing.assert_allclose(cache.read(text[:length]), right[length - 1], atol=1e-4)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_say_the_same_with_a_cache(backend):
    pytest.importorskip(backend)
    done = subprocess.run(
        [sys.executable, "-c", _PROBE],
        env={**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
