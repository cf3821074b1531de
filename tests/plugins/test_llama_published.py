"""Published weights of the Llama family, which may be damaged."""

import json
import sys
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
from damages import change_arrays, change_json, cut, half_index, index_outside, only_pickle
from llama_samples import loaded, logits_of, publish, small_llama, text_tokenizer
from safetensors.numpy import load_file, save_file

from layerwise.errors import MissingDependencyError, WeightsError
from layerwise.text.tokenization import tokenizer_of
from layerwise_language.llama.published import read_published, variables_of


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


change_config = partial(change_json, "config.json")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            change_config(architectures=["MistralForCausalLM"]),
            "LlamaForCausalLM. Received: MistralForCausalLM",
        ),
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
