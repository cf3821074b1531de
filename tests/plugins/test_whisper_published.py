"""Published weights of the Whisper family, which may be damaged."""

import json

import keras
import numpy as np
import pytest
from damages import change_arrays, change_json, cut, half_index, index_outside, only_pickle
from safetensors.numpy import load_file, save_file
from whisper_samples import SHAPE, SPECIAL, loaded, logits_of, publish, small_whisper, sounds, text_tokenizer

from layerwise.errors import WeightsError
from layerwise.fetching import fetch
from layerwise.text.tokenization import tokenizer_of
from layerwise.versions import VersionStore
from layerwise_speech.whisper.model import WHISPER
from layerwise_speech.whisper.published import read_published, variables_of

TOKENS = [[301, 304, 306, 311, 20, 30]]


def test_published_weights_come_back(tmp_path):
    whisper, audio = small_whisper(), sounds()
    folder = publish(whisper, tmp_path / "published")
    published = read_published(folder)
    assert published.shape == SHAPE
    assert published.special == SPECIAL
    tokenizer = tokenizer_of(published.tokenizer)
    assert tokenizer.decode(tokenizer.encode("the cat").ids) == "the cat"
    np.testing.assert_array_equal(logits_of(loaded(folder), audio, TOKENS), logits_of(whisper, audio, TOKENS))


def test_a_network_that_knows_english_alone_has_no_languages(tmp_path):
    folder = publish(small_whisper(), tmp_path / "published", is_multilingual=False)
    assert read_published(folder).special.languages == ()
    # Where nothing tells, the number of tokens does.
    path = folder / "generation_config.json"
    told = json.loads(path.read_text())
    del told["is_multilingual"]
    path.write_text(json.dumps({**told, "max_initial_timestamp_index": None}))
    special = read_published(folder).special
    assert special.languages == ()
    assert special.latest_start is None


def test_files_in_several_parts_and_in_sixteen_bits_are_read(tmp_path):
    whisper, audio = small_whisper(), sounds()
    folder = publish(whisper, tmp_path / "published")
    arrays = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    arrays["proj_out.weight"] = arrays["model.decoder.embed_tokens.weight"] + 1  # says nothing new
    where = {name: f"model-{number % 2}.safetensors" for number, name in enumerate(arrays)}
    for file in set(where.values()):
        part = {name: array.astype("float16") for name, array in arrays.items() if where[name] == file}
        save_file(part, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    found = loaded(folder)
    for name, (variable, _) in variables_of(found).items():
        wanted = keras.ops.convert_to_numpy(variables_of(whisper)[name][0])
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), wanted.astype("float16").astype("float32"))
    np.testing.assert_allclose(logits_of(found, audio, TOKENS), logits_of(whisper, audio, TOKENS), atol=0.2)


def test_a_tokenizer_in_parts_is_the_same(tmp_path):
    folder = publish(small_whisper(), tmp_path / "published")
    right = text_tokenizer()
    model = json.loads(right.to_str())["model"]
    (folder / "tokenizer.json").unlink()
    added = {token.content: number for number, token in right.get_added_tokens_decoder().items()}
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "added_tokens.json").write_text(json.dumps(added))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]))
    published = read_published(folder)
    assert published.special == SPECIAL
    found = tokenizer_of(published.tokenizer)
    for text in ("the cat sat there", " on  the mat's\nhill, 映画 😀"):
        assert found.encode(text).ids == right.encode(text).ids
        assert found.decode(found.encode(text).ids) == text
    assert found.decode([301, 20, 300]) == right.decode([20])


def without(token):
    def changed(folder):
        path = folder / "tokenizer.json"
        path.write_text(path.read_text().replace(token, "<|something|>"))

    return changed


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (change_json("config.json", architectures=["LlamaForCausalLM"]), "Received: LlamaForCausalLM"),
        (change_json("config.json", architectures=None), "Received: none"),
        (change_json("config.json", activation_function="relu"), "activation_function 'gelu'"),
        (change_json("config.json", scale_embedding=True), "scale_embedding False"),
        (change_json("config.json", tie_word_embeddings=False), "tie_word_embeddings True"),
        (change_json("config.json", quantization_config={"bits": 4}), "quantization_config"),
        (change_json("config.json", d_model="many"), "config.json"),
        (change_json("config.json", d_model=None), "config.json"),
        (change_json("config.json", decoder_attention_heads=0), "config.json"),
        (change_json("config.json", decoder_attention_heads=5), "heads of the decoder"),
        (change_json("config.json", encoder_layers=3), "15 arrays are missing.*model.encoder.layers.2"),
        (change_json("config.json", decoder_layers=2), "'model.decoder.layers.2.* that this network has not"),
        (change_json("config.json", encoder_ffn_dim=49), r"fc1.bias.*another shape.*\(49,\).*\(48,\)"),
        (change_json("config.json", num_mel_bins=128), r"conv1.*another shape.*\(32, 128, 3\).*\(32, 80, 3\)"),
        (change_json("config.json", vocab_size=350), "tokens below 350.*Received: a token 361"),
        (change_json("generation_config.json", suppress_tokens=[9000]), "the token 9000"),
        (change_json("generation_config.json", suppress_tokens="all"), "generation_config.json"),
        (change_json("generation_config.json", max_initial_timestamp_index="late"), "generation_config.json"),
        (change_arrays(lambda arrays: arrays.pop("model.encoder.layer_norm.bias")), "1 arrays are missing.*layer_norm"),
        (change_arrays(lambda arrays: arrays.update(extra=np.ones(2))), "'extra'"),
        (cut("model.safetensors"), "no safetensors file"),
        (cut("config.json"), "config.json cannot be read"),
        (cut("generation_config.json"), "generation_config.json cannot be read"),
        (cut("tokenizer.json"), "tokenizer.*cannot be used"),
        (without("<|notimestamps|>"), r"a token <\|notimestamps\|>"),
        (without("<|en|>"), "languages do not follow"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.*cannot be used"),
        (lambda folder: (folder / "config.json").write_text("[]"), "a JSON object"),
        (only_pickle, "pytorch_model.bin, a pickle"),
        (index_outside, "names of files beside it"),
        (half_index, "model-2.safetensors"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "config.json cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, damage, said):
    folder = publish(small_whisper(), tmp_path / "published")
    damage(folder)
    with pytest.raises(WeightsError, match=said):
        loaded(folder)


@pytest.mark.parametrize(("name", "content"), [("merges.txt", "a b c"), ("added_tokens.json", "[]")])
def test_a_tokenizer_in_parts_that_do_not_fit_is_refused(tmp_path, name, content):
    folder = publish(small_whisper(), tmp_path / "published")
    model = json.loads(text_tokenizer().to_str())["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "added_tokens.json").write_text("{}")
    (folder / "merges.txt").write_text("")
    (folder / name).write_text(content)
    with pytest.raises(WeightsError):
        read_published(folder)


def test_what_is_nowhere_is_refused_and_the_former_stays(tmp_path, home):
    with pytest.raises(WeightsError, match="There is no folder"):
        read_published(tmp_path / "nowhere")
    versions = VersionStore(home)
    with pytest.raises(WeightsError, match="a folder, or the id of a repository"):
        fetch(versions, WHISPER, "tiny-en", "no id at all")
    folder = publish(small_whisper(), tmp_path / "published")
    fetch(versions, WHISPER, "tiny-en", str(folder))
    cut("model.safetensors")(folder)
    with pytest.raises(WeightsError, match="no safetensors file"):
        fetch(versions, WHISPER, "tiny-en", str(folder))
    assert versions.current(WHISPER, "tiny-en").config.d_model == 32
