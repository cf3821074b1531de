"""The Llama family's decoder against transformers and against itself with a cache, and its published weights, which may
be damaged."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from layerwise import engines
from layerwise.errors import MissingDependencyError, SpecError, WeightsError
from layerwise.inspection.attention import attention_layers, attention_scores
from layerwise.tokenization import tokenizer_of
from layerwise_language import kv_cache
from layerwise_language.kv_cache import KeyValueCache
from layerwise_language.llama import Llama
from layerwise_language.llama_shape import LlamaShape
from layerwise_language.llama_weights import load_published, read_published, variables_of

SHAPE = LlamaShape(
    vocab_size=300,
    hidden_size=48,
    num_hidden_layers=3,
    num_attention_heads=6,
    num_key_value_heads=2,
    intermediate_size=80,
    rope_theta=5000.0,
    max_position_embeddings=64,
)
TOKENS = np.random.default_rng(0).integers(0, 300, (2, 20)).astype("int32")


def small_llama(**changes):
    """Random weights, none of which is 0 or 1, so that none of them can be forgotten."""
    keras.utils.set_random_seed(1)
    llama = Llama(replace(SHAPE, **changes))
    random = np.random.default_rng(1)
    for variable, _ in variables_of(llama).values():
        variable.assign(variable + random.normal(0, 0.2, variable.shape).astype("float32"))
    return llama


def text_tokenizer():
    """One that divides as SmolLM2's does: single digits, then GPT-2's way."""
    tokenizer = Tokenizer(models.BPE())
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<end>", "<begin>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the cat sat on the mat in 1984", "the dog sat there in 2001"] * 3, trainer)
    return tokenizer


def publish(llama, folder, *, shards=1):
    """Write the weights as they are published, without transformers."""
    folder.mkdir()
    shape = llama.shape
    config = {name: getattr(shape, name) for name in shape.__dataclass_fields__}
    rope = {"rope_parameters": {"rope_type": "default", "rope_theta": config.pop("rope_theta")}}
    config |= {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "eos_token_id": 5, **rope}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(text_tokenizer().to_str())
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    arrays = {
        name: np.ascontiguousarray(array.T if is_turned else array)
        for name, (variable, is_turned) in variables_of(llama).items()
        for array in [keras.ops.convert_to_numpy(variable)]
    }
    names = [f"model-{n + 1:05d}-of-{shards:05d}.safetensors" for n in range(shards)]
    where = {name: names[number % shards] for number, name in enumerate(arrays)}
    for file in names:
        save_file({name: arrays[name] for name in arrays if where[name] == file}, folder / file)
    if shards > 1:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    return folder


def loaded(folder):
    published = read_published(folder)
    llama = Llama(published.shape, is_blank=True)
    load_published(llama, published)
    return llama


def logits_of(llama, tokens=TOKENS):
    return keras.ops.convert_to_numpy(llama.whole()(tokens))


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


def test_the_logit_lens_ends_with_what_the_network_says():
    llama = small_llama()
    found = llama.lens(5)(TOKENS)
    tokens, probabilities = (keras.ops.convert_to_numpy(found[name]) for name in ("tokens", "probabilities"))
    assert tokens.shape == probabilities.shape == (2, 3, 20, 5)
    chances = keras.ops.convert_to_numpy(keras.ops.softmax(logits_of(llama)))
    best = np.argsort(-chances, axis=-1)[..., :5]
    np.testing.assert_array_equal(tokens[:, -1], best)
    np.testing.assert_allclose(probabilities[:, -1], np.take_along_axis(chances, best, -1), atol=1e-5)
    # A network of the first layer alone says what the lens says of that layer.
    first = Llama(replace(SHAPE, num_hidden_layers=1))
    ours = variables_of(llama)
    for name, (variable, _) in variables_of(first).items():
        variable.assign(ours[name][0])
    np.testing.assert_array_equal(tokens[:, 0], np.argsort(-logits_of(first), axis=-1)[..., :5])


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


def test_lora_changes_only_its_own_weights():
    llama = small_llama()
    before = logits_of(llama)
    former = {name: keras.ops.convert_to_numpy(variable) for name, (variable, _) in variables_of(llama).items()}
    former = {name: array.copy() for name, array in former.items()}
    llama.enable_lora(2)
    model = llama.whole()
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
    for network in (llama, llama.merged()):
        cache = KeyValueCache(engines.current().compile_predict(network.writer()), llama.shape)
        np.testing.assert_allclose(cache.read(TOKENS[0].tolist()), right[0, -1], atol=1e-4)
    merged = llama.merged().whole()
    assert not any("lora" in variable.path for variable in merged.variables)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(merged(TOKENS)), right, atol=1e-4)


@pytest.fixture
def sixteen_bits():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


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


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("tied", [True, False])
def test_published_weights_come_back(tmp_path, tied, shards):
    llama = small_llama(tie_word_embeddings=tied)
    folder = publish(llama, tmp_path / "published", shards=shards)
    published = read_published(folder)
    assert published.shape == llama.shape
    assert published.stop_tokens == (5,)
    assert published.chat_template == "{{ messages }}"
    assert (
        tokenizer_of(published.tokenizer).decode(tokenizer_of(published.tokenizer).encode("the cat").ids) == "the cat"
    )
    np.testing.assert_array_equal(logits_of(loaded(folder)), logits_of(llama))


def test_what_says_nothing_new_is_ignored_and_other_files_tell_more(tmp_path):
    llama = small_llama()
    folder = publish(llama, tmp_path / "published")
    arrays = load_file(folder / "model-00001-of-00001.safetensors")
    arrays["lm_head.weight"] = arrays["model.embed_tokens.weight"] + 1
    arrays["model.layers.0.self_attn.rotary_emb.inv_freq"] = np.ones(4, "float32")
    save_file(arrays, folder / "model-00001-of-00001.safetensors")
    (folder / "generation_config.json").write_text('{"eos_token_id": [7, 8]}')
    (folder / "chat_template.jinja").unlink()
    named = [{"name": "tools", "template": "no"}, {"name": "default", "template": "yes"}]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    published = read_published(folder)
    assert published.stop_tokens == (7, 8)
    assert published.chat_template == "yes"
    np.testing.assert_array_equal(logits_of(loaded(folder)), logits_of(llama))


def test_weights_in_sixteen_bits_are_read(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    llama = small_llama()
    folder = publish(llama, tmp_path / "published")
    file = folder / "model-00001-of-00001.safetensors"
    save_file({name: array.astype(ml_dtypes.bfloat16) for name, array in load_file(file).items()}, file)
    for name, (variable, _) in variables_of(loaded(folder)).items():
        wanted = keras.ops.convert_to_numpy(variables_of(llama)[name][0])
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(variable), wanted.astype(ml_dtypes.bfloat16).astype("float32")
        )


def change_config(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def change_arrays(change):
    def changed(folder):
        file = folder / "model-00001-of-00001.safetensors"
        arrays = load_file(file)
        change(arrays)
        save_file(arrays, file)

    return changed


def only_pickle(folder):
    (folder / "model-00001-of-00001.safetensors").rename(folder / "pytorch_model.bin")


def index_outside(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../secret.safetensors"}}')


def half_index(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}')


def cut(name):
    def half(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return half


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (change_config(architectures=["MistralForCausalLM"]), "LlamaForCausalLM. Received: MistralForCausalLM"),
        (change_config(architectures=None), "Received: none"),
        (change_config(rope_parameters={"rope_type": "llama3", "rope_theta": 5e5}), "rope_type 'default'"),
        (change_config(attention_bias=True), "attention_bias False"),
        (change_config(head_dim=16), "head_dim 8"),
        (change_config(quantization_config={"bits": 4}), "quantization_config"),
        (change_config(hidden_size="many"), "config.json"),
        (change_config(num_hidden_layers=4), "9 arrays are missing.*model.layers.3"),
        (change_config(num_hidden_layers=2), "'model.layers.2.* that this network has not"),
        (change_config(intermediate_size=81), r"mlp.*another shape.*\(48, 81\).*\(48, 80\)"),
        (change_config(tie_word_embeddings=False), "1 arrays are missing.*lm_head.weight"),
        (change_arrays(lambda arrays: arrays.pop("model.norm.weight")), "1 arrays are missing.*model.norm.weight"),
        (change_arrays(lambda arrays: arrays.update(extra=np.ones(2))), "'extra'"),
        (cut("model-00001-of-00001.safetensors"), "no safetensors file"),
        (cut("config.json"), "config.json cannot be read"),
        (change_config(vocab_size=200), "tokens below 200. Received: a token 276"),
        (cut("tokenizer.json"), "tokenizer.json cannot be used"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json cannot be used"),
        (lambda folder: (folder / "config.json").write_text("[]"), "a JSON object"),
        (only_pickle, "pytorch_model.bin, a pickle"),
        (index_outside, "names of files beside it"),
        (half_index, "model-2.safetensors"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "config.json cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, damage, said):
    folder = publish(small_llama(), tmp_path / "published")
    damage(folder)
    with pytest.raises(WeightsError, match=said):
        loaded(folder)


def test_a_folder_that_is_not_there_and_a_file_of_another_kind_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="There is no"):
        read_published(tmp_path / "nowhere")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"a \.gguf file"):
        read_published(tmp_path / "pytorch_model.bin")


def write_gguf(llama, path, *, pre="smollm", model="gpt2", architecture="llama"):
    """As llama.cpp's converter does: the rows of queries and keys so that neighbours are turned together."""
    gguf = pytest.importorskip("gguf")
    shape, writer = llama.shape, gguf.GGUFWriter(path, architecture)
    writer.add_context_length(shape.max_position_embeddings)
    writer.add_embedding_length(shape.hidden_size)
    writer.add_block_count(shape.num_hidden_layers)
    writer.add_feed_forward_length(shape.intermediate_size)
    writer.add_head_count(shape.num_attention_heads)
    writer.add_head_count_kv(shape.num_key_value_heads)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.rms_norm_eps)
    writer.add_vocab_size(shape.vocab_size)
    tokenizer = json.loads(text_tokenizer().to_str())["model"]
    writer.add_tokenizer_model(model)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(list(tokenizer["vocab"]))
    writer.add_token_types([3 if number < 2 else 1 for number in range(len(tokenizer["vocab"]))])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["merges"]])
    writer.add_eos_token_id(0)
    writer.add_chat_template("{{ messages }}")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape.num_hidden_layers)
    for name, (variable, is_turned) in variables_of(llama).items():
        array = keras.ops.convert_to_numpy(variable)
        array = np.ascontiguousarray(array.T if is_turned else array)
        for part, heads in (("q_proj", shape.num_attention_heads), ("k_proj", shape.num_key_value_heads)):
            if part in name:
                halves = array.reshape(heads, 2, -1, array.shape[1])
                array = np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(array.shape)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("tied", [True, False])
