"""Small networks of the Llama family with random weights, and how they are published."""

import json
import time
from dataclasses import replace

import keras
import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from layerwise_language.llama.network import Llama
from layerwise_language.llama.published import load_published, read_published, variables_of
from layerwise_language.llama.shape import LlamaShape

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


def finished(run, seconds=240):
    """A run, when its training has ended well."""
    deadline = time.monotonic() + seconds
    while run.is_active:
        assert time.monotonic() < deadline, run.log_text()
        time.sleep(0.2)
    assert run.state == "finished", run.reason
    return run