def test_a_gguf_file_says_the_same(tmp_path, tied):
    llama = small_llama(tie_word_embeddings=tied)
    path = write_gguf(llama, tmp_path / "small.gguf")
    for place in (path, tmp_path):
        published = read_published(place)
        assert published.shape == replace(llama.shape, rms_norm_eps=published.shape.rms_norm_eps)
        assert published.shape.rms_norm_eps == pytest.approx(1e-5)
        assert published.stop_tokens == (0,)
        assert published.chat_template == "{{ messages }}"
        np.testing.assert_allclose(logits_of(loaded(place)), logits_of(llama), atol=1e-5)
    read, right = tokenizer_of(published.tokenizer), text_tokenizer()
    for text in ("the cat sat in 19845 there", "<begin>the  dog's\n\n mat<end>", "映画 😀"):
        assert read.encode(text).ids == right.encode(text).ids
        assert read.decode(read.encode(text).ids, skip_special_tokens=False) == text
    assert read.decode(read.encode("<begin>the cat<end>").ids) == "the cat"


def test_a_gguf_file_that_cannot_be_used_is_refused(tmp_path, monkeypatch):
    llama = small_llama()
    for options, said in (
        ({"pre": "other"}, "put the tokenizer.json"),
        ({"model": "llama"}, "put the tokenizer.json"),
        ({"architecture": "qwen2"}, "Received: qwen2"),
    ):
        with pytest.raises(WeightsError, match=said):
            read_published(write_gguf(llama, tmp_path / "odd.gguf", **options))
    (tmp_path / "tokenizer.json").write_text(text_tokenizer().to_str())
    assert read_published(write_gguf(llama, tmp_path / "odd.gguf", model="llama")).shape.vocab_size == 300
    (tmp_path / "odd.gguf").write_bytes(b"GGUF" + b"\xff" * 60)
    with pytest.raises(WeightsError, match="no GGUF file"):
        read_published(tmp_path / "odd.gguf")
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(MissingDependencyError, match=r"layerwise\[gguf\]"):
        read_published(tmp_path / "odd.gguf")


_PROBE = """
import numpy as np
from layerwise import engines
from layerwise.inspection.attention import attention_layers
from layerwise_language.kv_cache import KeyValueCache
from layerwise_language.llama import Llama
from layerwise_language.llama_shape import LlamaShape
llama = Llama(LlamaShape(vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, intermediate_size=40, max_position_embeddings=64))
compiled = engines.current().compile_predict
text = np.random.default_rng(0).integers(0, 50, 40).tolist()
right = compiled(llama.whole())(np.array([text], "int32"))[0]
cache = KeyValueCache(compiled(llama.writer()), llama.shape)
for length in (30, 31, 40):
    np.testing.assert_allclose(cache.read(text[:length]), right[length - 1], atol=1e-4)
lens = compiled(llama.lens(1))(np.array([text], "int32"))
np.testing.assert_array_equal(lens["tokens"][0, -1, :, 0], right.argmax(axis=-1))
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
